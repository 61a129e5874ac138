"""The arithmetic of capacity: pure functions over arrays, in SI units; NaN in an array is unknown, never zero."""
