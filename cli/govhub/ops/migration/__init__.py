"""Use cases of migrations."""
