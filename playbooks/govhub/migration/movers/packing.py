"""Commands as they are sent to where they run: paths, addresses and tools of this machine mean nothing there."""

from __future__ import annotations

import base64
import importlib.util
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from govhub.migration.movers.runner import Command

WORK = "work"
"""Under the place: folders for passing files."""
_BROUGHT = "brought"
Address = tuple[str, int]
Routes = Callable[[], Mapping[Address, Address]]
"""Addresses of servers as this machine reaches them, to those at which others do."""
_OPTION_FILE = re.compile(
    r"^#?host=(?P<host>.*)\n#?port=(?P<port>[0-9]+)\nprotocol=(tcp|socket\nsocket=.*)$", re.MULTILINE
)
"""Of MariaDB's tools, as :meth:`govhub.migration.movers.mariadb.server.Server.command` writes it."""


def nowhere() -> Mapping[Address, Address]:
    """Routes of a move whose servers are reached alike from everywhere."""
    return {}


class Packing:
    """One place here, which stands for one over there."""

    def __init__(self, local: Path, routes: Routes = nowhere) -> None:
        """Nothing is sent yet.

        Args:
            local: A folder of this machine; whatever lies under it lies under the other place, with the same name.
            routes: How the servers are reached from there.
        """
        self.local, self._routes = local, routes

    def relative(self, path: Path) -> str:
        """A path, as seen from the place.

        Raises:
            ValueError: it lies elsewhere.
        """
        return path.relative_to(self.local).as_posix()

    def here(self, path: Path) -> Path:
        """Where a file of over there is put here: apart from what is sent with commands."""
        return self.local / _BROUGHT / path.relative_to(self.local / WORK)

    def forget(self, name: str) -> None:
        """Remove what lies here of a folder for passing files."""
        for top in (WORK, _BROUGHT):
            shutil.rmtree(self.local / top / name, ignore_errors=True)

    def chain(self, command: Command, place: str) -> list[dict[str, Any]]:
        """A command and what reads its output; secrets are in clear, so this belongs into pipes alone.

        Args:
            command: The first one.
            place: The folder there that stands for the local one.
        """
        out = []
        item: Command | None = command
        while item is not None:
            words = [word.replace(str(self.local), place) for word in _portable(item.arguments)]
            environment = self._routed(dict(item.environment))
            environment |= {name: secret.reveal() for name, secret in item.secrets.items()}
            out.append({"arguments": words, "environment": environment})
            item = item.then
        return out

    def files(self, command: Command) -> tuple[list[str], dict[str, str]]:
        """Folders that a command speaks of, and what the controller wrote into them, as base64."""
        words: list[str] = []
        item: Command | None = command
        while item is not None:
            words += item.arguments
            item = item.then
        work = self.local / WORK
        named = [path for path in sorted(work.glob("*")) if any(f"{path}/" in f"{word}/" for word in words)]
        found = {
            self.relative(path): base64.b64encode(self._rerouted(path)).decode()
            for folder in named
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        return [self.relative(path) for path in named], found

    def servers(self, command: Command) -> set[Address]:
        """Servers that a command speaks with, as they are reached from there; folders of sockets are none."""
        found: set[Address] = set()
        item: Command | None = command
        while item is not None:
            environment = self._routed(dict(item.environment))
            if "PGHOST" in environment:
                found.add((environment["PGHOST"], int(environment.get("PGPORT", "5432"))))
            item = item.then
        for content in self.files(command)[1].values():
            text = base64.b64decode(content).decode(errors="replace")
            found |= {(match["host"], int(match["port"])) for match in _OPTION_FILE.finditer(text)}
        return {address for address in found if not address[0].startswith("/")}

    def _routed(self, environment: dict[str, str]) -> dict[str, str]:
        # Routes are asked for by commands that speak with a server alone: both ends are opened for them.
        if "PGHOST" not in environment:
            return environment
        key = (environment["PGHOST"], int(environment.get("PGPORT", "5432")))
        host, port = self._routes().get(key, key)
        return environment | {"PGHOST": host, "PGPORT": str(port)}

    def _rerouted(self, path: Path) -> bytes:
        content = path.read_bytes()
        if path.suffix != ".cnf":
            return content
        routes = self._routes()

        def other(match: re.Match[str]) -> str:
            key = (match["host"], int(match["port"]))
            host, port = routes.get(key, key)
            return f"host={host}\nport={port}\nprotocol=tcp"

        return _OPTION_FILE.sub(other, content.decode()).encode()


def _portable(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Modules of govhub go along as text: it is not installed there."""
    if arguments[0] != sys.executable or arguments[1:2] != ("-m",):
        return arguments
    found = importlib.util.find_spec(arguments[2])
    assert found is not None
    assert found.origin is not None
    return ("python3", "-c", Path(found.origin).read_text(encoding="utf-8"), *arguments[3:])


def agent() -> bytes:
    """The text of what serves commands there."""
    found = importlib.util.find_spec("govhub.migration.movers.agent")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).read_bytes()
