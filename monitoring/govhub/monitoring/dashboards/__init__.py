"""Grafana dashboards as code, and the rules that they are held to."""
