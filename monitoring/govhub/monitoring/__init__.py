"""Capacity: the hub as columns, and figures of what is full, from inventory and live data."""
