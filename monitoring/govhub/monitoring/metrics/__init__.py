"""The exporter: families of metrics, their samples, and the text that Prometheus scrapes."""
