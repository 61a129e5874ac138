"""Where the tools of a move run: beside ``migrate run``, or on a mover host of the hub that has the least to do.

A move stays where it was put: its dumps lie there. What a host has to do is asked of the host, and kept nowhere else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.core.errors import GovhubError
from govhub.core.files import private_folder, write_atomic
from govhub.hosts.movers import FOLDER
from govhub.hosts.reach import Reaches, reaches
from govhub.hosts.tunnel import Tunnel
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import MoverPlace
from govhub.migration.movers.afar import FarRunner, Load
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.late import ClosingRunner, LateRunner
from govhub.migration.movers.mariadb.server import Server as MariadbServer
from govhub.migration.movers.packing import Address, nowhere
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.remote import SshRunner
from govhub.migration.movers.runner import HERE, Command, Done, LocalRunner, Runner
from govhub.migration.moving.ends import Access, Ends
from govhub.migration.sql.dsn import Engine
from govhub.ops.load import valid_hub
from govhub.ops.migration.clusters import job_runner

# Two moves that are placed at the same moment would find the same host idle.
_CHOOSING = threading.Lock()
_PATIENCE = 20.0
_CHECK = "reached"
_DOORS = {
    Engine.POSTGRESQL: "listen_addresses, pg_hba.conf (scram-sha-256)",
    Engine.MARIADB: "bind-address, accounts",
}


@dataclass(slots=True)
class FromMover:
    """The ends of a move, and whether its mover reaches them; see :class:`govhub.migration.moving.ends.Access`."""

    access: Access
    runner: LateRunner

    def open(self) -> Ends:
        """See the protocol."""
        return self.access.open()

    def check(self) -> list[Diagnostic]:
        """See the protocol."""
        found = self.access.check()
        if self.runner.where == HERE:
            return found
        ends = self.open()
        tried = (reached_from(self.runner, end, ends.engine) for end in (ends.source, ends.target))
        return found + [item for item in tried if item]

    def release(self) -> dict[str, object]:
        """See the protocol."""
        return self.access.release()

    def close(self) -> None:
        """See the protocol."""
        self.runner.close()
        self.access.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One move that needs a place."""

    hub: Hub
    reached: Reaches
    system: str
    move: str
    archives: Path
    """The folder of the system's archives on this machine."""
    access: Access | None = None
    """Both ends, where they are database servers."""
    files: bool = False
    """Whether a mover has to reach both hosts over SSH by itself."""

    def runner(self) -> LateRunner:
        """Where its tools run; nobody is contacted yet."""
        return LateRunner(self._chosen)

    def _chosen(self) -> ClosingRunner:
        name = self._noted()
        if name is None:
            with _CHOOSING:
                name = self._least_busy()
                if name != HERE:
                    # At once: who is placed next has to see that this one is there.
                    runner = self._on(name)
                    runner.claim()
                    private_folder(self.archives)
                    write_atomic(self._note, json.dumps({"mover": name}))
                    return runner
        return self._on(name) if name != HERE else LocalRunner(self.archives / "work")

    @property
    def _note(self) -> Path:
        return self.archives / f"{self.move}.mover"

    def _noted(self) -> str | None:
        """Where it was put before; None when it is free to go anywhere."""
        archives = [_mover(path) or HERE for path in sorted(self.archives.glob(f"*-{self.move}-*.json"))]
        noted = _mover(self._note) or (archives[-1] if archives else None)
        if noted is None or noted == HERE or noted in {item.name for item in self.hub.model.migration.movers}:
            return noted
        if noted not in archives:
            return None
        raise MoveFailed.one(
            "MOV404",
            f"archives of {self.system}/{self.move} lie on {noted}, which is no mover of {self.hub.name} any more",
            hint="declare it under `migration.movers` again until the system is through; or, when those archives may "
            f"be lost, remove {self._note} and the notes of the archives beside it",
        )

    def _least_busy(self) -> str:
        declared = [
            item
            for item in self.hub.model.migration.movers
            if (not item.systems or self.system in item.systems) and (item.files or not self.files)
        ]
        if not declared:
            return HERE
        with ThreadPoolExecutor(len(declared)) as pool:
            looks = pool.map(lambda item: _look(partial(self._on, item.name)), declared)
            found = {item.name: look for item, look in zip(declared, looks, strict=True)}
        loads = {name: load for name, load in found.items() if isinstance(load, Load)}
        if not loads:
            raise GovhubError(
                [item for error in found.values() if isinstance(error, GovhubError) for item in error.diagnostics]
            )
        # Another worker may have put it there, and gone.
        return next((name for name, load in loads.items() if load.here), "") or least_busy(declared, loads)

    def _on(self, name: str) -> FarRunner:
        mover = next(item for item in self.hub.model.migration.movers if item.name == name)
        place = f"{self.hub.name}/{self.system}/{self.move}"
        if mover.cluster is not None:
            return job_runner(self.hub, mover, place, self.archives, self._routes)
        reach = self.reached.hosts.get(name)
        if reach is None:
            raise MoveFailed.one(
                "MOV405",
                f"the mover host {name} cannot be reached",
                hint="give it an address; in the lab, mark it `lab: true` and boot it",
            )
        return SshRunner(Tunnel(name, reach), FOLDER, place, self.archives, self._routes)

    def _routes(self) -> Mapping[Address, Address]:
        if self.access is None:
            return {}
        ends = self.access.open()
        return {(end.host, end.port): end.link() for end in (ends.source, ends.target)}


def least_busy(movers: list[MoverPlace], loads: Mapping[str, Load]) -> str:
    """The mover with the fewest commands for its slots, then the fewest moves, then the first by name."""
    slots = {item.name: item.slots for item in movers}
    return min(loads, key=lambda name: (loads[name].running / slots[name], loads[name].places / slots[name], name))


def reached_from(runner: Runner, end: Endpoint, engine: Engine = Engine.POSTGRESQL) -> Diagnostic | None:
    """What keeps a mover from a database server; None when nothing does."""
    done = _tried_mariadb(runner, end) if engine is Engine.MARIADB else _tried(runner, end)
    if done.code == 0:
        return None
    found = Diagnostics()
    there, number = end.link()
    found.error(
        "MOV403",
        f"the mover {runner.where} cannot connect to the database server at {there}:{number}",
        detail=done.errors.strip()[-300:],
        hint=f"let {runner.where} in there: {_DOORS[engine]}, firewall; a server that only this machine reaches "
        "cannot be moved from there",
    )
    return next(iter(found))


def _tried(runner: Runner, end: Endpoint) -> Done:
    environment = {"PGHOST": end.host, "PGPORT": str(end.port), "PGUSER": end.user, "PGCONNECT_TIMEOUT": "8"}
    environment |= {f"PG{name.upper()}": value for name, value in end.options}
    secrets = {"PGPASSWORD": end.password} if end.password else {}
    # `postgres` is there on both servers; the database may be made by the move itself.
    words = ("psql", "-X", "-At", "-d", "postgres", "-c", "SELECT 1")
    return runner.run(Command(arguments=words, environment=environment, secrets=secrets, timeout=_PATIENCE))


def _tried_mariadb(runner: Runner, end: Endpoint) -> Done:
    folder = runner.folder(_CHECK)
    try:
        words = ("--connect-timeout=8", "-N", "-B", "-e", "SELECT 1")
        return runner.run(replace(MariadbServer(end).command("mariadb", folder, *words), timeout=_PATIENCE))
    finally:
        runner.forget(_CHECK)


def movers(name: str) -> dict[str, Any]:
    """Every mover host of a hub and what it has to do now; each is asked.

    Raises:
        InvalidInput: the hub is not valid.
    """
    hub, _ = valid_hub(name)
    reached = reaches(hub)
    declared = hub.model.migration.movers
    with ThreadPoolExecutor(max(1, min(len(declared), 16))) as pool:
        rows = list(pool.map(lambda item: _row(hub, item, reached), declared))
    return {"schema": "govhub.migrate-movers/1", "hub": hub.name, "movers": rows}


def _row(hub: Hub, item: MoverPlace, reached: Reaches) -> dict[str, Any]:
    row: dict[str, Any] = {"mover": item.name, "host": item.host, "cluster": item.cluster}
    row |= {"slots": item.slots, "systems": list(item.systems)}
    unknown = dict.fromkeys(("running", "moves", "free_bytes"))
    load: Load | GovhubError
    if item.host is None:
        load = _look(lambda: job_runner(hub, item, "-/-/-", Path("/nowhere"), nowhere))
    elif reach := reached.hosts.get(item.host):
        far = Tunnel(item.host, reach)
        load = _look(lambda: SshRunner(far, FOLDER, "-/-/-", Path("/nowhere"), nowhere))
    else:
        return row | unknown | {"problem": "it has no address, or is not booted in the lab"}
    if isinstance(load, GovhubError):
        return row | unknown | {"problem": load.diagnostics[0].summary}
    return row | {"running": load.running, "moves": load.places, "free_bytes": load.free, "problem": None}


def _look(make: Callable[[], FarRunner]) -> Load | GovhubError:
    try:
        runner = make()
        try:
            return runner.look()
        finally:
            runner.close()
    except GovhubError as error:
        return error


def _mover(path: Path) -> str | None:
    """What a note says; None when there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("mover")
    except (OSError, ValueError, AttributeError):
        return None
    return str(found) if found else None
