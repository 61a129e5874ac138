"""Name patterns and what the topology makes of them."""

from __future__ import annotations

import time

import pytest

from govhub.inventory.patterns import LIMIT, PatternError, expand
from inventory.hubs import HubFolder


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("r1", ["r1"]),
        ("r{1..3}", ["r1", "r2", "r3"]),
        ("r{08..11}", ["r08", "r09", "r10", "r11"]),
        ("{9..10}", ["9", "10"]),
        ("{a,b}{1..2}", ["a1", "a2", "b1", "b2"]),
        ("{a, b}-x", ["a-x", "b-x"]),
        ("r{5..5}", ["r5"]),
        ("jz/h1/r{1..2}/{01..02}", ["jz/h1/r1/01", "jz/h1/r1/02", "jz/h1/r2/01", "jz/h1/r2/02"]),
    ],
)
def test_a_pattern_stands_for_its_names_in_order(pattern: str, names: list[str]) -> None:
    assert expand(pattern) == names


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("r{1..", "brace without its partner"),
        ("r1}", "brace without its partner"),
        ("r{{1..2}}", "brace without its partner"),
        ("r{3..1}", "falls"),
        ("r{}", "write a range"),
        ("r{a}", "write a range"),
        ("r{a,}", "write a range"),
        ("r{1..a}", "write a range"),
        ("r{1...3}", "write a range"),
        ("r{-1..3}", "write a range"),
        ("r{0..999999999}", "more than 1,000,000 names"),
        ("r{0..9999999999}", "write a range"),
        ("{0..1000}{0..1000}", "more than 1,000,000 names"),
    ],
)
def test_a_broken_pattern_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        expand(pattern)


def test_a_pattern_beyond_the_limit_is_refused_before_it_is_expanded() -> None:
    start = time.perf_counter()
    with pytest.raises(PatternError):
        expand("{1..900000}" * 5)

    # Ranges are listed one by one before their product is known, so this is not instant.
    assert time.perf_counter() - start < 5
    assert LIMIT == 1_000_000


def test_rows_times_racks_beyond_the_limit_are_refused_before_they_are_made(base: HubFolder) -> None:
    base.edit("places.yaml", "names: r{1..2}", "names: r{1..99999}")
    base.edit("places.yaml", 'racks: "{01..04}"', 'racks: "{1..99999}"')

    start = time.perf_counter()
    found = base.check()

    assert "PLC006" in {item.code for item in found}
    assert time.perf_counter() - start < 3


def test_hosts_go_round_their_racks(base: HubFolder) -> None:
    base.edit("places.yaml", "names: c{01..08}", "names: c{01..10}")

    hosts = base.hub().topology.hosts

    assert hosts["c01"].rack == hosts["c09"].rack == "jz/h1/r1/01"
    assert hosts["c08"].rack == "jz/h1/r2/04"
    assert hosts["c08"].row == "jz/h1/r2"


def test_an_override_changes_only_the_fields_it_gives(base: HubFolder) -> None:
    rack = base.hub().topology.racks["jz/h1/r2/04"]

    assert (rack.units, rack.rated_kw, rack.max_kg) == (12, 4, 300)


def test_a_removed_rack_is_gone_whatever_a_later_override_says(base: HubFolder) -> None:
    base.edit("places.yaml", "- racks: r2/04\n", "- {racks: 'r2/{03..04}', removed: true}\n          - racks: r2/04\n")

    topology = base.hub().topology

    assert "jz/h1/r2/04" not in topology.racks
    assert len(topology.racks) == 6


def test_nodes_are_the_workers_of_the_cluster(base: HubFolder) -> None:
    topology = base.hub().topology

    assert len(topology.nodes("main")) == 12
    assert topology.nodes("other") == []
    assert topology.hosts["db1"].cluster == ""
