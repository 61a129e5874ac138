"""Real Debian hosts: from bare to declared, nothing twice, hand edits found and repaired, faults told host by host."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from govhub.core.errors import GovhubError, InvalidInput, LockHeld
from govhub.core.events import Event, read_events
from govhub.core.exits import Exit
from govhub.core.plan import Op
from govhub.core.settings import Env, connections_file
from govhub.hosts import runner
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.hosts.shell import run
from govhub.ops.plan import make_plan
from govhub.ops.requests import PlanRequest, Selection
from govhub.ops.upgrading.requests import UpgradeRequest, UpgradeResult
from govhub.ops.upgrading.upgrade import upgrade
from hosts.conftest import HOSTS_ONLY, OUTDATED, HostHub, begun

ALL = {"node5", "node6", "node1"}
EDITS = {
    "ssh: Keys only, no root, modern algorithms": "echo 'PermitRootLogin yes' >>/etc/ssh/sshd_config.d/50-govhub.conf",
    "chrony: It runs": "systemctl stop chrony",
    "firewall: The table that is live is the one that was loaded": "nft add rule inet govhub input tcp dport 4444 drop",
    "base: Time zone, logs and kernel settings": "rm /etc/sysctl.d/50-govhub.conf",
    "mirror: No other source": "echo 'deb http://elsewhere/ x main' >/etc/apt/sources.list.d/x.list",
}

FOUR = 'names: "node{1..4}", racks: "site-a/h1/r01/{01..04}", cluster: main, pool: general'
PAIR = (
    'names: "node{1..2}", racks: "site-a/h1/r01/{01..02}", role: database, arch: amd64, cores: 16, memory: 64Gi}\n'
    '  - {names: "node{3..4}", racks: "site-a/h1/r01/{03..04}", cluster: main, pool: general'
)
DATABASE = "databases:\n  - {name: pg-main, engine: postgresql, hosts: [node1, node2]}\n"


def test_bare_hosts_are_planned_and_nobody_is_contacted_for_that(hub: HostHub) -> None:
    before = hub.logins()
    assert hub.changes() == dict.fromkeys(ALL, "create")
    assert hub.standing() == dict.fromkeys(ALL, "new")
    assert hub.logins() == before


def test_a_bare_host_has_no_way_out(hub: HostHub) -> None:
    assert "default" not in hub.inside("node5", "ip route")
    # Neither to this machine: it may call hosts, they may only answer.
    with socket.create_server(("169.254.77.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("169.254.77.1", port), timeout=2):
            pass
        refused = hub.inside("node5", f"timeout 2 bash -c '</dev/tcp/169.254.77.1/{port}' 2>&1; echo $?")
    assert refused.splitlines()[-1] == "124"
    assert hub.inside("node5", "timeout 2 bash -c '</dev/tcp/10.77.0.1/8077' && echo mirror") == "mirror"


def test_a_plan_says_how_far_a_check_of_bare_hosts_can_see(hub: HostHub) -> None:
    coverage = make_plan(PlanRequest(hub=str(hub.folder), selection=HOSTS_ONLY, engine=True)).plan.coverage
    assert {address for address, _ in coverage.unpredicted} == {f"hosts/{name}" for name in ALL}
    assert all("checked no further: base: Packages of every host" in why for _, why in coverage.unpredicted)
    assert coverage.total == coverage.predicted + len(ALL)
    assert hub.changes() == dict.fromkeys(ALL, "create")


def test_up_brings_bare_hosts_to_the_declared_state(hub: HostHub) -> None:
    result = hub.up()
    assert (result.status, result.exit, result.problems) == ("done", Exit.OK, [])
    assert {item.host for item in result.hosts} == ALL
    assert all(item.status == "done" and len(item.changed) > 10 for item in result.hosts)
    assert (
        hub.inside("node6", "systemctl is-active chrony nftables prometheus-node-exporter ssh").split()
        == ["active"] * 4
    )
    assert hub.inside("node6", "cat /etc/timezone") == "Asia/Shanghai"
    assert "node5" not in hub.inside("node5", "cat /etc/chrony/chrony.conf"), "the first host is the hub's clock"
    assert "server 10.77.0." in hub.inside("node6", "cat /etc/chrony/chrony.conf")


def test_a_second_up_changes_nothing_and_contacts_nobody(hub: HostHub) -> None:
    before = hub.logins()
    result = hub.up()
    assert (result.status, result.hosts, result.plan.changes) == ("unchanged", [], ())
    assert hub.logins() == before
    assert hub.standing() == dict.fromkeys(ALL, "as declared")


def test_the_same_play_again_changes_nothing(hub: HostHub) -> None:
    """Idempotence of every role: the drift run goes through all tasks."""
    found = hub.drift()
    assert [(item.host, item.changed, item.why) for item in found.hosts] == []
    assert found.compared >= len(ALL)


@pytest.mark.slow
def test_without_mitogen_plain_ansible_says_the_same(hub: HostHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "mitogen", lambda: None)
    found = hub.drift()
    assert [(item.host, item.changed, item.why) for item in found.hosts] == []
    assert found.compared >= len(ALL)


def test_the_firewall_blocks_what_is_not_declared_and_allows_what_is(hub: HostHub) -> None:
    address = hub.machine("node5").address
    hub.inside("node5", "systemd-run -q --unit=probe python3 -m http.server 8099")
    try:
        probe = "timeout 2 bash -c '</dev/tcp/{}/{}' 2>/dev/null && echo open || echo closed"
        deadline = time.monotonic() + 10
        while hub.inside("node5", probe.format("127.0.0.1", 8099)) != "open" and time.monotonic() < deadline:
            time.sleep(0.1)
        assert hub.inside("node5", probe.format("127.0.0.1", 8099)) == "open", "the probe itself must work"
        assert hub.inside("node6", probe.format(address, 9100)) == "open"
        assert hub.inside("node6", probe.format(address, 8099)) == "closed"
        assert hub.inside("node6", probe.format(address, 22)) == "closed", "SSH is for the management network"
    finally:
        hub.inside("node5", "systemctl stop probe")


def test_each_hand_edit_is_found_and_the_next_up_repairs_exactly_that_host(hub: HostHub) -> None:
    for script in EDITS.values():
        hub.inside("node6", script)
    found = hub.drift()
    assert {item.host: item.why for item in found.hosts} == {"node6": ""}, [item.diffs for item in found.hosts]
    assert set(EDITS) <= set(found.hosts[0].changed)
    assert "PermitRootLogin yes" in found.hosts[0].diffs["ssh: Keys only, no root, modern algorithms"]
    assert hub.inside("node6", "systemctl is-active chrony || true") == "inactive", "drift never writes"
    assert hub.changes() == {"node6": "repair"}
    before = hub.logins()
    result = hub.up()
    assert (result.status, [item.host for item in result.hosts]) == ("done", ["node6"]), result.problems
    contacted = {name for name, count in hub.logins().items() if count != before[name]}
    assert contacted == {"node6"}
    assert hub.drift().hosts == []
    assert "4444" not in hub.inside("node6", "nft list table inet govhub")
    assert hub.changes() == {}


def test_one_more_host_contacts_one_host(hub: HostHub) -> None:
    hub.boot(4)
    before = hub.logins()
    assert hub.changes() == {"node2": "create"}
    result = hub.up()
    assert (result.status, [item.host for item in result.hosts]) == ("done", ["node2"]), result.problems
    after = hub.logins()
    assert {name for name in after if after[name] != before[name]} == {"node2"}


def test_a_changed_variable_touches_the_roles_that_read_it_and_says_so(hub: HostHub) -> None:
    with (hub.folder / "hub.yaml").open("a", encoding="utf-8") as out:
        out.write("baseline: {journal_days: 200, administrators: [{name: lin, key: ssh-ed25519 AAAAC3Nza lin@mini}]}\n")
    plan = make_plan(PlanRequest(hub=str(hub.folder), selection=HOSTS_ONLY, engine=True)).plan
    assert {change.op for change in plan.changes} == {Op.UPDATE}
    first = plan.changes[0]
    assert first.reason == "changed: base, ssh"
    shown = {".".join(map(str, item.path)): item.new for item in first.diff}
    assert shown["base.base_journal_days"] == 200
    # Check mode adds which task changes which line.
    assert "+MaxRetentionSec=200d" in shown["base: Time zone, logs and kernel settings"]
    assert (plan.coverage.predicted, plan.coverage.unpredicted) == (plan.coverage.total, ())
    assert "MaxRetentionSec=183d" in hub.inside("node1", "cat /etc/systemd/journald.conf"), "a plan writes nothing"
    result = hub.up()
    assert result.status == "done", result.problems
    assert "MaxRetentionSec=200d" in hub.inside("node1", "cat /etc/systemd/journald.conf")
    assert "lin" in hub.inside("node1", "getent passwd lin")


def test_a_host_with_another_key_and_one_that_refuses_sudo_fail_alone(hub: HostHub) -> None:
    """With ``--limit``: the fourth host is left out of it, and waits for the next run."""
    path = Path(json.loads(connections_file("mini").read_text())["hosts"]["node5"]["known_hosts"])
    original = path.read_text()
    address, stranger = hub.machine("node5").address, hub.machine("node6").host_key
    lines = [f"{address} {stranger}" if line.startswith(f"{address} ") else line for line in original.splitlines()]
    path.write_text("\n".join(lines) + "\n")
    hub.inside("node6", "mv /etc/sudoers.d/govhub /root/sudoers-away")
    hub.edit("hub.yaml", "journal_days: 200", "journal_days: 210")
    try:
        result = hub.up(selection=Selection(hosts=("node[156]",)))
    finally:
        path.write_text(original)
        hub.inside("node6", "mv /root/sudoers-away /etc/sudoers.d/govhub")
    states = {item.host: item.status for item in result.hosts}
    assert states["node1"] == "done"
    assert states["node5"] == "unreachable"
    assert states["node6"] in ("failed", "unreachable")
    said = {item.address: item.summary for item in result.problems}
    assert "ost key" in said["hosts/node5"]
    assert "sudo" in said["hosts/node6"] or "assword" in said["hosts/node6"]
    assert hub.changes() == dict.fromkeys(("node2", "node5", "node6"), "update")


def test_a_limit_that_matches_nothing_is_refused(hub: HostHub) -> None:
    with pytest.raises(InvalidInput) as refused:
        hub.up(selection=Selection(hosts=("nod5",)))
    assert refused.value.diagnostics[0].code == "SEL001"


def test_two_operators_at_once_do_not_both_work_and_the_first_mends_all(hub: HostHub) -> None:
    caught: list[BaseException] = []

    def second(event: Event) -> None:
        if event.kind == "hosts-started":
            try:
                hub.up()
            except LockHeld as held:
                caught.append(held)

    result = hub.up(listener=second)
    assert result.status == "done", result.problems
    assert len(caught) == 1
    assert hub.changes() == {}


def test_a_host_that_loses_power_in_the_play_fails_alone_and_is_where_the_next_run_goes_on(hub: HostHub) -> None:
    hub.edit("hub.yaml", "journal_days: 210", "journal_days: 220")

    def cut(event: Event) -> None:
        if event.kind == "hosts-started":
            threading.Timer(2.0, hub.machine("node2").power_cut).start()

    result = hub.up(listener=cut)
    assert (result.status, result.exit) == ("failed", Exit.FAILED)
    states = {item.host: item.status for item in result.hosts}
    assert states["node1"] == "done"
    assert states["node2"] != "done"
    assert [item.address for item in result.problems] == ["hosts/node2"]
    assert hub.changes() == {"node2": "update"}
    hub.boot(4)
    assert hub.machine("node2").answers()
    again = hub.up()
    assert (again.status, [item.host for item in again.hosts]) == ("done", ["node2"]), again.problems


def test_a_missing_package_and_a_full_disk_are_said_and_the_next_run_goes_on(hub: HostHub) -> None:
    archives = "/var/cache/apt/archives"
    hub.inside("node6", f"dpkg --purge chrony >/dev/null 2>&1; rm -f {archives}/*.deb")
    assert [item.host for item in hub.drift().hosts] == ["node6"]
    pool = hub.fleet.folder / "offered" / "pool"
    aside = pool.rename(pool.with_name("pool.aside"))
    try:
        missing = hub.up()
    finally:
        aside.rename(pool)
    assert {item.host: item.status for item in missing.hosts} == {"node6": "failed"}
    assert [item.code for item in missing.problems] == ["HST010"]
    assert "chrony" in missing.problems[0].summary
    hub.inside("node6", f"mount -t tmpfs -o size=32k tmpfs {archives} && mkdir {archives}/partial")
    try:
        full = hub.up()
    finally:
        hub.inside("node6", f"umount {archives}")
    assert {item.host: item.status for item in full.hosts} == {"node6": "failed"}
    assert "space" in full.problems[0].summary
    assert hub.changes() == {"node6": "repair"}, "nothing half-way counts as declared"
    result = hub.up()
    assert (result.status, [item.host for item in result.hosts]) == ("done", ["node6"]), result.problems
    assert hub.inside("node6", "systemctl is-active chrony") == "active"


def test_a_controller_that_is_killed_in_the_play_is_taken_up_by_the_next_run(hub: HostHub) -> None:
    hub.edit("hub.yaml", "journal_days: 220", "journal_days: 230")
    process = begun("up", str(hub.folder), "--layer", "hosts", "--yes")
    time.sleep(3.0)
    process.kill()
    process.communicate(timeout=10)
    deadline = time.monotonic() + 10
    while (left := _playbooks(hub)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == [], "the play goes on behind the back of the next run"
    result = hub.up()
    assert (result.status, result.problems) == ("done", [])
    assert hub.events(result, "lock-taken-over")
    assert hub.changes() == {}
    assert "MaxRetentionSec=230d" in hub.inside("node6", "cat /etc/systemd/journald.conf")


def test_a_reboot_comes_back_as_declared(hub: HostHub) -> None:
    before = hub.machine("node6").inits()
    hub.inside("node6", "systemd-run -q --on-active=0.2 --timer-property=AccuracySec=50ms systemctl reboot")
    active = "systemctl is-active chrony nftables ssh || true"
    deadline, states = time.monotonic() + 40, ""
    while states.split() != ["active"] * 3 and time.monotonic() < deadline:
        time.sleep(0.3)
        if len(now := hub.machine("node6").inits()) == 1 and now != before:
            with suppress(AssertionError):  # it may not be far enough to be asked
                states = hub.inside("node6", active)
    assert states.split() == ["active"] * 3
    assert hub.drift().hosts == []


def test_hosts_are_upgraded_side_by_side_and_a_pair_is_not(hub: HostHub) -> None:
    """Four hosts at once are asked for: two are a pair by now, and of two nobody can say who runs on them."""
    hosts = ["node1", "node2", "node5", "node6"]
    former = (hub.folder / "clusters.yaml").read_text(encoding="utf-8")
    hub.edit(
        "clusters.yaml", 'names: "node{1..4}", racks: "site-a/h1/r01/{01..04}", cluster: main, pool: general', PAIR
    )
    (hub.folder / "databases.yaml").write_text(DATABASE, encoding="utf-8")
    for name in hosts:
        hub.inside(name, OUTDATED)
    try:
        result = upgrade(UpgradeRequest(hub=str(hub.folder), at_once=4))
    finally:
        (hub.folder / "clusters.yaml").write_text(former, encoding="utf-8")
        (hub.folder / "databases.yaml").unlink()
    assert (result.status, result.problems) == ("done", [])
    assert {item.host: item.status for item in result.hosts} == dict.fromkeys(hosts, "done")
    assert result.as_dict()["rounds"] == [["node1", "node5"], ["node2", "node6"]]
    assert all("590-1" not in hub.inside(name, "dpkg-query -W less") for name in hosts)
    together = in_work(hub, result)
    assert max(map(len, together)) == 2
    assert not any(pair <= busy for busy in together for pair in ({"node1", "node2"}, {"node5", "node6"}))


def test_a_failure_and_a_kill_leave_nothing_in_work_and_the_next_run_goes_on(hub: HostHub) -> None:
    hub.edit("clusters.yaml", '/r02/{01..02}", cluster: main, pool: general', '/r02/{01..02}", role: network')
    for name in ALL:
        hub.inside(name, OUTDATED)
    archives = "/var/cache/apt/archives"
    hub.inside(
        "node1", f"rm -f {archives}/*.deb; mount -t tmpfs -o size=32k tmpfs {archives}; mkdir {archives}/partial"
    )
    try:
        first = upgrade(UpgradeRequest(hub=str(hub.folder), at_once=2, limit=("node[156]",)))
    finally:
        hub.inside("node1", f"umount {archives}")
    states = {item.host: item.status for item in first.hosts}
    assert states == {"node1": "failed", "node5": "done", "node6": "not tried"}
    assert (first.status, [item.code for item in first.problems]) == ("failed", ["UPG001"])
    process = begun("hosts", "upgrade", str(hub.folder), "--at-once", "2", "--yes", said="upgrades node6")
    process.kill()
    process.communicate(timeout=10)
    deadline = time.monotonic() + 10
    while (left := _playbooks(hub)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == [], "both plays end with the run"
    second = upgrade(UpgradeRequest(hub=str(hub.folder), at_once=2))
    assert (second.status, second.problems) == ("done", [])
    assert {frozenset(busy) for busy in in_work(hub, second)} >= {frozenset({"node1", "node6"})}


def in_work(hub: HostHub, result: UpgradeResult) -> list[set[str]]:
    """The hosts that were in work together, after each start and end."""
    assert result.folder
    found, busy = [], set[str]()
    for event in read_events(result.folder / "events.ndjson"):
        if event["kind"] == "upgrade-started":
            assert set(event["data"]["beside"]) == busy
            busy.add(event["data"]["host"])
        elif event["kind"] == "upgrade-finished":
            busy.remove(event["data"]["host"])
        found.append(set(busy))
    return found


def test_a_hub_of_the_same_name_in_another_home_is_another_lab(
    hub: HostHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv(Env.HOME, str(tmp_path / "home"))
        other = Fleet(hub.fleet.hub)
        assert not other.exists()
        other.down()
        other.network.down()
        with pytest.raises(GovhubError, match="of another home"):
            other.network.up()
    assert hub.fleet.network.exists()
    assert all(machine.answers() for machine in hub.fleet.machines().values())


def test_taking_down_leaves_no_trace(hub: HostHub) -> None:
    """The last test of the module: mounts, cards, routes, namespaces, cgroups and processes are as without hosts."""
    fleet = hub.fleet
    processes = [pid for machine in fleet.machines().values() for pid in machine.processes()]
    assert processes
    assert str(fleet.folder) in Path("/proc/mounts").read_text()
    assert "govhub0" in run("ip", "-br", "link")
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    former = json.loads((fleet.folder / "limits.json").read_text()) if (fleet.folder / "limits.json").exists() else {}
    raised = limit.read_text()
    fleet.down()
    assert limit.read_text().strip() == str(former.get("fs/inotify/max_user_instances", raised)).strip()
    assert [pid for pid in processes if Path(f"/proc/{pid}/cmdline").exists() and _is_ours(pid)] == []
    assert "govhub" not in run("ip", "-br", "link") + run("ip", "netns", "list")
    # Only this lab's mounts: another run on this machine, or one that was killed, may have its own.
    assert str(fleet.folder) not in Path("/proc/mounts").read_text()
    assert "10.77.0" not in run("ip", "route")
    assert list(Path("/sys/fs/cgroup").glob("*/govhub-*")) == []
    assert not fleet.folder.exists()
    assert not any(Path("/run/systemd/nspawn").glob("propagate/node*"))


def _playbooks(hub: HostHub) -> list[str]:
    """Ansible's processes that work on this hub's home."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if "ansible-playbook" in text and str(hub.folder.parents[1]) in text:
                found.append(text[:100])
    return found


def _is_ours(pid: int) -> bool:
    try:
        return b"nspawn" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
