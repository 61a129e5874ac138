"""Commands of movers elsewhere, however they get there: files lie there, and are spoken of by the paths of here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.migration.movers.bringing import bring
from govhub.migration.movers.frames import Heard
from govhub.migration.movers.packing import WORK, Packing, Routes
from govhub.migration.movers.runner import Command, Done, FileFacts


@dataclass(frozen=True, slots=True)
class Load:
    """What a mover has to do."""

    running: int
    """Commands that run there now."""
    places: int
    """Moves that have a place there."""
    here: bool
    """Whether this move has one."""
    free: int | None
    """Bytes; None where nobody can say."""


class FarRunner(ABC):
    """Runs commands in one place elsewhere; see :class:`govhub.migration.movers.runner.Runner`."""

    def __init__(self, local: Path, routes: Routes) -> None:
        """Nothing is contacted yet.

        Args:
            local: The folder of this machine that stands for the place.
            routes: How the servers are reached from there.
        """
        self._packing = Packing(local, routes)

    @property
    @abstractmethod
    def where(self) -> str:
        """See the protocol."""

    @abstractmethod
    def look(self) -> Load:
        """What the mover has to do.

        Raises:
            GovhubError: it does not answer, or cannot run commands.
        """

    @abstractmethod
    def claim(self) -> None:
        """Make the place, and end what an earlier session left running in it.

        Raises:
            GovhubError: the mover does not answer, or cannot run commands.
        """

    @abstractmethod
    def run(self, command: Command) -> Done:
        """See the protocol; a time-out is code 124."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held."""

    @abstractmethod
    def _serve(self, operation: str, more: Mapping[str, Any], given: bytes = b"") -> Heard:
        """Have the agent there do one thing, with a result.

        Raises:
            GovhubError: nobody can say what became of it, or the mover is not reached.
        """

    def folder(self, name: str) -> Path:
        """The folder here; the one there is made when a command speaks of it."""
        path = self._packing.local / WORK / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def forget(self, name: str) -> None:
        """Remove both."""
        self._packing.forget(name)
        self.remove(self._packing.local / WORK / name)

    def fresh(self, path: Path) -> None:
        """See the protocol."""
        self._ask("fresh", path=self._packing.relative(path))

    def facts(self, path: Path) -> FileFacts | None:
        """See the protocol."""
        found = self._ask("facts", path=self._packing.relative(path))
        return FileFacts(**found) if found else None

    def keep(self, path: Path, new: Path) -> None:
        """See the protocol."""
        self._ask("keep", path=self._packing.relative(path), new=self._packing.relative(new))

    def brought(self, path: Path) -> Path:
        """See the protocol."""
        return bring(self.run, path, self._packing.here(path))

    def remove(self, path: Path) -> None:
        """See the protocol."""
        self._ask("remove", path=self._packing.relative(path))

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """See the protocol."""
        found = self._ask("matching", path=self._packing.relative(folder / pattern))
        return [self._packing.local / path for path in found["paths"]]

    def _ask(self, operation: str, **more: str) -> dict[str, Any]:
        heard = self._serve(operation, more)
        assert heard.result is not None
        return heard.result


def done_of(heard: Heard) -> Done:
    """What a command that was run to its end said."""
    assert heard.result is not None
    return Done(heard.result["code"], bytes(heard.output), heard.errors.decode(errors="replace"))
