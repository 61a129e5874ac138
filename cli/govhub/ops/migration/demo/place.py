"""Where the story of a migration plays: a hub of its own in a home of its own, real hosts, and people with keys.

Nothing of the user's hubs, state or settings is read or touched, and nothing stays.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder
from govhub.core.settings import Env, content, settings_of
from govhub.inventory.model.migration import Party
from govhub.lab.hosts.base import require_root
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.hosts.machine import make_key
from govhub.lab.hosts.sources import Content, OldServer
from govhub.ops.labhosts import boot_hosts
from govhub.ops.load import valid_hub
from govhub.ops.migration.approve import Approve, approve
from govhub.ops.migration.run import RunSystems, run_systems
from govhub.ops.requests import RunRequest, RunResult, Selection
from govhub.ops.up import up

HUB = "migration-demo"
OLD, NEW = "old-edu-1", "db1"
OPERATOR = "demo-operator"
PEOPLE = {"chen": Party.DEPARTMENT, "zhao": Party.AUTHORITY, "qian": Party.PROVIDER}
TRIAL_SECONDS = 5
_INSTALLED = ("postgresql-15", "postgresql-client-15", "python3-psycopg2")
_DEPARTMENT = "education"
_DAY = 86400
_AT_ONCE = 45.0
"""Seconds for which runs are looked at again: approvals, which take people, are looked at once a minute."""


@dataclass(frozen=True, slots=True)
class Played:
    """A system of the story: its database, and its application as a unit of the same name."""

    system: str
    name: str
    port: int


SYSTEMS = (Played("school-enrolment", "enrol", 8080), Played("open-days", "days", 8081))


@dataclass(frozen=True, slots=True)
class Place:
    """Everything is under ``folder``."""

    folder: Path

    @property
    def hub(self) -> Path:
        """The hub's folder."""
        return self.folder / "inventories" / HUB

    @property
    def fleet(self) -> Fleet:
        """The lab's hosts."""
        return Fleet(HUB)

    @property
    def old(self) -> OldServer:
        """The department's server."""
        return OldServer(self.fleet.machines()[OLD])

    @property
    def new(self) -> OldServer:
        """The database host; what is asked of it is asked as of any server of PostgreSQL."""
        return OldServer(self.fleet.machines()[NEW])

    def make(self, trial_seconds: float) -> None:
        """Copy the hub's files, and make the keys of those who say go."""
        shutil.copytree(content("lab", "demo", "migration"), self.hub)
        private_folder(self.folder / "keys")
        lines = [f"migration:\n  trial_days: {trial_seconds / _DAY:.9f}\n  approvers:"]
        for name, party in PEOPLE.items():
            make_key(self.key(name), name)
            of = f"tenant: {_DEPARTMENT}, " if party is Party.DEPARTMENT else ""
            public = self.key(name).with_suffix(".pub").read_text(encoding="utf-8").strip()
            lines.append(f"    - {{name: {name}, party: {party}, {of}key: {public}}}")
        (self.hub / "people.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")

    def key(self, name: str) -> Path:
        """The private key of one of the people."""
        return self.folder / "keys" / name

    def boot(self, progress: Callable[[str], None]) -> list[dict[str, Any]]:
        """Boot the hosts."""
        hub, _ = valid_hub(str(self.hub))
        return boot_hosts(hub, 0, progress)

    def fill(self, rows: int = 500, per_second: float = 20) -> None:
        """What the department's administrator has on the server, prepared for logical replication; it is written to."""
        self.old.install(packages=_INSTALLED)
        for played in SYSTEMS:
            self.old.postgresql(played.name, Content(rows=rows), logical=True)
            self.old.application(played.name, "postgresql", played.name, port=played.port, per_second=per_second)

    def up(self) -> RunResult:
        """Bring the database host to its declared state, by the shipped roles."""
        return up(RunRequest(hub=str(self.hub), selection=Selection(layers=("hosts",)), wait=0))

    def run(self, *systems: str, itinerary: str = "", wait: float = _AT_ONCE) -> dict[str, dict[str, Any]]:
        """``migrate run``, as far as it goes without people; what became of each system."""
        request = RunSystems(hub=str(self.hub), systems=systems, itinerary=itinerary, wait=wait)
        return {item["system"]: item for item in run_systems(request)["systems"]}

    def everybody_approves(self, system: str) -> None:
        """Three parties say go."""
        for name, party in PEOPLE.items():
            approve(Approve(hub=str(self.hub), system=system, party=party, name=name, key=self.key(name)))

    def lost(self, server: OldServer, played: Played) -> list[str]:
        """Entries that the application has acknowledged and ``server`` does not have."""
        acknowledged = self.old.acknowledged(played.name)
        there = server.entries("postgresql", played.name)
        return sorted(entry for entry, number in acknowledged.items() if there.get(entry) != number)


@contextmanager
def place(folder: Path, *, trial_seconds: float = TRIAL_SECONDS) -> Iterator[Place]:
    """A place that is made anew, and taken down at the end, whatever happens in between.

    What a killed one left there is taken down first.

    Raises:
        ToolMissing: not root.
    """
    require_root()
    made = Place(folder)
    with _surroundings(folder):
        made.fleet.down()
        shutil.rmtree(folder, ignore_errors=True)
        private_folder(folder)
        try:
            made.make(trial_seconds)
            yield made
        finally:
            made.fleet.down()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _surroundings(folder: Path) -> Iterator[None]:
    """Settings of this process that lead to the place; those of the user's file do not count."""
    home = folder / "home"
    own = {
        Env.HOME: str(home),
        Env.STATE: str(home / "state"),
        Env.DATABASE: str(home / "record.db"),
        Env.ACTOR: OPERATOR,
    }
    with settings_of(own):
        yield


def unexpected(what: str, detail: str) -> GovhubError:
    """The story went otherwise than it is told."""
    hint = "the lab is taken down; run it again with --verbose, and report it when it stays"
    return GovhubError.one("DEM001", f"the demonstration stopped: {what}", detail=detail[:500], hint=hint)
