"""Itineraries: named phases as data, and the engine that takes a system through them, one durable phase at a time."""
