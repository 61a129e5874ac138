"""What the pages say: known values of the hub, nothing about unknown ones, and everything exactly once."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from capacity.exporter.serving import two_sites
from govhub.inventory.loader import load
from govhub.monitoring.columns import Columns
from govhub.monitoring.compute import Pod
from govhub.monitoring.halls import Halls, Measured
from govhub.monitoring.metrics.catalogue import FAMILIES, HEALTH
from govhub.monitoring.metrics.exposition import EVERYTHING, HUB, Exposition, render, targets
from govhub.monitoring.metrics.page import Page
from govhub.monitoring.metrics.wholes import Extras, Forecast

SHIPPED = Path(__file__).parents[3] / "inventories"
EXTRAS = Extras(today=date(2026, 1, 15))
Key = tuple[str, tuple[tuple[str, str], ...]]


def parsed(text: bytes) -> dict[Key, float]:
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} stands there twice"
            found[key] = sample.value
    return found


def at(found: dict[Key, float], name: str, **labels: str) -> float | None:
    return found.get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def halls(tmp_path: Path) -> Halls:
    return Halls(Columns(two_sites(tmp_path).hub()))


def test_racks_say_what_is_known_of_them(halls: Halls) -> None:
    found = parsed(render(halls, EXTRAS))
    rack = {"site": "jz", "hall": "h1", "row": "r2", "rack": "04"}
    # One override: 12 units instead of 10; a worker c08, the database db2 and a leaf switch stand in it.
    assert at(found, "govhub_rack_units", **rack) == 12
    assert at(found, "govhub_rack_units_used", **rack) == 2 + 2 + 1
    assert at(found, "govhub_rack_rated_watts", **rack) == 4000
    assert at(found, "govhub_rack_weight_limit_grams", **rack) == 300_000
    assert at(found, "govhub_rack_info", **rack, feed_a="bus-a2", feed_b="bus-b2") == 1
    # 32 A × 220 V × 0.95, and all that stands there hangs on one side after the other is lost.
    assert at(found, "govhub_rack_feed_limit_watts", **rack, side="a") == pytest.approx(6688)
    allocated = at(found, "govhub_rack_allocated_watts", **rack)
    assert allocated
    assert at(found, "govhub_rack_feed_failover_watts", **rack, side="b") == allocated
    # Where they stand is not said: the gap is unknown, not none.
    assert at(found, "govhub_rack_units_contiguous", **rack) is None


def test_what_is_unknown_has_no_sample(halls: Halls) -> None:
    found = parsed(render(halls, EXTRAS))
    place = {"site": "bei", "hall": "h1"}
    rack = place | {"row": "r1", "rack": "01"}
    assert at(found, "govhub_rack_info", **rack, feed_a="", feed_b="") == 1
    assert at(found, "govhub_rack_units_contiguous", **rack) == at(found, "govhub_rack_units", **rack)
    assert at(found, "govhub_rack_feed_limit_watts", **rack, side="a") is None
    assert at(found, "govhub_rack_feed_failover_watts", **rack, side="b") is None
    assert at(found, "govhub_hall_cooling_capacity_watts", **place) is None
    assert at(found, "govhub_hall_cooling_load_watts", **place) == 0
    assert at(found, "govhub_hall_servers_room", **place, resource="cooling") is None
    assert at(found, "govhub_figure_known_parts", **place, figure="power.measured") == 0
    assert at(found, "govhub_figure_parts", **place, figure="power.measured") == 15
    # No cluster was asked.
    assert not any(name in ("govhub_tenant_usage_cores", "govhub_tenant_power_watts") for name, _ in found)
    assert not any(np.isnan(value) for value in found.values())


def test_cooling_of_unknown_units_is_unknown_as_a_whole(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    known = parsed(render(Halls(Columns(folder.hub())), EXTRAS))
    # Four units of 15 kW, the largest of which stands still.
    assert at(known, "govhub_hall_cooling_capacity_watts", site="jz", hall="h1") == 45_000
    folder.edit(
        "power.yaml",
        '  - {names: "crah-{1..4}", kind: crah, halls: jz/h1, kw: 15}',
        '  - {names: "crah-{1..4}", kind: crah, halls: jz/h1, kw: 15}\n  - {names: crah-x, kind: crah, halls: jz/h1}',
    )
    part = parsed(render(Halls(Columns(folder.hub())), EXTRAS))
    assert at(part, "govhub_hall_cooling_capacity_watts", site="jz", hall="h1") is None
    assert at(part, "govhub_figure_known_parts", site="jz", hall="h1", figure="cooling") == 4
    assert at(part, "govhub_figure_parts", site="jz", hall="h1", figure="cooling") == 5


def test_the_power_tree_the_network_and_departments_stand_on_the_hubs_page(halls: Halls) -> None:
    found = parsed(render(halls, EXTRAS, HUB))
    ups = {"site": "jz", "element": "ups-a", "kind": "ups"}
    assert at(found, "govhub_power_capacity_watts", **ups) == 40_000  # three modules of 20 kW, one of them redundant
    assert at(found, "govhub_power_info", **ups, parent="grid-a") == 1
    top = ups | {"element": "grid-a", "kind": "utility"}
    assert at(found, "govhub_power_info", **top, parent="") == 1
    load, failover = (at(found, f"govhub_power_{name}_watts", **ups) for name in ("load", "failover"))
    assert load is not None
    assert failover is not None
    assert 0 < load < failover
    assert {name for name, _ in found} >= {
        "govhub_link_capacity_bits_per_second",
        "govhub_layer_oversubscription_ratio",
        "govhub_tenant_quota_cores",
        "govhub_pool_requests_cores",
        "govhub_pool_capacity_after_loss_cores",
    }
    assert not any(dict(labels).get("hall") for _, labels in found)


def test_pages_of_halls_and_of_the_hub_are_everything_once(halls: Halls) -> None:
    exposition = Exposition(halls, EXTRAS)
    everything = parsed(b"".join(exposition.page(EVERYTHING).pieces))
    assert exposition.names == [HUB, "jz/h1", "bei/h1", "bei/h2"]
    union: dict[Key, float] = {}
    for name in exposition.names:
        found = parsed(b"".join(exposition.page(name).pieces))
        assert exposition.page(name).samples == len(found)
        if name != HUB:
            site, hall = name.split("/")
            assert {(dict(labels)["site"], dict(labels)["hall"]) for _, labels in found} == {(site, hall)}
        assert not found.keys() & union.keys()
        union |= found
    assert union == everything
    with pytest.raises(KeyError):
        exposition.page("jz/h2")


@pytest.mark.parametrize("name", ["jinzhou", pytest.param("yichang", marks=pytest.mark.slow)])
def test_the_page_of_a_shipped_hub_is_what_prometheus_client_writes(name: str) -> None:
    hub = load(SHIPPED / name).hub
    assert hub is not None
    text = render(Halls(Columns(hub)), EXTRAS)
    found = list(text_string_to_metric_families(text.decode()))

    class Collector:
        def collect(self) -> list[GaugeMetricFamily]:
            out = []
            for family in found:
                gauge = GaugeMetricFamily(family.name, family.documentation)
                gauge.samples = family.samples
                out.append(gauge)
            return out

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    assert sum(len(family.samples) for family in found) > 2000
    assert generate_latest(registry) == text


def test_every_sample_has_the_labels_of_its_family_and_families_their_own_order(halls: Halls) -> None:
    text = render(halls, EXTRAS)
    for name, labels in parsed(text):
        assert sorted(FAMILIES[name].labels) == [label for label, _ in labels]
    shown = [line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")]
    assert shown == [name for name in FAMILIES if name in shown]
    assert not set(shown) & set(HEALTH)


def test_measurements_raise_the_coverage_and_leave_the_lines_of_racks(halls: Halls) -> None:
    first = Exposition(halls, EXTRAS)
    first.page(EVERYTHING)
    watts = np.full(len(halls.columns.racks.addresses), np.nan)
    watts[:3] = 100.0
    second = Exposition(Halls(halls.columns, measured=Measured(watts, 12.0)), EXTRAS, first)
    found = parsed(b"".join(second.page("jz/h1").pieces))
    assert at(found, "govhub_figure_known_parts", site="jz", hall="h1", figure="power.measured") == 3
    lines = [item.text for item in first.racks["jz/h1"]]
    assert all(any(piece is line for piece in second.page("jz/h1").pieces) for line in lines if line)


def test_a_hub_read_again_keeps_the_labels_of_racks_that_stay(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    first = Exposition(Halls(Columns(folder.hub())), EXTRAS)
    folder.edit("places.yaml", "units: 12", "units: 11")
    second = Exposition(Halls(Columns(folder.hub())), EXTRAS, first)
    assert second.places is first.places
    rack = {"site": "jz", "hall": "h1", "row": "r2", "rack": "04"}
    assert at(parsed(b"".join(second.page("jz/h1").pieces)), "govhub_rack_units", **rack) == 11
    folder.edit("power.yaml", 'side: a, fed_by: "bus-a{1..2}"', 'side: a, fed_by: "bus-a1"')
    third = Exposition(Halls(Columns(folder.hub())), EXTRAS, second)
    assert third.places is not second.places
    found = parsed(b"".join(third.page("jz/h1").pieces))
    assert at(found, "govhub_rack_info", **rack, feed_a="bus-a1", feed_b="bus-b2") == 1


def test_pods_give_usage_and_watts(halls: Halls) -> None:
    tenant = halls.columns.model.tenants[0].name
    pods = [Pod(tenant, "c01", 2000, 500.0), Pod(tenant, "c02", 1000, None)]
    found = parsed(render(halls, replace(EXTRAS, pods=pods), HUB))
    assert at(found, "govhub_tenant_requests_cores", tenant=tenant) == 3
    assert at(found, "govhub_tenant_usage_cores", tenant=tenant) == 0.5
    watts = at(found, "govhub_tenant_power_watts", tenant=tenant)
    assert watts is not None
    assert watts > 0


def test_the_ledger_is_of_months_that_have_ended(tmp_path: Path) -> None:
    folder = two_sites(tmp_path)
    (folder.path / "ledger.yaml").write_text(
        "ledger:\n"
        "  - {name: l1, site: bei, month: '2025-11', planned: 100, built: 40}\n"
        "  - {name: l2, site: bei, month: '2025-12', planned: 100, energised: 30}\n"
        "  - {name: l3, site: bei, month: '2026-01', planned: 900, built: 800}\n",
        encoding="utf-8",
    )
    halls = Halls(Columns(folder.hub()))

    def stages(today: date) -> dict[str, float]:
        found = parsed(render(halls, Extras(today=today), HUB))
        keys = {stage: at(found, "govhub_ledger_standard_racks", site="bei", stage=stage) for stage in STAGES}
        return {stage: value for stage, value in keys.items() if value is not None}

    assert stages(date(2025, 11, 29)) == {}
    assert stages(date(2025, 11, 30)) == {"planned": 100, "built": 40}
    assert stages(date(2026, 1, 30)) == {"planned": 100, "built": 40, "energised": 30}
    assert stages(date(2026, 1, 31)) == {"planned": 900, "built": 800, "energised": 30}


STAGES = ("planned", "built", "energised", "sold", "loaded")


def test_forecasts_stand_with_their_hall_or_with_the_hub(halls: Halls) -> None:
    told = Forecast(
        site="bei",
        hall="h2",
        resource="power",
        exhaustion={"0.1": 1.9e9, "0.5": 2e9, "0.9": None},
        order_by=1.8e9,
        history_days=365,
    )
    extras = replace(EXTRAS, forecasts=[told, replace(told, hall="", resource="space")])
    hall, hub = (parsed(render(halls, extras, name)) for name in ("bei/h2", HUB))
    key = {"site": "bei", "hall": "h2", "resource": "power"}
    assert at(hall, "govhub_forecast_exhaustion_timestamp_seconds", **key, quantile="0.5") == 2e9
    assert at(hall, "govhub_forecast_exhaustion_timestamp_seconds", **key, quantile="0.9") is None
    assert at(hall, "govhub_forecast_order_by_timestamp_seconds", **key) == 1.8e9
    assert at(hall, "govhub_forecast_history_seconds", **key) == 365 * 86_400
    assert at(hall, "govhub_forecast_backtest_error_ratio", **key) is None
    assert at(hub, "govhub_forecast_history_seconds", site="bei", hall="", resource="space") == 365 * 86_400
    assert not any(name.startswith("govhub_forecast") for name, _ in parsed(render(halls, extras, "bei/h1")))


def test_targets_are_the_hub_and_each_hall(halls: Halls) -> None:
    found = targets("testcity", halls.columns.halls, "10.0.0.1:9840", "/govhub")
    assert found[0] == {
        "targets": ["10.0.0.1:9840"],
        "labels": {"hub": "testcity", "__metrics_path__": "/govhub/metrics/hub"},
    }
    assert found[2]["labels"] == {
        "hub": "testcity",
        "site": "bei",
        "hall": "h1",
        "__metrics_path__": "/govhub/metrics/bei/h1",
    }
    assert len(found) == 4


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(max_size=50))
def test_a_compressed_page_is_one_member_of_gzip_with_all_of_it(pieces: list[bytes], tail: bytes) -> None:
    page = Page(tuple(pieces), 0)
    packed = b"".join(page.gzipped(tail))
    assert gzip.decompress(packed) == b"".join(page.plain(tail)) == b"".join(pieces) + tail
    # Clients that read a single member see all of it, too; the rest of the page is not compressed again.
    import zlib

    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(packed) == b"".join(pieces) + tail
    assert reader.eof
    assert reader.unused_data == b""
    assert gzip.decompress(b"".join(page.gzipped(b"other"))) == b"".join(pieces) + b"other"
