"""Databases that are migrated, read as one snapshot and described in one vocabulary; the home of their libraries."""
