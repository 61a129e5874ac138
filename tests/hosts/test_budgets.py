"""Which hosts may be in work together: budgets, pairs and pools are kept, and every host has its turn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govhub.ops.upgrading.budgets import Account, Budget, Limits, Load, allowed_of, obstacles, rounds

EDUCATION, HEALTH = ("main", "education"), ("main", "health")


def limits(at_once: int = 8, **more: Budget) -> Limits:
    return Limits(at_once=at_once, budgets={("main", tenant): budget for tenant, budget in more.items()})


def names(found: list[list[Load]]) -> list[list[str]]:
    return [[load.host for load in part] for part in found]


@pytest.mark.parametrize(
    ("share", "count", "allowed"),
    [
        ("25%", 8, 2),
        ("25%", 9, 3),
        ("25%", 1, 1),
        ("25%", 0, 0),
        ("0%", 9, 0),
        ("100%", 9, 9),
        ("3", 2, 3),
        ("0", 5, 0),
    ],
)
def test_a_share_is_rounded_up_and_a_count_is_a_count(share: str, count: int, allowed: int) -> None:
    assert allowed_of(share, count) == allowed


def test_a_host_fits_beside_others_as_long_as_the_budget_lasts() -> None:
    one, two = Load(host="a", away={EDUCATION: 2}), Load(host="b", away={EDUCATION: 1})
    within = limits(education=Budget(pods=12, allowed=3))
    assert list(obstacles(two, [one], within)) == []
    (found,) = obstacles(two, [one], limits(education=Budget(pods=12, allowed=3, gone=1)))
    assert found.tenant == "education"
    assert found.text == (
        "education would lose 1 of 12 pods on main, and 3 may be away at once (1 not ready, 2 on hosts in work)"
    )


def test_a_department_without_a_budget_loses_nothing_and_clusters_have_their_own() -> None:
    assert [item.tenant for item in obstacles(Load(host="a", away={HEALTH: 1}), (), limits())] == ["health"]
    one, two = Load(host="a", away={("east", "health"): 1}), Load(host="b", away={("west", "health"): 1})
    budget = Budget(pods=4, allowed=1)
    both = Limits(at_once=2, budgets={("east", "health"): budget, ("west", "health"): budget})
    assert list(obstacles(two, [one], both)) == []


def test_a_confirmed_department_loses_more_than_its_budget_to_one_host_alone() -> None:
    large, small = Load(host="a", away={EDUCATION: 5}), Load(host="b", away={EDUCATION: 1})
    other = Load(host="c", away={HEALTH: 1})
    within = limits(education=Budget(pods=6, allowed=2), health=Budget(pods=4, allowed=1))
    assert [item.tenant for item in obstacles(large, (), within)] == ["education"]
    said = replace(within, confirmed=frozenset({"education"}))
    assert not any(obstacles(large, [other], said))
    assert any(obstacles(large, [small], said))
    assert any(obstacles(small, [large], said))
    assert names(rounds([large, small, other], said)) == [["a", "c"], ["b"]]


def test_a_pair_a_pool_and_a_host_that_others_need_are_kept_apart() -> None:
    pair = [Load(host=name, groups=frozenset({"database pg"})) for name in ("db1", "db2")]
    pool = [Load(host=f"n{i}", groups=frozenset({"pool"}), needs=frozenset({"store"})) for i in range(4)]
    of_pools = Limits(at_once=9, groups={"pool": 3})
    found = names(rounds([*pair, *pool, Load(host="store")], of_pools))
    assert found == [["db1", "n0", "n1", "n2"], ["db2", "n3"], ["store"]]


def test_hosts_stay_in_the_hubs_order_when_one_is_taken_at_a_time() -> None:
    loads = [Load(host=f"n{i}", away={EDUCATION: i}) for i in (1, 3, 2)]
    assert names(rounds(loads, limits(1, education=Budget(pods=9, allowed=9)))) == [["n1"], ["n3"], ["n2"]]


def test_the_large_ones_come_first_where_that_saves_rounds() -> None:
    loads = [Load(host=f"n{i}", away={EDUCATION: count}) for i, count in enumerate((1, 1, 2, 2, 3, 3))]
    found = rounds(loads, limits(education=Budget(pods=12, allowed=4)))
    assert len(found) == 3, "12 pods within 4 at a time"
    members = [Load(host=f"m{i}", groups=frozenset({"one by one"})) for i in range(4)]
    others = [Load(host=f"o{i}") for i in range(4)]
    assert len(rounds([*others, *members], Limits(at_once=2))) == 4, "each of the group beside one of the others"


ACCOUNTS: list[Account] = [("east", "education"), ("east", "health"), ("west", "education")]


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Load], Limits]:
    hosts = [f"h{i}" for i in range(draw(st.integers(0, 10)))]
    few = st.integers(0, 4)
    loads = [
        Load(
            host=host,
            away=draw(st.dictionaries(st.sampled_from(ACCOUNTS), few, max_size=3)),
            groups=draw(st.frozensets(st.sampled_from(["pair", "pool"]), max_size=2)),
            needs=draw(st.frozensets(st.sampled_from(hosts), max_size=1)) - {host},
        )
        for host in hosts
    ]
    budget = st.builds(
        lambda pods, allowed, gone: Budget(pods=pods, allowed=allowed, gone=gone), few, st.integers(0, 8), few
    )
    found = Limits(
        at_once=draw(st.integers(1, 5)),
        budgets=draw(st.dictionaries(st.sampled_from(ACCOUNTS), budget)),
        groups=draw(st.dictionaries(st.just("pool"), st.integers(1, 4))),
        confirmed=draw(st.frozensets(st.sampled_from(["education", "health"]))),
    )
    return loads, found


def exceeded(part: list[Load], within: Limits) -> list[str]:
    """What a set of hosts breaks, said without the code that is tested."""
    found = ["at once"] if len(part) > within.at_once else []
    for group, count in Counter(group for load in part for group in load.groups).items():
        found += [group] if count > (within.groups.get(group, 1)) else []
    hosts = {load.host for load in part}
    found += [load.host for load in part if load.needs & hosts]
    for account in ACCOUNTS:
        parts = [load.away[account] for load in part if load.away.get(account)]
        budget = within.budgets.get(account, Budget())
        alone = account[1] in within.confirmed and len(parts) == 1
        found += [str(account)] if parts and not alone and sum(parts) + budget.gone > budget.allowed else []
    return found


@settings(max_examples=100, deadline=None)
@given(problems())
def test_no_round_exceeds_anything_and_every_host_that_fits_has_one_turn(case: tuple[list[Load], Limits]) -> None:
    loads, within = case
    fits = [load for load in loads if not any(obstacles(load, (), within))]
    assert [load.host for load in fits] == [load.host for load in loads if not exceeded([load], within)]
    found = rounds(fits, within)
    assert sorted(load.host for part in found for load in part) == sorted(load.host for load in fits)
    assert [exceeded(part, within) for part in found] == [[]] * len(found)
    firsts = [fits.index(part[0]) for part in found]
    assert firsts == sorted(firsts)


@settings(max_examples=100, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_hosts_that_start_as_others_end_never_exceed_anything_either(
    case: tuple[list[Load], Limits], chance: Random
) -> None:
    loads, within = case
    waiting = [load for load in loads if not any(obstacles(load, (), within))]
    wanted, done, busy = len(waiting), list[Load](), list[Load]()
    while waiting or busy:
        for load in list(waiting):
            if not any(obstacles(load, busy, within)):
                busy.append(load)
                waiting.remove(load)
        assert busy, "somebody always fits when nobody is in work"
        assert exceeded(busy, within) == []
        done.append(busy.pop(chance.randrange(len(busy))))
    assert len(done) == wanted
