"""What roles are told of a host, and what makes a host count as changed; no host is contacted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from govhub.core.plan import Op
from govhub.core.settings import connections_file, content
from govhub.hosts.content import packages, role_options, roles_of
from govhub.hosts.fingerprint import fingerprint, planned_hosts
from govhub.hosts.movers import FOLDER
from govhub.hosts.reach import Reach, Reaches, reaches
from govhub.hosts.variables import Declared, declared_hosts
from govhub.inventory.loader import Hub, load
from govhub.inventory.model.migration import MoverPlace

ROOT = Path(__file__).parents[2]
MINI = ROOT / "tests" / "hubs" / "mini"
ROLES = ROOT / "playbooks" / "roles"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The small hub with addresses for two of its hosts."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    text = (folder / "clusters.yaml").read_text(encoding="utf-8")
    (folder / "clusters.yaml").write_text(
        text.replace("lab: true}", "addresses: '10.20.0.{11..12}'}"), encoding="utf-8"
    )
    loaded = load(folder)
    assert loaded.hub is not None, list(loaded.problems)
    return loaded.hub


def declared(hub: Hub) -> dict[str, Declared]:
    return declared_hosts(hub, reaches(hub))


def test_hosts_with_an_address_are_declared_and_others_are_not(hub: Hub) -> None:
    found = declared(hub)
    assert set(found) == {"node5", "node6"}
    assert found["node5"].connection == {"ansible_host": "10.20.0.11", "ansible_user": "govhub"}
    assert {"role_worker", "cluster_main", "pool_main_general", "site_site_a"} <= set(found["node5"].groups)


def test_the_firewall_follows_the_declared_networks(hub: Hub) -> None:
    rules = {rule["name"]: rule for rule in declared(hub)["node6"].variables["firewall_rules"]}
    assert rules["administration"]["sources"] == ["10.20.12.0/24"], "the management zone"
    assert rules["kubelet"]["sources"] == ["10.20.0.0/24"], "the nodes"
    assert "time" not in rules, "only the hub's clock answers for the time"
    assert all("0.0.0.0/0" not in rule["sources"] for rule in rules.values())


def test_every_variable_is_an_option_of_a_role_or_a_fact_of_place(hub: Hub) -> None:
    known = set().union(*(role_options(role) for host in declared(hub).values() for role in roles_of(host.groups)))
    given = {name for host in declared(hub).values() for name in host.variables}
    assert {name for name in given - known if not name.startswith("govhub_")} == set()


def test_every_required_option_is_given_in_the_lab(hub: Hub) -> None:
    lab = {"mirror_url": "http://m", "mirror_suite": "s", "mirror_key": "k", "chrony_steers": False}
    reached = Reaches({"node5": Reach("10.77.0.11", "govhub")}, lab, {"management": ["169.254.77.1/32"], "nodes": []})
    (host,) = declared_hosts(hub, reached).values()
    for role in roles_of(host.groups):
        specs = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"][
            "options"
        ]
        required = {name for name, spec in specs.items() if spec.get("required")}
        assert required - set(host.variables) == set(), role


def test_mover_hosts_get_the_tools_of_migrations_and_others_do_not(hub: Hub) -> None:
    before = declared(hub)
    hub.model.migration.movers.append(MoverPlace(host="node5"))
    hosts = declared(hub)
    assert "mover" in roles_of(hosts["node5"].groups)
    assert (hosts["node5"].variables["mover_folder"], hosts["node5"].variables["mover_login"]) == (FOLDER, "govhub")
    assert hosts["node6"] == before["node6"]


def changes(
    hub: Hub, recorded: dict[str, Any], drifted: dict[str, list[str]] | None = None
) -> dict[str, tuple[Op, str]]:
    found = planned_hosts(declared(hub), recorded, drifted or {})
    return {change.address: (change.op, change.reason) for change in found}


def test_a_recorded_host_changes_with_its_variables_and_roles_alone(hub: Hub) -> None:
    recorded = {name: {"roles": fingerprint(host)} for name, host in declared(hub).items()}
    recorded = json.loads(json.dumps(recorded))
    assert changes(hub, recorded) == {}
    moved = dict(recorded, node5={"roles": {**recorded["node5"]["roles"], "ssh": {"content": "old", "options": {}}}})
    assert changes(hub, moved) == {"hosts/node5": (Op.UPDATE, "changed: ssh")}
    gone = {"node5": recorded["node5"]}
    assert changes(hub, gone)["hosts/node6"][0] is Op.CREATE
    assert changes(hub, recorded, {"node6": ["ssh: keys"]})["hosts/node6"][0] is Op.REPAIR


def test_a_moved_host_is_the_same_host(hub: Hub) -> None:
    one = declared_hosts(hub, Reaches({"node5": Reach("10.20.0.11", "a")}))["node5"]
    other = declared_hosts(hub, Reaches({"node5": Reach("10.20.0.99", "b", "/key", "/known")}))["node5"]
    assert one.connection != other.connection
    # Only its certificate names the address.
    assert fingerprint(one) | {"certificates": {}} == fingerprint(other) | {"certificates": {}}


def test_the_mirrors_packages_are_those_that_roles_install() -> None:
    found = packages()
    assert {"chrony", "nftables", "prometheus-node-exporter"} <= set(found)
    assert found == sorted(set(found))


def test_a_damaged_file_of_the_lab_is_told(hub: Hub) -> None:
    path = connections_file("mini")
    path.parent.mkdir(parents=True)
    for text in ("", "[]", '{"hosts": {"node5": {"what": 1}}, "variables": {}, "networks": {}}'):
        path.write_text(text)
        with pytest.raises(Exception, match="how the lab's hosts are reached"):
            reaches(hub)


def ansible(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "GOVHUB_HOME": str(home),
        "LC_ALL": "C.UTF-8",
        **more,
    }
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_plain_ansible_reads_a_hub_folder_as_an_inventory(hub: Hub, tmp_path: Path) -> None:
    done = ansible("ansible-inventory", "-i", str(hub.folder), "--list", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    wanted = {name: {**host.variables, **host.connection} for name, host in declared(hub).items()}
    assert document["_meta"]["hostvars"] == json.loads(json.dumps(wanted))
    assert sorted(document["role_worker"]["hosts"]) == ["node5", "node6"]


@pytest.mark.parametrize("name", ["dazu", "huating", "jinzhou", "langfang", "yichang"])
def test_plain_ansible_reads_every_shipped_hub(name: str, tmp_path: Path) -> None:
    done = ansible("ansible-inventory", "-i", f"inventories/{name}", "--list", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "_meta" in json.loads(done.stdout)


def test_a_hub_that_is_not_valid_is_told_without_a_traceback(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "hub.yaml").write_text("hub: {nmae: x}\n", encoding="utf-8")
    done = ansible("ansible-inventory", "-i", str(hub.folder), "--list", home=tmp_path)
    assert done.returncode != 0
    assert "the hub is not valid" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_playbook_and_its_roles_are_understood_by_ansible(hub: Hub, tmp_path: Path) -> None:
    done = ansible("ansible-playbook", "-i", str(hub.folder), "playbooks/site.yml", "--syntax-check", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert content("playbooks", "plays", "hosts.yml").is_file()
