"""Movers carry the data of one move; each engine has its own behind one small protocol."""
