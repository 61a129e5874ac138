"""Runs whose tools are Jobs on a real node: a whole rehearsal, and a migration whose controller is killed between.

Real hosts, nodes, sshd, PostgreSQL and an application that writes all the time; nothing is stood in for.
Whoever wants one of the tests alone may have it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govhub.core.canonical import digest
from govhub.core.errors import GovhubError
from govhub.core.kube import KINDS, Kube
from govhub.core.settings import home
from govhub.hosts.movers import FOLDER
from govhub.lab.cluster import LabCluster
from govhub.lab.hosts import images
from govhub.lab.hosts.sources import Content
from govhub.migration.movers import manifests
from govhub.migration.movers.jobs import JOB
from govhub.ops.lab import lab_down, lab_up
from govhub.ops.migration.demo.place import HUB, Place, place
from govhub.ops.migration.status import one_system
from govhub.ops.requests import RunRequest
from govhub.ops.up import up
from hosts.conftest import root

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
__all__ = ["root"]
WORKER = Path(__file__).parents[1] / "migration" / "story" / "worker.py"
ENROL, NODE, STORE = "school-enrolment", "data1", "store1"
MOVER = "{cluster: main, pool: data, image: 'registry.demo.gov.internal/lab/mover:15', storage: 1Gi}"
OTHERS = "{host: store1, systems: [yearbooks]}"
YEARBOOKS = """  - {name: yearbooks, title: {zh: 校史图集, en: Yearbooks}, tenant: education, owner: 基础教育科,
     tier: 3, protection_level: 2, workloads: [
       {name: web, image: registry.demo.gov.internal/education/yearbooks:1.0.0, cpu: 100m, memory: 128Mi, port: 8080}]}
"""
BEYOND = """
clusters:
  - name: main
    site: site-a
    zone: extranet
    pools:
      - {name: general, arch: amd64}
      - {name: data, arch: amd64, taints: [{key: govhub.io/pool, value: data}]}

hosts:
  - {names: db1, racks: site-a/h1/r01/01, role: database, arch: amd64, cores: 16, memory: 64Gi, storage: 2Ti, lab: true}
  - {names: store1, racks: site-a/h1/r01/02, role: storage, arch: amd64, cores: 4, memory: 16Gi, lab: true}
  - {names: data1, racks: site-a/h1/r01/02, cluster: main, pool: data, arch: amd64, cores: 16, memory: 64Gi, lab: true}
  - {names: "node{1..2}", racks: "site-a/h1/r01/{01..02}", cluster: main, pool: general, arch: amd64, cores: 16,
     memory: 64Gi}

baseline:
  registry: {host: store1}

databases:
  - {name: pg-main, engine: postgresql, hosts: [db1], tenants: [{tenant: education, database: enrol}]}
"""
WINDOW = "window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}"
MOVES = f"""
sources:
  - {{name: old-edu-1, tenant: education, lab: true}}
migrations:
  - system: {ENROL}
    {WINDOW}
    moves:
      - {{name: db, kind: postgresql, source: old-edu-1, database: enrol, to: pg-main, method: dump}}
      - {{name: app, kind: application, source: old-edu-1, unit: enrol.service,
         settings: {{file: /etc/enrol.env, host: DB_HOST, port: DB_PORT}}}}
"""
INSTALLED = ("postgresql-15", "postgresql-client-15", "python3-psycopg2")
SPACE = manifests.Setting(hub=HUB, image="").namespace
POD, CLAIM = KINDS["", "Pod"], KINDS["", "PersistentVolumeClaim"]
OURS = (JOB, POD, KINDS["", "Secret"], KINDS["networking.k8s.io", "NetworkPolicy"])
APPROVAL, ACCEPTANCE = "WaitForCutoverApproval", "WaitForAcceptance"


@pytest.fixture(scope="module")
def there(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Booted, filled, written to; a database host and a node are in their declared state."""
    with place(tmp_path_factory.mktemp("story") / "place", trial_seconds=0) as made:
        declare(made.hub)
        patch = pytest.MonkeyPatch()
        # Nobody here runs the lab's other images, which are large.
        ours = [item for item in images.IMAGES if item.program or item.name in MOVER]
        patch.setattr(images, "IMAGES", tuple(ours))
        try:
            lab_up(str(made.hub), None, print, hosts=0)
            made.old.install(packages=INSTALLED)
            made.old.postgresql("enrol", Content(rows=8000), logical=True)
            made.old.application("enrol", "postgresql", "enrol", per_second=20)
            result = up(RunRequest(hub=str(made.hub), wait=180))
            assert (result.status, [item.summary for item in result.problems]) == ("done", [])
            yield made
        finally:
            patch.undo()
            lab_down(str(made.hub))


def declare(hub: Path) -> None:
    """One real node for Jobs, and a database host."""
    sites, people = hub / "sites.yaml", hub / "people.yaml"
    before, _, _ = sites.read_text(encoding="utf-8").partition("\n# The cluster that")
    sites.write_text(before + BEYOND, encoding="utf-8")
    text = people.read_text(encoding="utf-8")
    people.write_text(
        text.replace("migration:\n", f"migration:\n  write_pause_seconds: 600\n  movers: [{MOVER}, {OTHERS}]\n"),
        encoding="utf-8",
    )
    (hub / "migrations.yaml").write_text(MOVES, encoding="utf-8")
    with (hub / "systems.yaml").open("a", encoding="utf-8") as systems:
        systems.write(YEARBOOKS)


def kube() -> Kube:
    return LabCluster(HUB, "main").connect()


def until(found: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return reached


def left() -> dict[str, list[str]]:
    """What is left of commands, by kind."""
    there = kube()
    found = {kind.kind: [item["metadata"]["name"] for item in there.list(kind, namespace=SPACE)] for kind in OURS}
    return {kind: names for kind, names in found.items() if names not in ([], ["closed"])}


@contextmanager
def pods_of(system: str) -> Iterator[dict[str, str]]:
    """The pods of a system's move that are seen meanwhile, with their nodes."""
    label = f"{manifests.PLACE}={digest(f'{HUB}/{system}/db')[:16]}"
    seen: dict[str, str] = {}
    client, over = kube(), threading.Event()

    def watch() -> None:
        while not over.wait(0.3):
            with suppress(GovhubError):
                pods = client.list(POD, namespace=SPACE, selector=label)
                running = (item for item in pods if item["status"]["phase"] == "Running")
                seen.update({item["metadata"]["name"]: item["spec"]["nodeName"] for item in running})

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        over.set()
        watching.join()


def come_to(there: Place, system: str, phase: str | None, itinerary: str = "") -> dict[str, Any]:
    begun = time.monotonic()
    found = there.run(system, itinerary=itinerary, wait=20)[system]
    # Jobs take their time, and what a run waits for meanwhile is looked at again by the next one.
    while (found["state"], found["phase"] != phase) == ("waiting", True) and time.monotonic() < begun + 240:
        found = there.run(system, wait=20)[system]
    assert (found["state"], found["phase"]) == ("waiting" if phase else "done", phase), found
    return found


def lost(there: Place) -> list[str]:
    """Entries that the application has acknowledged and the new server does not have."""
    acknowledged = there.old.acknowledged("enrol")
    have = there.new.entries("postgresql", "enrol")
    return sorted(entry for entry, number in acknowledged.items() if have.get(entry) != number)


def writes(there: Place) -> bool:
    """Whether the application writes now, on the new server."""
    before = len(there.old.acknowledged("enrol"))
    time.sleep(1)
    led = there.old.run("grep -h ^DB_HOST= /etc/enrol.env") == f"DB_HOST={there.new.machine.address}"
    return led and len(there.old.acknowledged("enrol")) > before


def nothing_stays(there: Place, system: str) -> None:
    """Of its Jobs, but the volume on which its archives lie."""
    assert until(lambda: left() == {}, 20), left()
    assert there.fleet.machines()[NODE].inside("pgrep -a -f [/]sent/agent.py || true") == ""
    volumes = [item["metadata"]["name"] for item in kube().list(CLAIM, namespace=SPACE)]
    assert f"mover-{digest(f'{HUB}/{system}/db')[:16]}" in volumes
    archives = home() / "hubs" / HUB / "archives" / system
    assert [item.name for item in archives.rglob("*") if item.suffix in (".dump", ".gz")] == []


def dumping(there: Place) -> bool:
    """Whether a pod of the node makes a dump now."""
    return there.fleet.machines()[NODE].inside("pgrep -x pg_dump || true") != ""


def test_a_rehearsal_copies_by_jobs(there: Place) -> None:
    with pods_of(ENROL) as pods:
        come_to(there, ENROL, None, "rehearse")
    assert len(pods) > 4
    assert set(pods.values()) == {NODE}
    assert one_system(str(there.hub), ENROL)["runs"][-1]["movers"] == {"db": "cluster/main"}
    nothing_stays(there, ENROL)


def test_a_database_moves_although_its_controller_is_killed_in_a_dump(there: Place) -> None:
    words = [there.hub, ENROL, "migrate", "*", 0, datetime.now(UTC).isoformat()]
    process = subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, words)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
    )
    try:
        assert until(lambda: dumping(there), 120), process.poll()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(kube().list(JOB, namespace=SPACE)), "it was killed in the middle of a Job"
    with pods_of(ENROL) as pods:
        come_to(there, ENROL, APPROVAL)
        there.everybody_approves(ENROL)
        come_to(there, ENROL, ACCEPTANCE)
    assert writes(there)
    assert lost(there) == []
    assert set(pods.values()) == {NODE}
    nothing_stays(there, ENROL)


def test_a_mover_host_for_others_has_the_tools_and_none_of_these_moves(there: Place) -> None:
    store = there.fleet.machines()[STORE]
    for tool in ("pg_dump", "mariadb-dump", "mydumper", "myloader", "rsync"):
        assert store.inside(f"{tool} --version"), tool
    assert store.inside(f"ls -A {FOLDER}") == ""
