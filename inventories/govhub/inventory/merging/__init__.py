"""What another system says of a hub's racks and machines, brought into the hub's files as compact patterns."""
