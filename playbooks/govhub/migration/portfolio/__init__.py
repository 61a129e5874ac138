"""The portfolio: what sources are, how that compares with what was declared, and what can move how."""
