"""Meters of the lab: SNMP agents that play metered feeds and switches, and the real programs that poll them."""
