"""Use cases of capacity: what is full, where, and by what."""
