"""What a move is called on the servers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from govhub.migration.movers.protocol import Direction

REGISTRY = "govhub_move"


@dataclass(frozen=True, slots=True)
class Names:
    """Deterministic names of one move: publications, slots and subscriptions, by direction and group."""

    move: str

    @property
    def base(self) -> str:
        """A prefix that slots may have too: lower-case letters, digits and underscores, 63 bytes at most."""
        return "govhub_" + re.sub(r"[^a-z0-9_]", "_", self.move.lower())[:40]

    def prefix(self, direction: Direction) -> str:
        """What all names of a direction begin with."""
        return f"{self.base}_{'f' if direction is Direction.FORWARD else 'b'}"

    def group(self, direction: Direction, number: int) -> str:
        """Publication, slot and subscription of one group of tables."""
        return f"{self.prefix(direction)}{number}"

    def like(self, direction: Direction) -> str:
        """A pattern (of regular expressions) of all groups of a direction."""
        return f"^{self.prefix(direction)}[0-9]+$"

    @property
    def passfile(self) -> str:
        """A file in the data directory of the server that connects to the other one."""
        return f"{self.base}.pgpass"
