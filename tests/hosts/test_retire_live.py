"""A real host leaves: what it held is overwritten where it lay, it is recorded, and nobody else is contacted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from govhub.core.events import first_broken_link, read_events
from govhub.core.exits import Exit
from govhub.core.settings import connections_file, hub_home
from govhub.engine.state import State
from govhub.hosts.runner import Play, PlayRequest
from govhub.ops.hostside import hosts_side
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket
from govhub.ops.retire import RetireRequest, RetireResult, retire
from govhub.ops.wiping import REPORT
from hosts.conftest import HostHub, lab_copy

MARK = "CONFIDENTIAL-0123456789abcdef"
PLANT = f"""
mkdir -p /srv/records /var/lib/kubelet/pods/x
for i in $(seq 2000); do echo {MARK}; done | tee /srv/records/a.db >/var/lib/kubelet/pods/x/data
printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/postgresql.service
systemctl daemon-reload
systemctl start postgresql
sync
"""


@pytest.fixture(scope="module")
def pair(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostHub]:
    """Two booted hosts, recorded as if a run had been there."""
    with lab_copy("mini", tmp_path_factory) as folder:
        made = HostHub(folder)
        made.edit("clusters.yaml", "lab: true}", "lab: true, machines: {node5: {serial: CN7012AB}}}")
        made.boot(2)
        yield made


def go(hub: HostHub, *names: str, wipe: bool = True) -> RetireResult:
    # There is no cluster in this lab.
    return retire(RetireRequest(hub=str(hub.folder), hosts=names, confirm=names, wipe=wipe, drain_check=False))


def state_of(hub: HostHub) -> State:
    loaded, _ = valid_hub(str(hub.folder))
    return State(loaded.name, state_bucket(loaded))


def test_a_host_is_wiped_recorded_and_gone(pair: HostHub) -> None:
    pair.inside("node5", PLANT)
    machine = pair.machine("node5")
    state_of(pair).write("hosts/node5.json", {"roles": {}})
    places = [machine.folder / "upper/srv/records/a.db", machine.folder / "kubelet/pods/x/data"]
    # Held open from outside: what becomes of the data, not of the name.
    handles = [os.open(path, os.O_RDONLY) for path in places]
    assert all(os.pread(handle, 30, 0).decode().startswith(MARK) for handle in handles)
    before = pair.logins()

    result = go(pair, "node5")

    assert result.exit is Exit.OK, [item.summary for item in result.problems]
    evidence = {item.what: item for item in result.hosts[0].evidence}
    kubelet, records = evidence["/var/lib/kubelet"], evidence["/srv"]
    assert (kubelet.result, kubelet.why) == ("cleared", ""), kubelet
    assert (records.result, records.medium) == ("removed", "overlay"), "a layer below may have a copy"
    assert (result.hosts[0].status, result.hosts[0].wiped) == ("retired", False), "and so it is not called wiped"
    assert [item.code for item in result.problems] == ["RET006"]
    for path, handle in zip(places, handles, strict=True):
        size = os.fstat(handle).st_size
        assert size == len(MARK + "\n") * 2000
        assert os.pread(handle, size, 0) == bytes(size)
        os.close(handle)
        assert not path.exists() or path.is_char_device()
    assert not [item for item in evidence.values() if item.result == "failed"]
    assert evidence["/etc/ssh/ssh_host_ed25519_key"].files == 1
    assert not (machine.root / "home/govhub/.ssh/authorized_keys").exists()
    assert pair.inside("node5", "systemctl is-active postgresql || true") == "inactive"
    assert pair.logins()["node6"] == before["node6"], "nobody else was contacted"


def test_its_evidence_is_kept_and_chained(pair: HostHub) -> None:
    (record,) = (hub_home("mini") / "retired").glob("*.ndjson")
    assert first_broken_link(record) is None
    events = list(read_events(record))
    wiped = [item["data"] for item in events if item["kind"] == "wiped"]
    assert {item["host"] for item in wiped} == {"node5"}
    assert {item["serial"] for item in wiped} == {"CN7012AB"}
    assert {item["actor"] for item in wiped} == {"tester"}
    assert {"/srv", "/var/lib/kubelet", "/home"} <= {item["what"] for item in wiped}
    assert [item["data"]["wiped"] for item in events if item["kind"] == "host-retired"] == [False]
    assert MARK not in record.read_text()


def test_it_is_out_of_the_files_and_the_state_and_the_other_stands_where_it_stood(pair: HostHub) -> None:
    loaded, _ = valid_hub(str(pair.folder))
    assert "node5" not in loaded.topology.hosts
    assert loaded.topology.hosts["node6"].rack == "site-a/h1/r02/02"
    assert state_of(pair).read("hosts/node5.json") is None
    assert set(pair.changes()) == {"node6"}


def test_another_machine_than_the_one_that_is_meant_is_not_touched(pair: HostHub, tmp_path: Path) -> None:
    pair.inside("node6", "mkdir -p /srv/x /root/dmi; echo kept >/srv/x/f; mv /run/systemd/container /run/systemd/off")
    pair.inside("node6", "echo CN7012XX >/root/dmi/product_serial; echo 4c4c4544-0044 >/root/dmi/product_uuid")
    loaded, _ = valid_hub(str(pair.folder))
    found = hosts_side(loaded, state_of(pair)).declared["node6"]

    variables = {"wipe_serial": "CN7012AB", "wipe_dmi": "/root/dmi", "wipe_folders": ["/srv/x"], "wipe_disks": False}
    host = replace(found, variables=variables)
    refused = Play(PlayRequest(hosts=(host,), play="wipe.yml", report=REPORT, folder=tmp_path)).run()["node6"]
    assert (refused.status, refused.report) == ("failed", "")
    assert "CN7012AB is to be wiped, and this is CN7012XX, 4c4c4544-0044" in refused.why
    assert pair.inside("node6", "cat /srv/x/f; mv /run/systemd/off /run/systemd/container") == "kept"


def test_a_host_that_does_not_answer_stays_until_it_is_retired_unwiped(pair: HostHub) -> None:
    path = Path(json.loads(connections_file("mini").read_text())["hosts"]["node6"]["known_hosts"])
    text = path.read_text()
    # Somebody else answers at its address: a stranger must never be wiped in its place.
    path.write_text("".join(line.replace("AAAA", "AAAB", 1) + "\n" for line in text.splitlines()))
    before = (pair.folder / "clusters.yaml").read_bytes()
    result = go(pair, "node6")
    assert ([item.code for item in result.problems], result.exit) == (["RET005"], Exit.FAILED)
    assert (result.hosts[0].status, result.hosts[0].wiped) == ("stays", False)
    assert (pair.folder / "clusters.yaml").read_bytes() == before
    assert pair.inside("node6", "test -d /home/govhub/.ssh && echo untouched") == "untouched"
    path.write_text(text)
    left = go(pair, "node6", wipe=False)
    assert (left.exit, left.hosts[0].wiped) == (Exit.OK, None)
