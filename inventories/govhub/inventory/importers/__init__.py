"""Parts of a hub from the tables that a city already has: CSV and Excel, in English or Chinese."""

from govhub.inventory.importers.columns import What
from govhub.inventory.importers.results import ImportResult, Outcome, RowResult
from govhub.inventory.importers.run import import_table
from govhub.inventory.importers.which import kind_of

__all__ = ["ImportResult", "Outcome", "RowResult", "What", "import_table", "kind_of"]
