"""Alerts by subject; each with the examples that its unit tests are made of."""
