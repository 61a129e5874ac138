"""A hub whose system has a database on a real old server and moves to a real new one, with people who write to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from govhub.inventory.loader import Hub
from govhub.lab.postgres import PASSWORD, Server
from govhub.migration.itinerary.outcome import Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.ops.migration.plugged import steps_of
from govhub.ops.migration.records import opened
from migration.city import PEOPLE, SYSTEM, City
from migration.movers.writers import TABLES, Writers

DATABASE = "enrolment"
RULES = "{trial}\n  write_pause_seconds: {pause}"


@dataclass
class Town:
    """The hub, both servers, and the address with which its application reaches whichever takes writes."""

    city: City
    source: Server
    target: Server

    @property
    def address(self) -> str:
        """Both servers, as libpq and drivers built on it take them; the first one that can be written to is used."""
        ports = f"{self.source.port},{self.target.port}"
        return (
            f"host=127.0.0.1,127.0.0.1 port={ports} dbname={DATABASE} user=app password=app-password "
            "target_session_attrs=read-write connect_timeout=5"
        )

    @property
    def old(self) -> str:
        return self.source.address(DATABASE)

    @property
    def new(self) -> str:
        return self.target.address(DATABASE)

    def begin(self, trial: float = 0, pause: float = 60) -> None:
        """Fill the old server, declare the move, and say where both databases are."""
        for server in (self.source, self.target):
            server.query("postgres", f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        self.source.database(DATABASE)
        self.source.query("postgres", "DROP ROLE IF EXISTS app")
        self.source.query("postgres", "CREATE ROLE app LOGIN PASSWORD 'app-password'")
        grants = "GRANT ALL ON ALL TABLES IN SCHEMA public TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app"
        for statement in (*TABLES, grants):
            self.source.query(DATABASE, statement)
        self.declare(trial=trial, pause=pause)
        word = Path(os.environ["GOVHUB_HOME"]) / "password"
        word.parent.mkdir(parents=True, exist_ok=True)
        word.write_text(PASSWORD + "\n")
        word.chmod(0o600)
        sides = "".join(
            f"  {side}: {{address: 'postgresql://govhub@127.0.0.1:{server.port}/{DATABASE}', password_file: {word}}}\n"
            for side, server in (("source", self.source), ("target", self.target))
        )
        file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{SYSTEM}/register:\n{sides}")
        file.chmod(0o600)

    def declare(self, *, trial: float, pause: float, files: bool = False, rules: str = "", extra: str = "") -> None:
        """Write the hub's section on migration; ``rules`` and ``extra`` are lines for all systems, and for this one."""
        people = "".join(
            f"    - {{name: {name}, party: {party}, {of}key: {self.city.public(name)}}}\n"
            for name, (party, tenant) in PEOPLE.items()
            for of in (f"tenant: {tenant}, " if tenant else "",)
        )
        papers = f"      - {{name: papers, kind: files, source: old-server, path: {self.city.source}, "
        text = (
            f"migration:\n  trial_days: {trial}\n  write_pause_seconds: {pause}\n"
            + (f"  {rules}\n" if rules else "")
            + f"  approvers:\n{people}"
            "sources:\n  - {name: old-server, tenant: education, address: localhost}\n"
            f"migrations:\n  - system: {SYSTEM}\n"
            + (f"    {extra}\n" if extra else "")
            + "    window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}\n"
            "    moves:\n"
            f"      - {{name: register, kind: postgresql, source: old-server, database: {DATABASE}}}\n"
            + (f"{papers}to_path: {self.city.target}}}\n" if files else "")
        )
        (self.city.hub / "migration.yaml").write_text(text, encoding="utf-8")

    def writers(self, **more: Any) -> Writers:
        return Writers(self.address, **{"count": 3, "rate": 200, **more})

    def run(self, itinerary: str = "", wait: float = 60, **more: Any) -> dict[str, Any]:
        """``migrate run`` until something else than time is waited for."""
        found = self.city.run(itinerary, wait=0, **more)
        while found["state"] == "waiting" and found["look_again_in"] <= 5 and wait > 0:
            found, wait = self.city.run(wait=2, **more), wait - 2
        return found

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The data of the record's events of one kind."""
        with opened("mini", clock=self.city.clock) as record:
            return [item.data for item in record.events(SYSTEM) if item.kind == kind]


def past_the_freeze(address: str, statement: str) -> None:
    """As a superuser could who knows how."""
    with psycopg.connect(address, autocommit=True, options="-c default_transaction_read_only=off") as connection:
        connection.execute(statement.encode())


def count(address: str) -> int:
    with psycopg.connect(address, options="-c default_transaction_read_only=off") as connection:
        found = connection.execute("SELECT count(*) FROM written").fetchone()
    assert found is not None
    return int(found[0])


@dataclass
class Meanwhile:
    """The real steps; at the beginning of some phases something else happens, once."""

    steps: Steps
    happens: dict[str, Callable[[], object]]
    """By phase; emptied when it has happened: workers that come later share it."""

    def ensure(self, step: Step, context: Context) -> Outcome:
        self._now(context)
        return self.steps.ensure(step, context)

    def look(self, step: Step, context: Context) -> Outcome:
        self._now(context)
        return self.steps.look(step, context)

    def close(self) -> None:
        self.steps.close()  # type: ignore[attr-defined]

    def _now(self, context: Context) -> None:
        if context.phase in self.happens:
            self.happens.pop(context.phase)()


def at(**happens: Callable[[], object]) -> Callable[[Hub, str], Steps]:
    """Steps for a run in which something happens at the beginning of phases, which are the names of arguments."""
    left = dict(happens)
    return lambda hub, system: Meanwhile(steps_of(hub, system), left)
