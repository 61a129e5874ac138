"""The words every layer shares: diagnostics, errors, events, digests, secrets and settings."""
