"""The cutover of a move's data, and the way back, which is the same sequence in the other direction."""
