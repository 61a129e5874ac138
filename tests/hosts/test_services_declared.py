"""What the roles of databases and load balancers are told; no host is contacted."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from govhub.core.keys import HubKey
from govhub.hosts.content import role_options, roles_of
from govhub.hosts.expressions import Expression
from govhub.hosts.fingerprint import fingerprint, planned_hosts
from govhub.hosts.passwords import secret_in_form
from govhub.hosts.reach import Reach, Reaches
from govhub.hosts.variables import Declared, declared_hosts
from govhub.inventory.loader import Hub, load
from hosts.test_declared import MINI, ROLES

HOSTS = """
  - {names: "db{1..2}", racks: "site-a/h1/r02/{03..04}", role: database, arch: amd64, cores: 8, memory: 64Gi}
  - {names: "lb{1..2}", racks: "site-a/h1/r01/{01..02}", role: network, arch: amd64, cores: 8, memory: 64Gi}
"""
SERVICES = """
databases:
  - name: pg-main
    engine: postgresql
    hosts: [db1, db2]
    generation: 1
    tenants:
      - {tenant: education, database: school}
  - name: maria-main
    engine: mariadb
    hosts: [db2, db1]
    tenants:
      - {tenant: civil-affairs, database: relief}
load_balancers:
  - name: edge
    hosts: [lb1, lb2]
    address: 10.20.0.250
    listeners:
      - {name: web, port: 443, target: 30443, backends: [node1, node2], zones: [extranet]}
"""
NAMES = ("db1", "db2", "lb1", "lb2", "node1")
LAB = {"mirror_url": "http://m", "mirror_suite": "s", "mirror_key": "k", "chrony_steers": False}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The small hub with two database servers and a load balancer."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    clusters = folder / "clusters.yaml"
    clusters.write_text(clusters.read_text().rstrip() + HOSTS, encoding="utf-8")
    (folder / "services.yaml").write_text(SERVICES, encoding="utf-8")
    return loaded(folder)


def loaded(folder: Path) -> Hub:
    found = load(folder)
    assert found.hub is not None, list(found.problems)
    return found.hub


def declared(hub: Hub, names: tuple[str, ...] = NAMES) -> dict[str, Declared]:
    reached = {name: Reach(f"10.77.0.{11 + index}", "govhub") for index, name in enumerate(names)}
    return declared_hosts(hub, Reaches(reached, LAB, {"nodes": ["10.77.0.0/24"]}))


def test_the_first_host_leads_and_the_others_follow(hub: Hub) -> None:
    found = declared(hub)
    groups = {
        name: {group for group in host.groups if "_primary" in group or "_standby" in group}
        for name, host in found.items()
    }
    assert groups["db1"] == {"postgresql_primary", "mariadb_standby"}
    assert groups["db2"] == {"postgresql_standby", "mariadb_primary"}
    assert groups["lb1"] == groups["node1"] == set()
    assert found["db1"].variables["postgresql_primary"] == {}
    assert found["db2"].variables["postgresql_primary"] == {"name": "db1", "address": "10.77.0.11"}
    assert (found["db1"].variables["mariadb_number"], found["db2"].variables["mariadb_number"]) == (2, 1)
    # Transactions are numbered in a domain of the server's own, whichever host leads.
    assert found["db1"].variables["mariadb_domain"] == found["db2"].variables["mariadb_domain"] != 0
    assert roles_of(found["db2"].groups)[-2:] == ("postgresql", "mariadb")
    assert "postgresql" not in roles_of(found["lb1"].groups)


def test_roles_get_all_that_they_require_and_nothing_else(hub: Hub) -> None:
    for host in declared(hub).values():
        known = set().union(*(role_options(role) for role in roles_of(host.groups)))
        given = {name for name in host.variables if not name.startswith("govhub_")}
        assert given - known == set(), host.name
        for role in roles_of(host.groups):
            text = (ROLES / role / "meta/argument_specs.yml").read_text()
            specs = yaml.safe_load(text)["argument_specs"]["main"]["options"]
            assert {name for name, spec in specs.items() if spec.get("required")} - given == set(), (host.name, role)


def test_a_servers_memory_is_shared_by_those_on_a_host(hub: Hub) -> None:
    variables = declared(hub)["db1"].variables
    assert (variables["postgresql_memory"], variables["mariadb_memory"]) == (32768, 32768)


def test_only_clusters_and_partners_reach_a_database(hub: Hub) -> None:
    rules = {rule["name"]: rule for rule in declared(hub)["db1"].variables["firewall_rules"]}
    assert rules["postgresql"]["ports"] == [5432]
    assert rules["postgresql"]["sources"] == ["10.20.0.0/24", "10.20.16.0/20", "10.77.0.0/24"], "nodes and pods"
    assert rules["postgresql replication"]["sources"] == ["10.77.0.12/32"]
    assert rules["mariadb"]["ports"] == [3306]
    assert not any(5432 in rule["ports"] for rule in declared(hub)["node1"].variables["firewall_rules"])


def test_a_standby_whose_primary_cannot_be_reached_is_left_alone(hub: Hub) -> None:
    (host,) = declared(hub, ("db2",)).values()
    assert "postgresql" not in roles_of(host.groups)
    assert "mariadb" in roles_of(host.groups), "it leads that one"
    assert host.variables["mariadb_partners"] == []


def test_variables_and_fingerprints_hold_lookups_and_no_secret(hub: Hub) -> None:
    HubKey.of("mini").ensure()
    host = declared(hub)["db1"]
    assert isinstance(host.variables["postgresql_verifiers"]["school"], Expression)
    text = json.dumps([host.variables, fingerprint(host)])
    for form in ("plain", "scram"):
        assert secret_in_form("mini", "databases/pg-main/school", 1, 32, form) not in text
    assert "govhub_secret" not in json.dumps(fingerprint(host)), "of secrets a digest of the expression"


def test_a_raised_generation_changes_the_hosts_concerned_and_shows(hub: Hub) -> None:
    recorded: Any = {name: {"roles": json.loads(json.dumps(fingerprint(host)))} for name, host in declared(hub).items()}
    assert planned_hosts(declared(hub), recorded, {}) == []
    path = hub.folder / "services.yaml"
    path.write_text(path.read_text().replace("generation: 1", "generation: 2"), encoding="utf-8")
    found = {item.address: item for item in planned_hosts(declared(loaded(hub.folder)), recorded, {})}
    assert set(found) == {"hosts/db1", "hosts/db2"}
    shown = {".".join(map(str, item.path)): (item.old, item.new) for item in found["hosts/db1"].diff}
    assert shown["postgresql.postgresql_generation"] == (1, 2)


def test_a_new_quarter_renews_certificates_and_nothing_else(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVHUB_TODAY", date(2026, 12, 31).isoformat())
    recorded: Any = {name: {"roles": json.loads(json.dumps(fingerprint(host)))} for name, host in declared(hub).items()}
    monkeypatch.setenv("GOVHUB_TODAY", date(2027, 1, 1).isoformat())
    found = planned_hosts(declared(hub), recorded, {})
    assert {item.reason for item in found} == {"changed: certificates"}
    assert len(found) == len(NAMES)


def test_a_load_balancer_passes_on_to_hosts_and_shares_its_address(hub: Hub) -> None:
    found = declared(hub)
    (listener,) = found["lb1"].variables["load_balancer_listeners"]
    assert listener["backends"] == [{"name": "node1", "address": "10.77.0.15"}], "node2 cannot be reached"
    one, two = (found[name].variables["load_balancer_shared"] for name in ("lb1", "lb2"))
    assert (one["first"], two["first"]) == (True, False)
    assert (one["partner"], two["partner"]) == (two["own"], one["own"])
    assert one["router"] == two["router"]
    rules = {rule["name"]: rule for rule in found["lb1"].variables["firewall_rules"]}
    assert rules["partner"] == {"name": "partner", "protocol": "vrrp", "ports": [], "sources": ["10.77.0.14/32"]}
    assert "10.20.12.0/24" not in rules["web"]["sources"], "the management zone is not named"
    alone = declared(hub, ("lb1", "node1"))["lb1"].variables
    assert alone["load_balancer_shared"] == {}
