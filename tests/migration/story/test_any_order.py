"""Whatever happens in whatever order, no acknowledged commit is lost and none is there twice: writes, kills, cutovers,
rehearsals, cancels and returns in any order, with real servers and workers."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from govhub.core.errors import PolicyViolation
from govhub.lab.postgres import Server
from migration.city import City
from migration.movers.writers import consistent, missing
from migration.story.clearing import town_of
from migration.story.towns import Town
from migration.story.workers import killed, on_the_target, open_run

pytestmark = pytest.mark.postgres
ITINERARIES = ("rehearse", "migrate", "cancel", "roll-back")
ACTS = st.one_of(
    # A worker begins an itinerary, or goes on with what is open, and dies before its n-th word to a server (0: lives).
    st.tuples(st.sampled_from((*ITINERARIES, "", "")), st.one_of(st.just(0), st.integers(1, 60), st.integers(60, 400))),
    st.just(("approve", 0)),
    st.just(("write", 0)),
)
ORDERS = st.lists(ACTS, min_size=4, max_size=9)


def act(town: Town, what: str, number: int) -> None:
    if what == "write":
        time.sleep(0.4)
    elif what == "approve":
        try:
            town.city.everybody_approves()
        except PolicyViolation:
            # Nothing waits for it.
            return
    elif what or open_run(town):
        killed(town, what, "*", number, WAIT="6")


def settle(town: Town) -> None:
    """Come to an end from wherever it stands: whatever is open is gone back from, or finished."""
    run = open_run(town)
    if run is None:
        return
    back = {"migrate": "roll-back" if run.committed else "cancel", "rehearse": "cancel"}
    found = town.run(back.get(run.itinerary, ""), wait=120)
    assert found["state"] == "done", found


def kept(city: City, two: tuple[Server, Server], order: list[tuple[str, int]]) -> None:
    with town_of(city, two) as town:
        with town.writers() as writers:
            for what, number in order:
                act(town, what, number)
            settle(town)
            since = len(writers.acknowledged)
            end = time.monotonic() + 10
            while len(writers.acknowledged) == since and time.monotonic() < end:
                time.sleep(0.1)
            assert len(writers.acknowledged) > since, "nobody can write any more"
        there = town.new if on_the_target(town) else town.old
        assert writers.problems == []
        assert missing(there, writers.acknowledged) == []
        assert consistent(there)


def fresh(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> City:
    from migration.city import make_city

    folder = tmp_path_factory.mktemp("city")
    monkeypatch.setenv("GOVHUB_HOME", str(folder / "home"))
    return make_city(folder)


def test_a_known_order_keeps_every_commit(city: City, two: tuple[Server, Server]) -> None:
    kept(city, two, [("migrate", 150), ("write", 0), ("cancel", 20)])


@pytest.mark.slow
def test_a_longer_order_keeps_every_commit(city: City, two: tuple[Server, Server]) -> None:
    kept(city, two, [("migrate", 150), ("write", 0), ("", 0), ("approve", 0), ("", 90), ("", 0), ("roll-back", 30)])


@pytest.mark.slow
def test_any_order_keeps_every_commit(
    city: City,  # its environment
    two: tuple[Server, Server],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert city.hub.exists()

    @settings(
        max_examples=8,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(order=ORDERS)
    def holds(order: list[tuple[str, int]]) -> None:
        kept(fresh(tmp_path_factory, monkeypatch), two, order)

    holds()
