"""Every family of metrics that the exporter has: name, labels, meaning. All are gauges, in base units.

Place labels hold the last name of each place: ``site="dongyuemiao",hall="h03",row="r01",rack="01"``. The label ``hub``
is the target's. A value that is unknown has no sample: never 0, never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

HALL = ("site", "hall")
RACK = (*HALL, "row", "rack")
FEED = (*RACK, "side")
ELEMENT = ("site", "element", "kind")
POOL = ("cluster", "pool", "arch")
FORECAST = (*HALL, "resource")
KIND = "gauge"


@dataclass(frozen=True, slots=True)
class Family:
    """A family of metrics."""

    name: str
    labels: tuple[str, ...]
    help: str


_ALL = (
    Family("govhub_rack_info", (*RACK, "feed_a", "feed_b"), "A rack and the power elements that feed it; always 1."),
    Family("govhub_rack_units", RACK, "Rack units of the rack."),
    Family("govhub_rack_units_used", RACK, "Rack units that machines take."),
    Family("govhub_rack_units_contiguous", RACK, "The largest gap of free rack units."),
    Family("govhub_rack_weight_grams", RACK, "Weight of all machines in the rack."),
    Family("govhub_rack_weight_limit_grams", RACK, "Weight that the rack bears."),
    Family("govhub_rack_rated_watts", RACK, "Power that the cabinet is rated for."),
    Family("govhub_rack_budget_watts", RACK, "Power that the hall is built for, the part of this rack."),
    Family("govhub_rack_allocated_watts", RACK, "Declared draw of all machines in the rack."),
    Family("govhub_rack_stranded_watts", RACK, "Rated power that stays unused: something else of the rack is full."),
    Family("govhub_rack_servers_room", RACK, "How many more servers of the reference size fit."),
    Family("govhub_rack_feed_failover_watts", FEED, "Load of this feed after the other side is lost."),
    Family("govhub_rack_feed_limit_watts", FEED, "Power that the breaker of this feed carries for long."),
    Family("govhub_power_info", (*ELEMENT, "parent"), "An element of the power tree and the one above it; always 1."),
    Family("govhub_power_capacity_watts", ELEMENT, "Capacity of the element with its redundant modules away."),
    Family("govhub_power_load_watts", ELEMENT, "Declared load of the element."),
    Family("govhub_power_failover_watts", ELEMENT, "Declared load after the worst single loss elsewhere."),
    Family("govhub_hall_servers_room", (*HALL, "resource"), "Servers that fit by this resource; binding is the least."),
    Family("govhub_hall_cooling_capacity_watts", HALL, "Cooling that is left when the units of the grade stand still."),
    Family("govhub_hall_cooling_load_watts", HALL, "Heat of all machines of the hall as declared."),
    Family("govhub_hall_standard_racks", (*HALL, "state"), "Standard racks declared, and those with machines in them."),
    Family("govhub_figure_known_parts", (*HALL, "figure"), "Parts of a figure of the hall that are known."),
    Family("govhub_figure_parts", (*HALL, "figure"), "All parts of a figure of the hall."),
    Family("govhub_link_capacity_bits_per_second", ("link", "layer"), "Capacity of all lines of a link, one way."),
    Family("govhub_layer_oversubscription_ratio", ("layer",), "Capacity down by capacity up of the layer's switches."),
    Family("govhub_tenant_quota_cores", ("tenant",), "Cores that the department may request."),
    Family("govhub_tenant_requests_cores", ("tenant",), "Cores that the department requests."),
    Family("govhub_tenant_usage_cores", ("tenant",), "Cores that the department uses, as far as pods tell."),
    Family("govhub_tenant_power_watts", ("tenant",), "Draw of hosts by what the department requests of them."),
    Family("govhub_pool_requests_cores", POOL, "Cores requested of the pool; without pool, of the whole cluster."),
    Family("govhub_pool_capacity_after_loss_cores", POOL, "Cores of the pool without the rack that has most of them."),
    Family("govhub_ledger_standard_racks", ("site", "stage"), "Standard racks by stage, from the beginning until now."),
    Family(
        "govhub_forecast_exhaustion_timestamp_seconds",
        (*FORECAST, "quantile"),
        "When the resource is used up, as Unix time.",
    ),
    Family("govhub_forecast_order_by_timestamp_seconds", FORECAST, "When more has to be ordered, as Unix time."),
    Family(
        "govhub_forecast_backtest_error_ratio",
        FORECAST,
        "Error of the forecast over days that are known by now, by that of saying as last week (MASE).",
    ),
    Family("govhub_forecast_history_seconds", FORECAST, "Days of measurements behind the forecast, in seconds."),
    Family("govhub_exporter_build_info", ("version",), "The version of govhub; always 1."),
    Family("govhub_exporter_hub_loaded_timestamp_seconds", (), "When the hub that is shown was loaded, as Unix time."),
    Family(
        "govhub_exporter_hub_valid",
        (),
        "Whether the files of the hub are valid now; 0 shows the last that were.",
    ),
    Family("govhub_exporter_render_seconds", (), "How long it took to make this page."),
    Family("govhub_exporter_rendered_timestamp_seconds", (), "When this page was made, as Unix time."),
    Family("govhub_exporter_series", (), "Samples of this page without those of the exporter."),
)
FAMILIES = {family.name: family for family in _ALL}
"""In the order in which pages show them."""
HEALTH = tuple(name for name in FAMILIES if name.startswith("govhub_exporter_"))
