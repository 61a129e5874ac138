"""Who is told, and what is kept quiet: amtool on the routes, a real Alertmanager with a receiver on the inhibition."""

from __future__ import annotations

import json
import shutil
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from capacity.rules.tools import free_port, hub_scope, run, running, until
from govhub.monitoring.columns import Columns
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.routes import Delivery, alertmanager_file, receivers
from govhub.monitoring.rules.scope import Scope, scope_of
from inventory.hubs import BASE, HubFolder

BUSWAY, UPS = "bw-a-h03-r01", "ups-a-h03-1"
QUICK = {"group_wait": "2s", "group_interval": "1s", "repeat_interval": "1h"}


@pytest.fixture(scope="module")
def scope() -> Scope:
    return hub_scope("yichang")


@pytest.mark.parametrize("name", ["huating", "jinzhou", "yichang"])
def test_alertmanager_takes_the_configuration(tmp_path: Path, name: str) -> None:
    for webhook in ("", "http://127.0.0.1:9/hook"):
        file = tmp_path / "alertmanager.yml"
        file.write_text(alertmanager_file(hub_scope(name), Limits(), Delivery(webhook=webhook)), encoding="utf-8")
        code, out = run("amtool", "check-config", file)
        assert code == 0, out


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"severity": "critical", "site": "dongyuemiao", "owner": "power"}, "page-dongyuemiao"),
        ({"severity": "critical", "owner": "monitoring"}, "page-hub"),
        ({"severity": "warning", "site": "dongyuemiao", "owner": "power"}, "ticket-power"),
        ({"severity": "warning", "owner": "compute"}, "ticket-compute"),
        ({"severity": "warning", "owner": "metering", "site": "dongyuemiao"}, "ticket-metering"),
        ({"severity": "info", "owner": "planning"}, "nobody"),
        ({"severity": "none", "alertname": "GovhubWatchdog"}, "watchdog"),
        ({"severity": "critical", "hub": "elsewhere"}, "unrouted"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_routes_go_by_severity_site_and_owner(
    tmp_path: Path, scope: Scope, labels: dict[str, str], receiver: str
) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(alertmanager_file(scope, Limits(), Delivery()), encoding="utf-8")
    words = [f"{name}={value}" for name, value in ({"hub": "yichang"} | labels).items()]

    code, out = run(
        "amtool", "config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}", *words
    )

    assert code == 0, out
    assert receiver in receivers(scope)


class Notifications:
    """What a receiver was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[dict[str, str]]]] = []
        self._lock = threading.Lock()

    def add(self, path: str, body: bytes) -> None:
        found = [item["labels"] for item in json.loads(body)["alerts"] if item["status"] == "firing"]
        with self._lock:
            self.got.append((path.strip("/").rpartition("/")[2], found))

    def names(self) -> list[str]:
        return [labels["alertname"] for _, alerts in self.got for labels in alerts]


@contextmanager
def receiving() -> Iterator[tuple[str, Notifications]]:
    """A webhook receiver on loopback."""
    found = Notifications()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.add(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class' name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def alertmanager(folder: Path, scope: Scope) -> Iterator[tuple[str, Notifications]]:
    """A real Alertmanager with the hub's configuration, and what it sends."""
    with receiving() as (webhook, found):
        config = folder / "alertmanager.yml"
        text = alertmanager_file(scope, Limits(), Delivery(webhook=webhook, **QUICK))
        # Tickets come together within an hour; a test has no hour.
        config.write_text(text.replace("group_interval: 1h", "group_interval: 1s"), encoding="utf-8")
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        words = (f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address=")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        ready = f"{address}/-/ready"
        with running("prometheus-alertmanager", *words, listen, ready=ready, log=folder / "alertmanager.log"):
            yield address, found


def post(address: str, alerts: Sequence[dict[str, str]]) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = json.dumps([{"labels": labels, "endsAt": ends} for labels in alerts]).encode()
    request = urllib.request.Request(f"{address}/api/v2/alerts", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def states(address: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{address}/api/v2/alerts", timeout=5) as answer:
        found: dict[str, int] = {}
        for alert in json.load(answer):
            state = alert["status"]["state"]
            found[state] = found.get(state, 0) + 1
        return found


def busway_down() -> tuple[dict[str, str], list[dict[str, str]]]:
    """A busway, and what its 36 racks and four of their meters say."""
    common = {"hub": "yichang", "site": "dongyuemiao"}
    lost = common | {
        "alertname": "GovhubPowerElementLost",
        "severity": "critical",
        "owner": "power",
        "element": BUSWAY,
        "kind": "busway",
    }
    place = common | {"hall": "h03", "row": "r01", "side": "a", "element": BUSWAY, "severity": "warning"}
    racks = [
        place | {"alertname": "GovhubRackFeedDead", "owner": "power", "rack": f"{number:02}"} for number in range(1, 37)
    ]
    meters = [
        place | {"alertname": "GovhubMeterSilent", "owner": "metering", "rack": f"{number:02}"}
        for number in range(1, 5)
    ]
    return lost, racks + meters


def test_one_busway_trip_is_one_page_and_not_forty(tmp_path: Path, scope: Scope) -> None:
    lost, forty = busway_down()
    stranger = forty[0] | {"row": "r02", "element": "bw-a-h03-r02"}
    assert len(forty) == 40

    with alertmanager(tmp_path, scope) as (address, found):
        # The racks speak first, as they may.
        post(address, forty)
        post(address, [lost])
        until(lambda: found.got, 20)
        until(lambda: states(address) == {"active": 1, "suppressed": 40}, 10)
        # A rack on another busway is no part of it; that it comes through shows that more could have come by now.
        post(address, [stranger])
        until(lambda: len(found.got) > 1, 20)

    assert [(receiver, len(alerts)) for receiver, alerts in found.got] == [("page-dongyuemiao", 1), ("ticket-power", 1)]
    assert found.got[0][1][0]["element"] == BUSWAY
    assert found.got[1][1][0]["element"] == "bw-a-h03-r02"


def test_without_the_busway_the_forty_are_told(tmp_path: Path, scope: Scope) -> None:
    _, forty = busway_down()

    with alertmanager(tmp_path, scope) as (address, found):
        post(address, forty)
        until(lambda: len(found.names()) == 40, 20)

    assert {receiver for receiver, _ in found.got} == {"ticket-power", "ticket-metering"}


def test_a_ups_speaks_for_its_busways_and_their_racks(tmp_path: Path, scope: Scope) -> None:
    lost, forty = busway_down()
    busways = [lost | {"element": f"bw-a-h03-r{row:02}"} for row in range(1, 16)]
    ups = lost | {"element": UPS, "kind": "ups"}
    meters = {"alertname": "GovhubMetersMostlySilent", "severity": "critical", "owner": "metering"}
    half = {"hub": "yichang", "site": "dongyuemiao", "hall": "h03"} | meters

    with alertmanager(tmp_path, scope) as (address, found):
        post(address, [*forty, *busways, half, ups])
        until(lambda: found.got, 20)
        until(lambda: states(address) == {"active": 1, "suppressed": 56}, 10)

    assert found.got == [("page-dongyuemiao", [ups | {}])]


NETWORK = """
device_types:
  - {name: switch, kind: switch, watts: 300, kg: 9, ports: [{count: 32, gbps: 100}]}
devices:
  - {names: "spine-{1..2}", racks: RACK, type: switch, role: spine}
  - {names: "leaf-{1..2}", racks: RACK, type: switch, role: leaf}
  - {names: "oob-{1..2}", racks: RACK, type: switch, role: management}
links:
  - {name: up, lower: "leaf-{1..2}", upper: "spine-{1..2}", gbps: 100}
  - {name: single, lower: oob-1, upper: leaf-1, gbps: 100}
  - {name: chain, lower: oob-2, upper: oob-1, gbps: 100}
"""


def test_what_is_reached_over_one_device_alone_is_silent_with_it(tmp_path: Path) -> None:
    hub = HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
    rack = next(iter(hub.hub().topology.racks))
    (hub.path / "network-more.yaml").write_text(NETWORK.replace("RACK", rack), encoding="utf-8")
    found = scope_of(Columns(hub.hub()))

    # A leaf has two spines and loses neither; what hangs on one leaf goes with it, and so does what hangs on that.
    assert found.behind == {"leaf-1": ("oob-1", "oob-2"), "oob-1": ("oob-2",)}
    rules = alertmanager_file(found, Limits(), Delivery())
    assert 'device=~"oob-1|oob-2"' in rules


def test_a_worse_alert_of_the_same_place_silences_the_milder_one(tmp_path: Path, scope: Scope) -> None:
    place = {"hub": "yichang", "cluster": "general", "pool": "general", "arch": "amd64", "owner": "compute"}
    near = place | {"alertname": "GovhubPoolNearLimitAfterLoss", "severity": "warning"}
    over = place | {"alertname": "GovhubPoolOverLimitAfterLoss", "severity": "critical"}
    other = near | {"pool": "other"}

    with alertmanager(tmp_path, scope) as (address, found):
        post(address, [near, over, other])
        until(lambda: len(found.got) == 2, 20)
        assert states(address) == {"active": 2, "suppressed": 1}

    assert sorted(found.names()) == ["GovhubPoolNearLimitAfterLoss", "GovhubPoolOverLimitAfterLoss"]
