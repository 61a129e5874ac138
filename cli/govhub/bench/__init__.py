"""Benchmarks against the stock tools, in the same run: ratios with their spread, never a bare figure."""
