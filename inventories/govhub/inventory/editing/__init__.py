"""Changes of a hub's files that keep comments and layout: tried on a copy first, then all files or none."""
