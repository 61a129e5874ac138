"""The real story: an old server's systems move over SSH to a database host that our roles brought up, and one returns.

Real hosts, sshd, PostgreSQL, systemd units and a web application that writes all the time; nothing is stood in for.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govhub.core.keys import HubKey
from govhub.core.settings import home
from govhub.inventory.moves import account_of
from govhub.ops.drift import drift
from govhub.ops.hostaudit import hosts_audit
from govhub.ops.hostread import SweepRequest
from govhub.ops.migration.demo.place import HUB, NEW, OLD, SYSTEMS, Place, Played, place
from govhub.ops.migration.leading import KEPT
from govhub.ops.plan import make_plan
from govhub.ops.requests import PlanRequest, Selection
from hosts.conftest import root

pytestmark = pytest.mark.postgres
__all__ = ["root"]
ENROL, DAYS = SYSTEMS
WORKER = Path(__file__).with_name("worker.py")
APPROVAL, ACCEPTANCE = "WaitForCutoverApproval", "WaitForAcceptance"


@pytest.fixture(scope="module")
def there(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Booted, filled, written to; the database host is in its declared state."""
    with place(tmp_path_factory.mktemp("story") / "place", trial_seconds=0) as made:
        made.boot(print)
        made.fill()
        result = made.up()
        assert (result.status, result.problems) == ("done", [])
        yield made


def changes(there: Place) -> dict[str, str]:
    """What `up` would do to hosts."""
    request = PlanRequest(hub=str(there.hub), selection=Selection(layers=("hosts",)))
    return {change.address: change.op.value for change in make_plan(request).plan.changes}


def come_to(there: Place, played: Played, phase: str | None, itinerary: str = "", wait: float = 60) -> dict[str, Any]:
    found = there.run(played.system, itinerary=itinerary, wait=wait)[played.system]
    assert (found["state"], found["phase"]) == ("waiting" if phase else "done", phase), found
    return found


def killed(there: Place, played: Played, itinerary: str, phase: str, number: int) -> bool:
    """One worker in a process of its own; whether it met its end."""
    words = [there.hub, played.system, itinerary, phase, number, datetime.now(UTC).isoformat()]
    done = subprocess.run(
        [sys.executable, str(WORKER), *map(str, words)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-2000:]
    return done.returncode == -signal.SIGKILL


def settings(there: Place, played: Played) -> str:
    return there.old.run(f"grep -h -E '^DB_(HOST|PORT)=' /etc/{played.name}.env")


def writes(there: Place, played: Played) -> bool:
    """Whether the application writes now."""
    before = len(there.old.acknowledged(played.name))
    time.sleep(1)
    return len(there.old.acknowledged(played.name)) > before


def accounts(there: Place, played: Played) -> str:
    """The move's account on both servers."""
    name = account_of(HUB, played.system, "db")
    statement = f"SELECT count(*) FROM pg_roles WHERE rolname = '{name}'"
    return there.old.psql(statement) + there.new.psql(statement)


def test_the_host_is_open_to_what_was_declared_and_audited_as_such(there: Place) -> None:
    assert changes(there) == {}
    audit = hosts_audit(SweepRequest(hub=str(there.hub)))
    checks = {item["check"]: item for item in audit["hosts"][NEW]["results"]}
    for name in ("ssh-forwarding", "firewall"):
        assert checks[name]["result"] == "passed", checks[name]
    key = there.fleet.key
    login = ["ssh", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-N"]
    # Nothing but the database's port is led out.
    for port, refused in ((5432, False), (22, True)):
        words = [*login, "-o", "BatchMode=yes", "-W", f"127.0.0.1:{port}", f"govhub@{there.new.machine.address}"]
        words.remove("-N")
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        assert ("administratively prohibited" in done.stderr) is refused, (port, done.stderr)


def test_settings_that_cannot_be_led_are_found_before_anything_is_touched(there: Place) -> None:
    path = there.hub / "migrations.yaml"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("host: DB_HOST", "host: DATABASE_HOST"), encoding="utf-8")
        found = there.run(ENROL.system, itinerary="migrate")[ENROL.system]
        assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
        assert "[RUN030] /etc/enrol.env on old-edu-1 sets DATABASE_HOST nowhere" in found["reason"]
        assert accounts(there, ENROL) == "00"
    finally:
        path.write_text(text, encoding="utf-8")


def test_a_system_moves_and_its_source_retires_although_the_worker_is_killed_while_it_switches(there: Place) -> None:
    come_to(there, ENROL, APPROVAL, "migrate")
    assert settings(there, ENROL) == "DB_HOST=127.0.0.1\nDB_PORT=5432"
    there.everybody_approves(ENROL.system)
    assert killed(there, ENROL, "", "EnsureSwitched", 14)
    come_to(there, ENROL, ACCEPTANCE)
    assert settings(there, ENROL) == f"DB_HOST={there.new.machine.address}\nDB_PORT=5432"
    assert writes(there, ENROL)
    assert there.lost(there.new, ENROL) == []
    # Over TLS, and with nobody but the application and the move on the new server.
    seen = there.new.psql(
        "SELECT DISTINCT usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) "
        "WHERE datname = 'enrol' AND client_addr <> '127.0.0.1' AND usename = 'app'"
    )
    assert seen == "app|t"

    there.everybody_approves(ENROL.system)
    come_to(there, ENROL, None)
    come_to(there, ENROL, "WaitForRetirementApproval", "retire")
    there.everybody_approves(ENROL.system)
    come_to(there, ENROL, None)
    assert there.old.psql("SELECT count(*) FROM pg_database WHERE datname = 'enrol'") == "0"
    assert accounts(there, ENROL) == "00"
    assert there.old.run(f"ls /etc/enrol.env{KEPT} 2>/dev/null || true") == ""
    assert writes(there, ENROL)
    assert there.lost(there.new, ENROL) == []
    word = HubKey.of(HUB).generate(f"migrations/{ENROL.system}/db/{OLD}", 1, 32).reveal()
    # Not the hosts' own trees, which lie beside: servers keep the password of a link where only they read it.
    ours = [str(home() / name) for name in ("hubs", "record.db")]
    everything = subprocess.run(["grep", "-rlF", word, *ours], capture_output=True, check=False)
    assert everything.stdout == b"", "the password stands in a file of ours"


def test_a_system_that_is_rolled_back_after_its_cutover_keeps_what_users_wrote_meanwhile(there: Place) -> None:
    come_to(there, DAYS, APPROVAL, "migrate")
    there.everybody_approves(DAYS.system)
    come_to(there, DAYS, ACCEPTANCE)
    switched = time.time()
    time.sleep(2)
    written = {entry for entry, moment in there.old.moments(DAYS.name).items() if moment > switched}
    assert len(written) > 5
    assert written <= set(there.new.entries("postgresql", DAYS.name))
    come_to(there, DAYS, None, "roll-back")
    assert settings(there, DAYS) == "DB_HOST=127.0.0.1\nDB_PORT=5432"
    assert writes(there, DAYS)
    assert written <= set(there.old.entries("postgresql", DAYS.name))
    assert there.lost(there.old, DAYS) == []
    assert there.old.psql("SELECT count(*) FROM pg_replication_slots") == "0"
    assert there.new.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", DAYS.name) == "0"


def test_what_has_moved_is_no_drift_of_the_host(there: Place) -> None:
    found = drift(str(there.hub))
    assert [(item.host, item.changed, item.why) for item in found.hosts] == []
    assert found.compared >= 1
    assert writes(there, ENROL)
    assert there.lost(there.new, ENROL) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phase", "number"),
    [
        ("EnsureApplication", 2),
        ("EnsureTarget", 20),
        ("EnsureDatabaseCopy", 12),
        ("EnsureWritesStopped", 2),
        ("EnsureWritesStopped", 6),
        ("EnsureFinalVerification", 2),
        ("EnsureSwitched", 5),
        ("EnsureSwitched", 24),
        ("EnsureReverseReplication", 6),
        ("EnsureTargetWritesStopped", 3),
        ("EnsureSwitchedBack", 8),
        ("EnsureWritesAllowed", 2),
        ("EnsureWritesAllowed", 3),
        ("EnsureReplicationRemoved", 8),
    ],
)
def test_a_worker_that_is_killed_is_followed_by_one_that_finishes(there: Place, phase: str, number: int) -> None:
    met = False
    for begin, goal in (("migrate", APPROVAL), ("", ACCEPTANCE), ("roll-back", None)):
        if not met and killed(there, DAYS, begin, phase, number):
            met = True
            come_to(there, DAYS, goal)
        elif met or goal is not None:
            come_to(there, DAYS, goal, begin if met else "")
        if goal == APPROVAL:
            there.everybody_approves(DAYS.system)
    assert met, "the point was never met"
    assert settings(there, DAYS) == "DB_HOST=127.0.0.1\nDB_PORT=5432"
    assert writes(there, DAYS)
    assert there.lost(there.old, DAYS) == []
    assert there.old.psql("SELECT count(*) FROM pg_replication_slots") == "0"
