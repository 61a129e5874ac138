"""What a script read of a server: named sections, each with the exit code of what printed it.

The script prints each section between the lines ``MARK begin NAME`` and ``MARK end NAME EXIT``, and ``MARK complete``
at its end; the mark is a word that no output can guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = "govhub.host-reading/1"
# Addresses may carry a password, which is never kept.
_LOGIN = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Section:
    """What one command of the script printed; ``exit`` is its exit code, 127 when there is no such command."""

    exit: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


MISSING = Section(127, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one host answered at one time."""

    host: str
    time: str
    """When, in UTC."""
    sections: Mapping[str, Section] = field(default_factory=dict)
    offset: float | None = None
    """Seconds that its clock is ahead of the clock of who asked, give or take ``uncertainty``."""
    uncertainty: float | None = None

    def section(self, name: str) -> Section:
        """A section; one that could not be read has an exit code other than 0."""
        return self.sections.get(name, MISSING)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, for the private file."""
        return {
            "schema": SCHEMA,
            "host": self.host,
            "time": self.time,
            "offset": self.offset,
            "uncertainty": self.uncertainty,
            "sections": {name: [item.exit, list(item.lines)] for name, item in self.sections.items()},
        }


def parse(text: str, mark: str) -> dict[str, Section] | None:
    """The sections of an answer; None when it is not whole, for half an answer must not look like a small host."""
    found: dict[str, Section] = {}
    name, lines = "", list[str]()
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word != mark:
            lines.append(_LOGIN.sub("//", line))
        elif rest == "complete":
            return found
        elif rest.startswith("begin "):
            name, lines = rest.removeprefix("begin "), []
        elif rest.startswith(f"end {name} "):
            # The script adds an end of line, for what ends without one.
            while lines and not lines[-1]:
                lines.pop()
            found[name] = Section(int(rest.rpartition(" ")[2]), tuple(lines))
            name, lines = "", []
    return None


def load_reading(text: str) -> Reading:
    """A reading from its JSON form.

    Raises:
        ValueError: it is none, or damaged.
    """
    try:
        raw = json.loads(text)
        if raw["schema"] != SCHEMA:
            raise ValueError(raw["schema"])
        sections = {name: Section(int(code), tuple(lines)) for name, (code, lines) in raw["sections"].items()}
        return Reading(
            host=raw["host"],
            time=raw["time"],
            sections=sections,
            offset=raw["offset"],
            uncertainty=raw["uncertainty"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
