"""A runner that is chosen when it is first needed: a look at the files of a hub contacts nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from govhub.migration.movers.runner import Command, Done, FileFacts, Runner


class ClosingRunner(Runner, Protocol):
    """A runner that holds a connection."""

    def close(self) -> None:
        """Let go of it; it is opened again when it is needed."""


class LateRunner:
    """See :class:`govhub.migration.movers.runner.Runner`."""

    def __init__(self, choose: Callable[[], ClosingRunner]) -> None:
        self._choose = choose
        self._chosen: ClosingRunner | None = None
        self._lock = threading.Lock()

    @property
    def chosen(self) -> ClosingRunner:
        """The runner behind it.

        Raises:
            GovhubError: none can be had now.
        """
        with self._lock:
            if self._chosen is None:
                self._chosen = self._choose()
            return self._chosen

    @property
    def where(self) -> str:
        """See the protocol."""
        return self.chosen.where

    def run(self, command: Command) -> Done:
        """See the protocol."""
        return self.chosen.run(command)

    def folder(self, name: str) -> Path:
        """See the protocol."""
        return self.chosen.folder(name)

    def forget(self, name: str) -> None:
        """See the protocol."""
        self.chosen.forget(name)

    def fresh(self, path: Path) -> None:
        """See the protocol."""
        self.chosen.fresh(path)

    def facts(self, path: Path) -> FileFacts | None:
        """See the protocol."""
        return self.chosen.facts(path)

    def keep(self, path: Path, new: Path) -> None:
        """See the protocol."""
        self.chosen.keep(path, new)

    def brought(self, path: Path) -> Path:
        """See the protocol."""
        return self.chosen.brought(path)

    def remove(self, path: Path) -> None:
        """See the protocol."""
        self.chosen.remove(path)

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """See the protocol."""
        return self.chosen.matching(folder, pattern)

    def close(self) -> None:
        """Let go of the connection, if there is one."""
        with self._lock:
            if self._chosen is not None:
                self._chosen.close()
