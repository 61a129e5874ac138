"""What all engines have in common: notes on the target, the names of both ends, and how much log may be kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.protocol import Limits
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

    options: Any
    """What the operator decided: the engine's own dataclass; each has ``limits``."""

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

    def rehearse(self, timeout: float) -> bool:  # noqa: ARG002 - of the port
        """See the port; what is moved online is copied before the pause."""
        return False

    def uncarried(self) -> frozenset[str]:
        """See the port."""
        return frozenset()

    def allowed(self) -> int | None:
        """See the port."""
        limits: Limits = self.mover.options.limits
        return limits.retained

    def allow(self, limit: int) -> None:
        """See the port."""
        options = self.mover.options
        self.mover.options = replace(options, limits=replace(options.limits, retained=limit))

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
