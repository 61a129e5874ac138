"""What a declared move opens on the host that it goes to, and that nothing else is opened by it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from govhub.hosts.audit import settings
from govhub.hosts.audit.judge import subject_of
from govhub.hosts.reach import Reach, Reaches
from govhub.hosts.variables import Declared, declared_hosts
from govhub.inventory.loader import load
from govhub.inventory.moves import account_of
from hosts.readings import reading
from hosts.test_audit import NOW
from hosts.test_declared import MINI
from hosts.test_services_declared import HOSTS, LAB, SERVICES

MOVES = """
sources:
  - {name: old-edu-1, tenant: education, address: 10.20.64.9}
  - {name: old-edu-2, tenant: education, address: old2.edu.gov.internal}
migrations:
  - system: school-enrolment
    moves:
      - {name: db, kind: postgresql, source: old-edu-1, database: enrol, to: pg-main}
      - {name: more, kind: postgresql, source: old-edu-2, database: more, to: pg-main}
      - {name: papers, kind: files, source: old-edu-1, path: /srv/papers, to: db1}
"""
BLOCK = "# why\nMatch User govhub\n  AllowTcpForwarding local\n  PermitOpen 127.0.0.1:5432"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    made = tmp_path / "mini"
    shutil.copytree(MINI, made)
    clusters = made / "clusters.yaml"
    clusters.write_text(clusters.read_text().rstrip() + HOSTS, encoding="utf-8")
    (made / "services.yaml").write_text(SERVICES, encoding="utf-8")
    (made / "migrations.yaml").write_text(MOVES, encoding="utf-8")
    return made


def hosts(folder: Path) -> dict[str, Declared]:
    hub = load(folder).hub
    assert hub is not None
    reached = {name: Reach(f"10.77.0.{11 + index}", "govhub") for index, name in enumerate(("db1", "db2", "node1"))}
    sources = {item.name: Reach(item.address or "", item.login) for item in hub.model.sources}
    return declared_hosts(hub, Reaches(reached, LAB, sources=sources))


def test_a_declared_move_opens_its_targets_hosts_to_its_source_alone(folder: Path) -> None:
    found = hosts(folder)
    # Either host can take over.
    for name in ("db1", "db2"):
        rules = {rule["name"]: rule for rule in found[name].variables["firewall_rules"]}
        assert (rules["postgresql moves"]["ports"], rules["postgresql moves"]["sources"]) == ([5432], ["10.20.64.9/32"])
        assert "mariadb moves" not in rules
        assert found[name].variables["ssh_forwards"] == [5432]
    (move,) = found["db1"].variables["postgresql_moves"]
    assert move == {
        "system": "school-enrolment",
        "source": "old-edu-1",
        "address": "10.20.64.9/32",
        "account": account_of("mini", "school-enrolment", "db"),
        "database": "enrol",
        "movers": [],
    }
    assert found["node1"].variables["ssh_forwards"] == []


def test_the_places_of_movers_are_let_in_with_the_moves_account(folder: Path) -> None:
    movers = "[{host: node1}, {host: db2, systems: [another-system]}]"
    (folder / "migrations.yaml").write_text(f"migration:\n  movers: {movers}\n{MOVES}", encoding="utf-8")
    variables = hosts(folder)["db1"].variables
    rules = {rule["name"]: rule["sources"] for rule in variables["firewall_rules"]}
    assert rules["postgresql moves"] == ["10.20.64.9/32", "10.77.0.13/32"]
    assert [move["movers"] for move in variables["postgresql_moves"]] == [["10.77.0.13/32"]]


def test_a_declared_move_of_mariadb_opens_the_same_and_names_its_account(folder: Path) -> None:
    file = folder / "migrations.yaml"
    file.write_text(file.read_text().replace("kind: postgresql", "kind: mariadb").replace("pg-main", "maria-main"))
    found = hosts(folder)
    for name in ("db1", "db2"):
        rules = {rule["name"]: rule for rule in found[name].variables["firewall_rules"]}
        assert (rules["mariadb moves"]["ports"], rules["mariadb moves"]["sources"]) == ([3306], ["10.20.64.9/32"])
        assert found[name].variables["ssh_forwards"] == [3306]
        (move,) = found[name].variables["mariadb_moves"]
        assert move["account"] == account_of("mini", "school-enrolment", "db")
    file.unlink()
    host = hosts(folder)["db1"]
    assert (host.variables["ssh_forwards"], host.variables["mariadb_moves"]) == ([], [])


def test_it_is_closed_again_with_the_entry(folder: Path) -> None:
    (folder / "migrations.yaml").unlink()
    host = hosts(folder)["db1"]
    assert (host.variables["ssh_forwards"], host.variables["postgresql_moves"]) == ([], [])
    assert not any("moves" in rule["name"] for rule in host.variables["firewall_rules"])


@pytest.mark.parametrize(
    ("block", "finds"),
    [
        (BLOCK, None),
        (f"{BLOCK} 127.0.0.1:22", "PermitOpen 127.0.0.1:5432 127.0.0.1:22"),
        (BLOCK.replace("local", "yes"), "AllowTcpForwarding yes"),
        (f"{BLOCK}\n  X11Forwarding yes", "X11Forwarding yes"),
        (f"{BLOCK}\nMatch User root\n  PermitRootLogin yes", "PermitRootLogin yes"),
        ("", None),
    ],
    ids=["as declared", "another port", "both directions", "something else", "somebody else", "not opened yet"],
)
def test_the_audit_takes_the_declared_opening_and_no_other(folder: Path, block: str, finds: str | None) -> None:
    found = settings.sshd(subject_of(hosts(folder)["db1"], reading(sshd="x y", matches=block), NOW))
    assert found == [] if finds is None else any(finds in item for item in found)


def test_the_audit_finds_an_opening_that_is_no_longer_declared(folder: Path) -> None:
    (folder / "migrations.yaml").unlink()
    found = settings.sshd(subject_of(hosts(folder)["db1"], reading(sshd="x y", matches=BLOCK), NOW))
    assert "settings depend on who comes: Match User govhub" in found
