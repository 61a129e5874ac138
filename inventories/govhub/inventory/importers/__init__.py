"""Departments and systems from the tables that a city already has: CSV and Excel, in English or Chinese."""

from govhub.inventory.importers.results import ImportResult, Outcome, RowResult
from govhub.inventory.importers.run import import_table

__all__ = ["ImportResult", "Outcome", "RowResult", "import_table"]
