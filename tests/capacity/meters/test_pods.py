"""Pods that are added raise what their rack draws: against a small stand-in of an API server, and on a real cluster."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity.meters.conftest import packages, served, until
from govhub.core.kube import Kube
from govhub.inventory.loader import Hub
from govhub.lab.meters.center import Meters
from govhub.lab.meters.plan import plan_of
from govhub.monitoring.columns import Columns
from govhub.monitoring.live.readings import read
from govhub.monitoring.live.usage import used_millicores
from govhub.monitoring.prometheus import Prometheus
from govhub.ops.capacity.live import Sources
from govhub.ops.capacity.show import show
from govhub.ops.lab import lab_down, lab_status, lab_up

pytestmark = packages
HUBS = Path(__file__).parents[2] / "hubs"
POWER = """power:
  - {names: "ups-{a,b}", kind: ups, kw: 40}
feeds:
  - {racks: "site-a/h1/r{01..02}/{01..04}", side: a, fed_by: ups-a, breaker_amps: 32}
  - {racks: "site-a/h1/r{01..02}/{01..04}", side: b, fed_by: ups-b, breaker_amps: 32}
"""


def pod(name: str, node: str, cpu: str, tenant: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "trial", "labels": {"govhub.io/tenant": tenant} if tenant else {}},
        "spec": {
            "nodeName": node,
            "containers": [{"name": "main", "image": "none", "resources": {"requests": {"cpu": cpu}}}],
        },
    }


class Cluster(http.server.BaseHTTPRequestHandler):
    """Lists pods, and nothing else."""

    pods: list[dict[str, Any]] = []
    away = False

    def do_GET(self) -> None:
        self.send_response(503 if self.away or not self.path.startswith("/api/v1/pods") else 200)
        self.end_headers()
        self.wfile.write(json.dumps({"items": [] if self.away else self.pods, "metadata": {}}).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_rack_draws_more_with_more_pods_and_the_same_when_nobody_answers(
    city: Hub, columns: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path))
    node = next(machine for machine in plan_of(city, {}).machines if machine.millicores)
    at = columns.place[node.rack]
    meters = Meters(city.name)
    with served(Cluster) as address:
        config = {
            "clusters": [{"name": "x", "cluster": {"server": f"http://{address}"}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "users": [{"name": "x", "user": {}}],
            "current-context": "x",
        }
        (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
        try:
            meters.up(plan_of(city, {"main": str(tmp_path / "kubeconfig")}), interval=1)

            def drawn() -> float:
                return float(read(Prometheus(meters.prometheus()), columns, time.time()).racks[at])

            until(lambda: drawn() > 0)
            idle = drawn()
            cores = node.millicores // 1000
            Cluster.pods = [pod(f"p{number}", node.name, "1") for number in range(cores)]
            until(lambda: drawn() > idle * 1.2)
            busy = drawn()

            def used() -> float:
                found, _ = used_millicores(Prometheus(meters.prometheus()), city.name)
                return found.get(("main", "trial", "p0"), 0.0) if len(found) == cores else 0.0

            until(lambda: 400 < used() < 1000)
            # An API server that is away says nothing of machines: they go on drawing.
            Cluster.away = True
            time.sleep(4)
            assert drawn() == pytest.approx(busy, rel=0.1)
            Cluster.away, Cluster.pods = False, []
            until(lambda: drawn() < idle * 1.1)
        finally:
            Cluster.away, Cluster.pods = False, []
            meters.down()


@pytest.fixture
def metered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lab of the hub `mini`, with feeds."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    folder = Path(shutil.copytree(HUBS / "mini", tmp_path / "inventories" / "mini"))
    (folder / "power.yaml").write_text(POWER)
    try:
        lab_up(str(folder), None, print, meters=True)
        yield folder
    finally:
        lab_down(str(folder))
        assert not Meters("mini").folder.exists()


@pytest.mark.slow
@pytest.mark.engine
def test_pods_on_a_real_cluster_raise_their_rack_and_their_department(metered: Path) -> None:
    live = Sources(live=None)
    document = lab_status(str(metered))
    assert document["meters"]["state"] == "running"

    def shown() -> dict[str, Any]:
        return show(str(metered), sources=live)

    def rack() -> float:
        found = show(str(metered), "site-a/h1/r01/01", sources=live)["figures"]["power.measured"]
        return float(found["numerator"] or 0)

    until(lambda: shown()["figures"]["power.measured"]["coverage"]["known"] == 8, 60)
    first = shown()
    assert first["live"]["clusters"] == ["main"]
    assert first["live"]["problems"] == []
    idle = rack()
    assert idle > 0

    kube = Kube("main", Path(document["clusters"][0]["kubeconfig"]))
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "trial"}})
    for number in range(12):
        body = pod(f"p{number}", "", "1", "education")
        del body["spec"]["nodeName"]
        body["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "node1"}
        kube.create(body)
    until(lambda: rack() > idle * 1.2, 60)

    def department() -> dict[str, Any]:
        return next(item for item in shown()["departments"] if item["tenant"] == "education")

    until(lambda: department()["usage"]["coverage"]["known"] == 12, 120)
    assert department()["requests"]["numerator"] == 12
    assert 4 < department()["usage"]["numerator"] < 12
    assert department()["watts"] > 0

    lab = document["clusters"][0]
    for pid in lab["pids"]:
        os.kill(pid, signal.SIGKILL)
    gone = shown()
    assert [text[:6] for text in gone["live"]["problems"]] == ["MTR020"]
    assert all(item["usage"]["numerator"] is None for item in gone["departments"])
    assert gone["figures"]["power.measured"]["coverage"]["known"] == 8
