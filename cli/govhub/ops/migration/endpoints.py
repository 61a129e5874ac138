"""Databases of moves that somebody gave as addresses: a private file in the hub's home on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.private import read_private
from govhub.core.settings import hub_home
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.sql.dsn import Dsn, Engine, parse, read_password

FILE = "endpoints.yaml"
SIDES = ("source", "target")
_KEYS = ("address", "password_file", "link_host", "link_port")


def given(hub: str, system: str, move: str, engine: Engine = Engine.POSTGRESQL) -> dict[str, Endpoint]:
    """What the file says of a move: ``source``, ``target``, both or neither.

    Raises:
        InvalidInput: the file or the entry cannot be read (RUN019).
    """
    path = hub_home(hub) / FILE
    if not path.exists():
        return {}
    try:
        entry = (yaml.safe_load(read_private(path, None)) or {}).get(f"{system}/{move}") or {}
        _known(entry, SIDES)
        return {side: _end(entry[side], engine) for side in SIDES if side in entry}
    except (GovhubError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput.one(
            "RUN019",
            f'{path} does not say where "{move}" of {system} is moved from and to',
            detail=str(error)[:300],
            hint=f"{system}/{move}: {{source: {{address: {engine}://…, password_file: …}}, target: {{…}}}}",
        ) from error


def _end(entry: dict[str, Any], engine: Engine) -> Endpoint:
    _known(entry, _KEYS)
    file = entry.get("password_file")
    dsn: Dsn = parse(entry["address"], read_password("", Path(file) if file else None))
    if dsn.engine is not engine:
        raise ValueError(f"the move is of {engine}, the address of {dsn.engine}")
    port = entry.get("link_port")
    # libpq takes the folder of a socket for a host; MariaDB's clients want the socket itself, beside a name.
    folder = dsn.options.get("socket") if engine is Engine.POSTGRESQL else None
    return Endpoint(
        host=folder or dsn.host,
        port=dsn.port,
        database=dsn.database,
        user=dsn.user,
        password=dsn.password if dsn.password.reveal() else None,
        link_host=entry.get("link_host"),
        link_port=int(port) if port is not None else None,
        options=tuple((name, value) for name, value in dsn.options.items() if not (folder and name == "socket")),
    )


def _known(entry: dict[str, Any], keys: Iterable[str]) -> None:
    if unknown := sorted(set(entry) - set(keys)):
        raise ValueError(f"unknown: {', '.join(unknown)}")
