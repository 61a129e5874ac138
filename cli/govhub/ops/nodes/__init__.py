"""Nodes of clusters: who runs on them, and how they are emptied."""
