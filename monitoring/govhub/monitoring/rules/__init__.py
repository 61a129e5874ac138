"""Prometheus rules, their unit tests, and Alertmanager's routes, generated from a hub."""
