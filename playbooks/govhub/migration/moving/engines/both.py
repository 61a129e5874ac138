"""What all engines have in common: notes on the target, and the names of both ends."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.moving.engines.port import End


class Notes(Protocol):
    """What a mover keeps on the target."""

    def get(self, key: str) -> Any:
        """What was kept; None when nothing was."""

    def keep(self, key: str, value: Any) -> Any:
        """Keep it unless something is kept."""

    def drop(self, key: str) -> None:
        """Forget it."""


class Ended(Protocol):
    """A server of a move."""

    endpoint: Endpoint


class Carrier(Protocol):
    """What movers of databases have beside :class:`govhub.migration.movers.protocol.Mover`."""

    @property
    def registry(self) -> Notes:
        """Notes on the target."""

    @property
    def source(self) -> Ended:
        """Where the database comes from."""

    @property
    def target(self) -> Ended:
        """Where it goes."""

    def begun(self) -> bool:
        """Whether anything of the move is on the target."""

    def close(self) -> None:
        """Let go of the connections."""


M = TypeVar("M", bound=Carrier)


class Both(Generic[M]):
    """A part of :class:`govhub.migration.moving.engines.port.DatabaseMove`."""

    mover: M
    offline: bool = False

    def rehearse(self, timeout: float) -> None:
        """See the port."""
        raise NotImplementedError(f"it is moved online, within {timeout} s or not")

    def uncarried(self) -> frozenset[str]:
        """See the port."""
        return frozenset()

    def begun(self) -> bool:
        """See the port."""
        return self.mover.begun()

    def noted(self, key: str) -> Any:
        """See the port."""
        return self.mover.registry.get(key)

    def note(self, key: str, value: Any) -> None:
        """See the port."""
        self.mover.registry.keep(key, value)

    def forget(self, key: str) -> None:
        """See the port."""
        self.mover.registry.drop(key)

    def name(self, end: End) -> str:
        """See the port."""
        return str((self.mover.source if end is End.SOURCE else self.mover.target).endpoint)

    def close(self) -> None:
        """See the port."""
        self.mover.close()
