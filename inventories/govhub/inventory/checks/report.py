"""What the checks write to: it turns a path in the model into an address and a position."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from govhub.core.diagnostics import Diagnostics
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.topology import Path

# Comparing words is slow; who gets this many wrong has a problem that spelling hints do not solve.
MAX_SPELLING_HINTS = 50


class Report:
    """The hub under check and the problems found so far."""

    def __init__(self, hub: Hub, today: date) -> None:
        self.hub = hub
        self.model = hub.model
        self.today = today
        self.index = Index(hub.model)
        self.found = Diagnostics()
        self._hints = 0

    def error(self, code: str, path: Path, summary: str, *, detail: str = "", hint: str = "") -> None:
        """Collect an error at ``path``."""
        where = {"address": self.address(path), "source": self.hub.at(*path)}
        self.found.error(code, summary, detail=detail, hint=hint, **where)

    def warning(self, code: str, path: Path, summary: str, *, detail: str = "", hint: str = "") -> None:
        """Collect a warning at ``path``."""
        where = {"address": self.address(path), "source": self.hub.at(*path)}
        self.found.warning(code, summary, detail=detail, hint=hint, **where)

    def unknown(self, path: Path, kind: str, name: str, known: Collection[str]) -> None:
        """Collect a reference to something that does not exist (REF001)."""
        self.error("REF001", path, f'there is no {kind} "{name}"', hint=self.suggest(name, kind, known))

    def suggest(self, name: str, kind: str, known: Collection[str]) -> str:
        """The known name that was probably meant, or a listing of what there is."""
        if not known:
            return f"this hub declares no {kind} yet; declare it"
        self._hints += 1
        close = did_you_mean(name, known) if self._hints <= MAX_SPELLING_HINTS else ""
        return close or f"declare it, or use one of: {and_more(sorted(known), 8)}"

    def address(self, path: Path) -> str:
        """``("tenants", 3, "quota")`` as ``tenants.finance.quota``; items without a name keep their position."""
        node: object = self.hub.tree
        words: list[str] = []
        for step in path:
            node = _child(node, step)
            name = node.get("name") if isinstance(node, dict) and isinstance(step, int) else None
            words.append(str(name if name is not None else step))
        return ".".join(words)


def _child(node: object, step: str | int) -> object:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and step < len(node):
        return node[step]
    return None
