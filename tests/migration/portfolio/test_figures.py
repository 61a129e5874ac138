"""Estimates follow their formulas; rates count what is known, and a rate over nothing is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import MoveKind, Strategy
from govhub.migration.portfolio.estimate import RATES, Estimate, estimate, together
from govhub.migration.portfolio.rates import figures, integration_rate, migration_rate
from govhub.migration.portfolio.units import amount, duration
from migration.portfolio.sources import loaded, moving_hub

GB = 10**9
PG = MoveKind.POSTGRESQL


def test_the_copy_goes_as_fast_as_the_slower_of_line_and_engine() -> None:
    assert estimate(PG, 8 * GB, 100, online=True).copy == pytest.approx(8 * GB / (100e6 / 8 * 0.8))
    assert estimate(PG, 8 * GB, 100_000, online=True).copy == pytest.approx(8 * GB / RATES[PG])


def test_the_pause_online_is_draining_and_switching_and_what_is_not_replicated() -> None:
    assert estimate(PG, 8 * GB, 1000, online=True).pause == 30
    assert estimate(PG, 8 * GB, 100_000, online=True, large=GB).pause == pytest.approx(30 + GB / RATES[PG])


def test_the_pause_offline_is_the_copy_the_check_and_the_switch() -> None:
    for online in (False, None):
        found = estimate(PG, 8 * GB, 100_000, online=online)
        assert found.pause == pytest.approx(8 * GB / RATES[PG] * 2 + 20), "what is not known is not hoped for"


def test_files_pause_for_their_last_pass() -> None:
    found = estimate(MoveKind.FILES, 6 * GB, 100_000, online=None, files=200_000)
    assert found.pause == pytest.approx(10 + 6 * GB * 0.01 / RATES[MoveKind.FILES] + 10 + 20)
    unknown = estimate(MoveKind.FILES, 6 * GB, 100_000, online=None)
    assert (unknown.copy, unknown.pause) == (found.copy, None), "as many files as nobody counted"


def test_an_unknown_size_makes_unknown_times_alone_and_together() -> None:
    unknown = estimate(PG, None, 1000, online=True)
    assert unknown == Estimate(bytes=None, copy=None, pause=None, online=True)
    whole = together([unknown, estimate(PG, GB, 1000, online=True)])
    assert (whole.bytes, whole.copy, whole.pause) == (None, None, None)


def test_moves_of_one_system_share_the_line_and_one_switch() -> None:
    one = estimate(PG, GB, 1000, online=True)
    both = together([one, one, estimate(MoveKind.APPLICATION, 0, 1000, online=True)])
    assert one.copy is not None
    assert both.copy == pytest.approx(2 * one.copy)
    assert both.pause == 10 + 10 + 20


def test_amounts_are_told_as_people_do() -> None:
    assert [amount(item) for item in (None, 0, 1023, 1536, 2**40)] == ["unknown", "0 B", "1023 B", "1.5 KiB", "1.0 TiB"]
    assert [duration(item) for item in (None, 45.2, 600, 9000)] == ["unknown", "45 s", "10 min", "2.5 h"]


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Three systems: one with moves, two of which nobody said where they run."""
    return loaded(moving_hub(tmp_path))


def test_what_nobody_knows_is_in_no_number(hub: Hub) -> None:
    rate = migration_rate(hub.model, hub.model.systems, {})
    assert (rate.numerator, rate.denominator, rate.unknown, rate.excluded) == (0, 1, 2, 0)
    assert rate.value == 0
    assert rate.coverage == pytest.approx(1 / 3)
    aid = [item for item in hub.model.systems if item.tenant == "civil-affairs"]
    empty = migration_rate(hub.model, aid, {})
    assert (empty.value, empty.coverage, empty.unknown) == (None, 0.0, 1), "unknown is not zero"


def test_what_was_cut_over_counts_and_what_went_back_does_not(hub: Hub) -> None:
    rate = migration_rate(hub.model, hub.model.systems, {"school-enrolment": True, "open-days": False})
    assert (rate.numerator, rate.denominator, rate.unknown) == (1, 2, 1)


def test_what_stays_or_ends_is_left_out(hub: Hub) -> None:
    (migration,) = hub.model.migrations
    for strategy in (Strategy.RETAIN, Strategy.RETIRE):
        decided = migration.model_copy(update={"strategy": strategy})
        model = hub.model.model_copy(update={"migrations": [decided]})
        rate = migration_rate(model, model.systems, {"school-enrolment": True})
        assert (rate.denominator, rate.unknown, rate.excluded) == (0, 2, 1)
    first = hub.model.systems[0].model_copy(update={"classified": True})
    assert migration_rate(hub.model, [first], {}).excluded == 1


def test_systems_are_integrated_by_declared_flows_to_the_platform(hub: Hub) -> None:
    rate = integration_rate(hub.model, hub.model.systems)
    assert (rate.numerator, rate.denominator, rate.unknown) == (1, 3, 0)
    silent = hub.model.systems[0].model_copy(update={"flows": []})
    rate = integration_rate(hub.model, [silent, hub.model.systems[1]])
    assert (rate.numerator, rate.denominator, rate.unknown, rate.coverage) == (0, 1, 1, 0.5)


def test_figures_are_told_over_all_and_by_department_with_what_they_count(hub: Hub) -> None:
    document = figures(hub.model, {})
    assert set(document["definitions"]) == {"migration_rate", "integration_rate"}
    assert {name: item["systems"] for name, item in document["departments"].items()} == {
        "education": 2,
        "civil-affairs": 1,
    }
    assert document["departments"]["civil-affairs"]["migration_rate"] == {
        "rate": None,
        "numerator": 0,
        "denominator": 0,
        "unknown": 1,
        "excluded": 0,
        "coverage": 0.0,
    }
    total = sum(item["migration_rate"]["unknown"] for item in document["departments"].values())
    assert total == document["all"]["migration_rate"]["unknown"]
