"""A Markdown page of bounded size: code hosts refuse longer comments, so a cut must be honest and deliberate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from govhub.cli.i18n import trn
from govhub.core.secrets import REDACTOR

LIMIT = 64_000
CELL = 300
# For what stands at the end of the page: closing tags and the lines that say what was left out.
RESERVE = 2_000
_MARKS = re.compile(r"([\\`*_\[\]#|~])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


class Page:
    """Collects lines while they fit into ``limit`` bytes."""

    def __init__(self, marker: str, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lines: list[str] = []
        self._size = 0
        # The marker lets a pipeline find its former comment and replace it.
        self.add(f"<!-- govhub:{re.sub(r'[^A-Za-z0-9._/ -]|--', '_', marker)} -->")

    def add(self, *lines: str) -> None:
        """Lines that must be there; keep them few and short."""
        for text in lines:
            self._lines.append(text)
            self._size += _bytes(text)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], *, share: float = 1.0) -> None:
        """A table with as many rows as fit into ``share`` of what is left, and a count of the others."""
        self.add("", "| " + " | ".join(header) + " |", "|" + "---|" * len(header))
        self._fit(["| " + " | ".join(cells) + " |" for cells in rows], share)
        self.add("")

    def items(self, texts: Iterable[str], *, share: float = 1.0) -> None:
        """A list, cut in the same way."""
        self.add("")
        self._fit([f"- {item}" for item in texts], share)
        self.add("")

    def text(self) -> str:
        """The page."""
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self._lines)) + "\n"

    def _fit(self, lines: list[str], share: float) -> None:
        room = int((self._limit - RESERVE - self._size) * share)
        for index, text in enumerate(lines):
            room -= _bytes(text)
            if room < 0:
                left = len(lines) - index
                # An empty line ends the table, or this would become a row of it.
                self.add("", trn("… {count} more", "… {count} more", left))
                return
            self.add(text)


def prose(text: object) -> str:
    """A text from outside that stays text: no markup, no HTML, no mention of anybody."""
    flat = _flat(text)
    return "".join(_ENTITIES.get(char, char) for char in _MARKS.sub(r"\\\1", flat))


def code(text: object) -> str:
    """An identifier in code type, whole within a table too."""
    return "`" + (_flat(text).replace("`", "'").replace("|", "\\|") or " ") + "`"


def _flat(text: object) -> str:
    flat = " ".join(REDACTOR(str(text)).split())
    return flat if len(flat) <= CELL else flat[: CELL - 1] + "…"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) + 1
