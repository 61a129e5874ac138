"""NetBox: what it knows of a hub's racks and machines, and what the hub's files tell it."""
