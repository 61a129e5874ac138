"""What is assessed: a hub, and what its sources were found to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from govhub.core.quantities import bytes_of
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.inventory.model.tenancy import System
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import FoundDatabase, FoundServer, SourceFacts


@dataclass(frozen=True)
class Portfolio:
    """A hub with the facts of the sources that could be read."""

    hub: Hub
    facts: Mapping[str, SourceFacts] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Where sources are reached, by name, beside the addresses that the hub declares."""

    @cached_property
    def systems(self) -> dict[str, System]:
        """The hub's systems by name."""
        return {item.name: item for item in self.hub.model.systems}

    @cached_property
    def migrations(self) -> dict[str, Migration]:
        """Migrations by their system."""
        return {item.system: item for item in self.hub.model.migrations}

    @cached_property
    def on_source(self) -> dict[str, list[tuple[Migration, Move]]]:
        """What is declared to move from each source."""
        found: dict[str, list[tuple[Migration, Move]]] = {item.name: [] for item in self.hub.model.sources}
        for migration in self.hub.model.migrations:
            for move in migration.moves:
                found.setdefault(move.source, []).append((migration, move))
        return found

    def part(self, migration: Migration, move: Move) -> Part:
        """One move with what was found of it."""
        return Part(self, migration, move, self.facts.get(move.source))


@dataclass(frozen=True)
class Part:
    """One move of a system, and the facts of its source; None when that was not read."""

    portfolio: Portfolio
    migration: Migration
    move: Move
    facts: SourceFacts | None

    @property
    def port(self) -> int | None:
        """Where the server listens, as declared or usual."""
        usual = {MoveKind.POSTGRESQL: 5432, MoveKind.MARIADB: 3306}
        return self.move.port or usual.get(self.move.kind)

    @property
    def server(self) -> FoundServer | None:
        """The database server that the move is from."""
        if not self.facts or not self.move.kind.is_database:
            return None
        # Every MySQL is meant by mariadb until somebody looks.
        family = ("mariadb", "mysql") if self.move.kind is MoveKind.MARIADB else ("postgresql",)
        own = [item for item in self.facts.servers or () if item.engine in family]
        exact = [item for item in own if item.port == self.port]
        return exact[0] if exact else own[0] if len(own) == 1 and self.move.port is None else None

    @property
    def database(self) -> FoundDatabase | None:
        """The database that moves."""
        listed = self.server.databases or () if self.server else ()
        return next((item for item in listed if item.name == self.move.database), None)

    @property
    def declared_size(self) -> int | None:
        """Bytes as people wrote them down."""
        return bytes_of(self.move.size) if self.move.size else None

    @property
    def found_size(self) -> int | None:
        """Bytes as they are; None when they are not known."""
        if self.move.kind.is_database:
            return self.database.size if self.database else None
        if self.move.kind is MoveKind.FILES and self.facts and self.move.path:
            folder = self.facts.folders.get(self.move.path)
            return folder.size if folder else None
        return None

    @property
    def size(self) -> int | None:
        """What is counted with: what was found, else what was declared."""
        if self.move.kind is MoveKind.APPLICATION:
            return 0
        found = self.found_size
        return self.declared_size if found is None else found

    def say(self, code: str, weight: Weight, summary: str, evidence: str, way_out: str) -> Finding:
        """A finding about this move."""
        return Finding(
            code=code,
            weight=weight,
            summary=summary,
            evidence=evidence,
            way_out=way_out,
            system=self.migration.system,
            source=self.move.source,
            move=self.move.name,
        )
