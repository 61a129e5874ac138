"""One column of a table: its headings, and how its cells become values of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from govhub.inventory.importers import values
from govhub.inventory.importers.values import Converter

Refers = Literal["", "tenants", "systems"]
FieldPath = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: ``path`` leads to its value in the model; positions in lists are left out."""

    name: str
    headings: tuple[str, ...]
    path: FieldPath
    convert: Converter = values.plain
    required: bool = False
    hint: str = ""
    refers: Refers = ""
    """The section whose items may be given by their Chinese titles."""

    @property
    def spellings(self) -> str:
        """For messages: ``title_zh (or 部门名称)``."""
        return f"{self.name} (or {self.headings[0]})" if self.headings else self.name


def column(
    path: str,
    *headings: str,
    convert: Converter = values.plain,
    name: str = "",
    required: bool = False,
    hint: str = "",
    refers: Refers = "",
) -> Column:
    """A column whose value stands at ``path`` (with dots); its name is the last step unless it is given."""
    return Column(
        name=name or path.rpartition(".")[2],
        headings=headings,
        path=tuple(path.split(".")),
        convert=convert,
        required=required,
        hint=hint,
        refers=refers,
    )
