"""Use cases of ``migrate``."""
