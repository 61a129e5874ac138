"""Edits of hosts in hub files: what they mean, and that nothing else changes, on every hub that ships."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govhub.inventory.editing.hosts import HOSTS, NewHost, added, bound, retired
from govhub.inventory.editing.trial import Trial, attempt, replace_files
from govhub.inventory.loader import Hub, load
from govhub.inventory.patterns import compress, expand
from govhub.inventory.topology import PlacedHost

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 3, 1)
SHIPPED = ("dazu", "huating", "jinzhou", "langfang", "yichang")


def hub_of(folder: Path) -> Hub:
    loaded = load(folder)
    assert loaded.hub, list(loaded.problems)
    return loaded.hub


def written(hub: Hub, trial: Trial) -> Hub:
    assert trial.errors == []
    replace_files(hub, trial.before, trial.after)
    return hub_of(hub.folder)


def placed(hub: Hub) -> dict[str, PlacedHost]:
    """All hosts; the entry's number says nothing of a host."""
    return {name: replace(host, entry=0) for name, host in hub.topology.hosts.items()}


def named(hub: Hub) -> set[str]:
    """Hosts that something else in the hub's files counts on."""
    model = hub.model
    found = {name for database in model.databases for name in database.hosts}
    for balancer in model.load_balancers:
        found |= {*balancer.hosts, *(name for listener in balancer.listeners for name in listener.backends)}
    return found | ({model.baseline.registry.host} if model.baseline.registry else set())


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest, tmp_path: Path) -> Hub:
    folder = tmp_path / request.param
    folder.mkdir()
    for path in (ROOT / "inventories" / request.param).glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    return hub_of(folder)


def test_a_host_of_each_run_retires_and_all_others_stay_where_they_are(shipped: Hub) -> None:
    before = placed(shipped)
    names = list({host.entry: host.name for host in shipped.topology.hosts.values()}.values())
    done = 0
    for name in names:
        trial = attempt(shipped, {HOSTS: retired(shipped, [name])}, TODAY)
        if name in named(shipped):
            assert {item.code for item in trial.errors} == {"REF001"}, "others still count on it"
        if not trial.errors:
            done += 1
            after = written(shipped, trial)
            assert placed(after) == {key: host for key, host in before.items() if key != name}
            replace_files(shipped, trial.after, trial.before)
    assert done == len(set(names) - named(shipped))


def test_every_run_can_retire_as_a_whole(shipped: Hub) -> None:
    before, done = placed(shipped), 0
    for index in range(len(shipped.model.hosts)):
        names = [host.name for host in shipped.topology.hosts.values() if host.entry == index]
        trial = attempt(shipped, {HOSTS: retired(shipped, names)}, TODAY)
        # Not the one that the quotas need.
        if not trial.errors:
            done += 1
            after = written(shipped, trial)
            assert placed(after) == {key: host for key, host in before.items() if key not in names}
            replace_files(shipped, trial.after, trial.before)
    bound_runs = {shipped.topology.hosts[name].entry for name in named(shipped)}
    assert done >= len(shipped.model.hosts) - len(bound_runs) - 2


def test_a_machine_in_each_run_is_written_down_and_nothing_else_means_anything_new(shipped: Hub) -> None:
    before = placed(shipped)
    names = {host.entry: host.name for host in shipped.topology.hosts.values()}
    machines = {name: {"serial": f"{1000 + entry}", "bmc": f"10.9.0.{entry}"} for entry, name in names.items()}
    trial = attempt(shipped, {HOSTS: bound(shipped, machines)}, TODAY)
    after = written(shipped, trial)
    assert {name: host.serial for name, host in placed(after).items() if host.serial} == {
        name: machine["serial"] for name, machine in machines.items()
    }, "digits alone stay text"
    assert {name: replace(host, serial="", bmc="") for name, host in placed(after).items()} == before
    for file, data in trial.before.items():
        comments = [line for line in data.decode().splitlines() if line.strip().startswith("#")]
        text = trial.after[file].decode()
        assert all(line in text for line in comments)


def test_a_second_edit_of_an_opened_run_changes_its_own_lines_alone(tmp_path: Path) -> None:
    folder = tmp_path / "mini"
    folder.mkdir()
    for path in (ROOT / "tests" / "hubs" / "mini").glob("*.yaml"):
        (folder / path.name).write_bytes(path.read_bytes())
    hub = hub_of(folder)
    hub = written(hub, attempt(hub, {HOSTS: bound(hub, {"node2": {"serial": "A1"}})}, TODAY))
    trial = attempt(hub, {HOSTS: bound(hub, {"node3": {"serial": "A2"}})}, TODAY)
    changed = [line for line in trial.diff.splitlines()[2:] if line[:1] in "+-"]
    assert changed == ["+      node3: {serial: A2}"]


def test_equal_hosts_in_a_row_are_one_run_and_others_are_not() -> None:
    spec = {"arch": "amd64", "cores": 16, "memory": "64Gi"}

    def host(number: int, rack: str, **more: object) -> NewHost:
        return NewHost(name=f"n{number:02d}", rack=rack, spec=spec | more, machine={"serial": f"S{number}"})

    def names(*hosts: NewHost) -> list[object]:
        return [edit.changes["names",] for edit in added(hosts)]

    assert names(host(1, "a/h/r/1"), host(2, "a/h/r/2"), host(3, "a/h/r/3")) == ["n{01..03}"]
    assert names(host(1, "a/h/r/1"), host(2, "a/h/r/1")) == ["n{01..02}"], "in one rack"
    assert names(host(1, "a/h/r/1"), host(3, "a/h/r/2")) == ["n01", "n03"], "a name is missing in between"
    assert names(host(1, "a/h/r/1"), host(2, "a/h/s/1")) == ["n01", "n02"], "racks that do not follow"
    assert names(host(1, "a/h/r/1"), host(2, "a/h/r/2", cores=32)) == ["n01", "n02"], "not equal"


@given(st.lists(st.from_regex(r"[a-z]{1,3}[0-9]{0,3}", fullmatch=True), min_size=1, max_size=5))
def test_a_compressed_pattern_stands_for_exactly_the_names(names: list[str]) -> None:
    pattern = compress(names)
    assert pattern is None or expand(pattern) == names


def test_names_in_a_row_compress() -> None:
    assert compress(["n8", "n9", "n10"]) == "n{8..10}"
    assert compress(["n08", "n09", "n10"]) == "n{08..10}"
    assert compress(["10.0.0.9", "10.0.0.10"]) == "10.0.0.{9..10}"
    assert compress(["n8", "n08"]) is None
    assert compress(["n2", "n1"]) is None
    assert compress([]) is None
