"""Migration: departmental systems move onto the cloud with data, proof and a way back."""
