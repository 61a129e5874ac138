"""Migration: how departmental systems come onto the cloud, with a record of who did and approved what."""
