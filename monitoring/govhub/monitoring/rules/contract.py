"""The metrics that rules and dashboards may name: what the exporter and the meters promise.

Every family carries the label ``hub`` from its target beside those named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric behaves."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric's labels and behaviour."""

    labels: tuple[str, ...]
    kind: Kind = Kind.GAUGE


HALL = ("hub", "site", "hall")
ROW = (*HALL, "row")
RACK = (*ROW, "rack")
FEED = (*RACK, "side")
ELEMENT = ("hub", "site", "element", "kind")
PORT = ("hub", "site", "device", "port")

_RACK = (
    "units",
    "units_used",
    "units_contiguous",
    "weight_grams",
    "weight_limit_grams",
    "rated_watts",
    "budget_watts",
    "allocated_watts",
    "stranded_watts",
    "servers_room",
)

INVENTORY: dict[str, Family] = {
    "govhub_rack_info": Family((*RACK, "feed_a", "feed_b")),
    **{f"govhub_rack_{name}": Family(RACK) for name in _RACK},
    "govhub_rack_feed_failover_watts": Family(FEED),
    "govhub_rack_feed_limit_watts": Family(FEED),
    "govhub_power_info": Family((*ELEMENT, "parent")),
    "govhub_power_capacity_watts": Family(ELEMENT),
    "govhub_power_load_watts": Family(ELEMENT),
    "govhub_power_failover_watts": Family(ELEMENT),
    "govhub_hall_servers_room": Family((*HALL, "resource")),
    "govhub_hall_cooling_capacity_watts": Family(HALL),
    "govhub_hall_cooling_load_watts": Family(HALL),
    "govhub_hall_standard_racks": Family((*HALL, "state")),
    "govhub_figure_known_parts": Family((*HALL, "figure")),
    "govhub_figure_parts": Family((*HALL, "figure")),
    "govhub_link_capacity_bits_per_second": Family(("hub", "link", "layer")),
    "govhub_layer_oversubscription_ratio": Family(("hub", "layer")),
    "govhub_tenant_quota_cores": Family(("hub", "tenant")),
    "govhub_tenant_requests_cores": Family(("hub", "tenant")),
    "govhub_tenant_usage_cores": Family(("hub", "tenant")),
    "govhub_tenant_power_watts": Family(("hub", "tenant")),
    "govhub_pool_requests_cores": Family(("hub", "cluster", "pool", "arch")),
    "govhub_pool_capacity_after_loss_cores": Family(("hub", "cluster", "pool", "arch")),
    "govhub_ledger_standard_racks": Family(("hub", "site", "stage")),
}
FORECAST: dict[str, Family] = {
    "govhub_forecast_exhaustion_timestamp_seconds": Family((*HALL, "resource", "quantile")),
    "govhub_forecast_order_by_timestamp_seconds": Family((*HALL, "resource")),
    "govhub_forecast_backtest_error_ratio": Family((*HALL, "resource")),
    "govhub_forecast_history_seconds": Family((*HALL, "resource")),
}
HEALTH: dict[str, Family] = {
    "govhub_exporter_build_info": Family(("hub",)),
    "govhub_exporter_render_seconds": Family(("hub",)),
    "govhub_exporter_hub_loaded_timestamp_seconds": Family(("hub",)),
    "govhub_exporter_hub_valid": Family(("hub",)),
    "govhub_exporter_rendered_timestamp_seconds": Family(("hub", "site", "hall")),
    "govhub_exporter_series": Family(("hub", "site", "hall")),
}
METERS: dict[str, Family] = {
    "govhub_meter_rack_power_watts": Family(FEED),
    "govhub_meter_rack_current_amperes": Family((*FEED, "phase")),
    "govhub_meter_rack_energy_joules_total": Family(FEED, Kind.COUNTER),
    "govhub_meter_port_receive_bytes_total": Family(PORT, Kind.COUNTER),
    "govhub_meter_port_transmit_bytes_total": Family(PORT, Kind.COUNTER),
    "govhub_meter_port_speed_bits_per_second": Family(PORT),
    "govhub_meter_unread": Family((*FEED, "unit", "status")),
    "govhub_meter_facility_power_watts": Family(("hub", "site", "category")),
}
# Prometheus' own, of its documentation.
PROMETHEUS: dict[str, Family] = {
    "up": Family(("job", "instance", "hub")),
    "ALERTS": Family(("alertname", "alertstate", "severity", "hub", "site", "hall")),
    "prometheus_rule_evaluation_failures_total": Family(("rule_group",), Kind.COUNTER),
    "prometheus_rule_group_last_duration_seconds": Family(("rule_group",)),
    "prometheus_rule_group_interval_seconds": Family(("rule_group",)),
    "prometheus_rule_group_iterations_missed_total": Family(("rule_group",), Kind.COUNTER),
    "prometheus_notifications_errors_total": Family(("alertmanager",), Kind.COUNTER),
    "prometheus_notifications_sent_total": Family(("alertmanager",), Kind.COUNTER),
    "prometheus_config_last_reload_successful": Family(()),
    "scrape_duration_seconds": Family(("job", "instance", "hub")),
}
FAMILIES: dict[str, Family] = INVENTORY | FORECAST | HEALTH | METERS | PROMETHEUS

EXPORTER_JOB = "govhub-capacity"
"""The job that scrapes ``serve``, as the guide, the examples, the lab and the rules call it."""
FEDERATION_JOB = "govhub-federation"
METERS_JOBS = "(govhub-)?meters(-.+)?"
"""Jobs may be called by the place or kind of what they scrape."""
