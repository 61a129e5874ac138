"""A load balancer on two real hosts: it passes on to who answers, and its address survives the loss of one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from hosts.conftest import HostHub, lab_copy

pytestmark = pytest.mark.slow

ADDRESS = "10.77.0.250"
HOSTS = """
  - {names: "lb{1..2}", racks: "site-a/h1/r01/{01..02}", role: network, arch: amd64, cores: 4, memory: 16Gi, lab: true}
"""
BALANCER = f"""
load_balancers:
  - name: edge
    hosts: [lb1, lb2]
    address: {ADDRESS}
    listeners:
      - {{name: figures, port: 8080, mode: http, check: /metrics, target: 9100, backends: [node5, node6],
         zones: [extranet]}}
"""
ASK = "python3 -c \"import urllib.request as r; t = r.urlopen('http://{}:8080/metrics', timeout=3).read().decode(); "
ASK += "print(next(line for line in t.splitlines() if line.startswith('node_uname_info')))\""


@pytest.fixture(scope="module")
def hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostHub]:
    """Two load balancers before two hosts whose figures they pass on."""
    with lab_copy("mini", tmp_path_factory) as folder:
        clusters, network = folder / "clusters.yaml", folder / "network.yaml"
        clusters.write_text(clusters.read_text().rstrip() + HOSTS, encoding="utf-8")
        users = "\n  - {cidr: 10.77.0.0/24, zone: extranet, purpose: users}\n"
        network.write_text(network.read_text().rstrip() + users)
        (folder / "balancers.yaml").write_text(BALANCER, encoding="utf-8")
        made = HostHub(folder)
        made.boot(0)
        yield made


def answers(hub: HostHub, address: str, times: int = 1) -> set[str]:
    """Who answers through a load balancer, by name."""
    found = [hub.inside("node5", ASK.format(address)) for _ in range(times)]
    return {line.partition('nodename="')[2].partition('"')[0] for line in found}


def holders(hub: HostHub) -> set[str]:
    return {name for name in ("lb1", "lb2") if ADDRESS in hub.inside(name, "ip -4 address")}


def eventually(hub: HostHub, wanted: set[str]) -> None:
    deadline = time.monotonic() + 15
    while holders(hub) != wanted and time.monotonic() < deadline:
        time.sleep(0.3)
    assert holders(hub) == wanted


def test_both_come_up_and_a_second_run_changes_nothing(hub: HostHub) -> None:
    result = hub.up()
    assert (result.status, result.problems) == ("done", [])
    assert hub.changes() == {}
    assert [(item.host, item.changed, item.why) for item in hub.drift().hosts] == []


def test_it_passes_on_to_all_who_answer_and_to_nobody_else(hub: HostHub) -> None:
    assert answers(hub, hub.machine("lb2").address, 4) == {"node5", "node6"}
    hub.inside("node6", "systemctl stop prometheus-node-exporter; sleep 4")
    assert answers(hub, hub.machine("lb2").address, 4) == {"node5"}
    hub.inside("node6", "systemctl start prometheus-node-exporter; sleep 4")
    assert answers(hub, hub.machine("lb2").address, 4) == {"node5", "node6"}


def test_one_of_them_holds_the_address_and_the_other_takes_over(hub: HostHub) -> None:
    eventually(hub, {"lb1"})
    assert answers(hub, ADDRESS) <= {"node5", "node6"}
    hub.inside("lb1", "systemctl stop haproxy")
    eventually(hub, {"lb2"})
    assert answers(hub, ADDRESS) <= {"node5", "node6"}
    hub.inside("lb1", "systemctl start haproxy")
    eventually(hub, {"lb1"})


def test_a_hand_edit_is_found_and_repaired(hub: HostHub) -> None:
    hub.inside("lb1", "sed -i 's/:9100/:9999/' /etc/haproxy/haproxy.cfg; systemctl reload haproxy")
    found = hub.drift()
    assert [item.host for item in found.hosts] == ["lb1"]
    assert "load_balancer: Its listeners" in found.hosts[0].changed
    assert hub.up().status == "done"
    assert answers(hub, hub.machine("lb1").address, 2) <= {"node5", "node6"}
