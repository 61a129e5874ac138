"""What meters say: Prometheus' HTTP API, and readings of racks, power elements, links and departments."""
