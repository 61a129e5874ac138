"""Configuration of snmp_exporter and Prometheus: what is walked, and under which names it is kept.

What leaves here has the names and labels of the catalogue of metrics, whatever the meters' MIB: rules and readings need
not know it. snmp_exporter's file is in the form of its versions up to 0.22, as Debian 12 has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from govhub.lab.meters.model import CATEGORIES
from govhub.lab.meters.plan import Agent
from govhub.lab.meters.tables import (
    ENTITY_NAME,
    FEED_CURRENT,
    FEED_ENERGY,
    IF_IN,
    IF_NAME,
    IF_OUT,
    IF_SPEED,
    OK,
    SENSOR_PRECISION,
    SENSOR_SCALE,
    SENSOR_STATUS,
    SENSOR_TYPE,
    SENSOR_VALUE,
    UNITS,
    WATTS,
)
from govhub.lab.meters.wire import Oid

SERVE_JOB = "govhub-capacity"
"""As the guide and the rules call the job that scrapes ``serve``."""
REPETITIONS = 120
"""Variables in one answer: a row of 36 racks with two feeds is walked in ten requests."""
RETRIES = 1
_SENSOR = {
    "entPhySensorType": SENSOR_TYPE,
    "entPhySensorScale": SENSOR_SCALE,
    "entPhySensorPrecision": SENSOR_PRECISION,
    "entPhySensorOperStatus": SENSOR_STATUS,
}
# Relabelling does not reckon: only what is whole watts is read as watts.
_IN_WATTS = f"entPhySensorValue;{WATTS};{UNITS};0;{OK}"
# The only amount that SNMP has in another unit and that relabelling cannot change: it renames, it does not reckon.
RULES = """groups:
- name: govhub-meters
  rules:
  - record: govhub_meter_port_speed_bits_per_second
    expr: govhub_meter_port_speed_megabits_per_second * 1e6
"""
_PLACES = {"row": ("site", "hall", "row"), "hall": ("site", "hall"), "switch": ("site", "device")}


def snmp_config(community: str, timeout: int) -> str:
    """The file of snmp_exporter; it holds the community, so it is for nobody else's eyes.

    Args:
        community: Of all agents.
        timeout: Seconds for one request.
    """
    feeds = [
        _metric("meterFeedCurrent", FEED_CURRENT, "DisplayString", "entPhysicalIndex", [_name_of_sensor()])
        | {"regex_extracts": {"Amperes": [{"regex": r"^([0-9]+\.[0-9]+)$", "value": "$1"}]}},
        _metric("meterFeedEnergy", FEED_ENERGY, "counter", "entPhysicalIndex", [_name_of_sensor()]),
    ]
    name = {"labels": ["ifIndex"], "labelname": "ifName", "oid": _dotted(IF_NAME), "type": "DisplayString"}
    ports = [
        _metric("ifHCInOctets", IF_IN, "counter", "ifIndex", [name]),
        _metric("ifHCOutOctets", IF_OUT, "counter", "ifIndex", [name]),
        _metric("ifHighSpeed", IF_SPEED, "gauge", "ifIndex", [name]),
    ]
    sensors = [ENTITY_NAME, SENSOR_TYPE[:-1]]
    modules = {
        "row": _module([*sensors, FEED_CURRENT[:-1]], [_sensor_value(), *feeds]),
        "hall": _module(sensors, [_sensor_value()]),
        "switch": _module([IF_NAME, IF_IN, IF_OUT, IF_SPEED], ports),
    }
    common = {
        "version": 2,
        "max_repetitions": REPETITIONS,
        "retries": RETRIES,
        "timeout": f"{timeout}s",
        "auth": {"community": community},
    }
    return yaml.safe_dump({name: module | common for name, module in modules.items()}, sort_keys=False)


def targets(agents: Iterable[Agent], hub: str, port: int) -> dict[str, str]:
    """Files of targets for Prometheus' file_sd, by kind of agent."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _PLACES}
    for agent in agents:
        if agent.kind != "row" or agent.feeds:
            target = {"targets": [f"{agent.address}:{port}"], "labels": {"hub": hub, **agent.labels}}
            found[agent.kind].append(target)
    return {kind: json.dumps(items, ensure_ascii=False) for kind, items in found.items()}


def prometheus_config(
    exporter: str,
    interval: int,
    *,
    hub: str,
    kubelets: str = "",
    serve: str = "",
    alertmanager: str = "",
    rules: str = "rules/*.yml",
) -> str:
    """Prometheus' file; paths in it are relative to its own folder.

    Args:
        exporter: ``host:port`` of snmp_exporter.
        interval: Seconds between two polls of the same agent.
        hub: The hub's name, a label of all.
        kubelets: ``host:port`` of the counters of pods; none when empty.
        serve: Address of a running ``serve``, whose halls become targets; none when empty.
        alertmanager: ``host:port``; none when empty.
        rules: Pattern of the files with rules.
    """
    jobs = [_snmp_job(kind, exporter, interval) for kind in _PLACES]
    if kubelets:
        static = {"targets": [kubelets], "labels": {"hub": hub}}
        jobs.append({"job_name": "kubelets", "static_configs": [static]})
    if serve:
        jobs.append(
            {
                "job_name": SERVE_JOB,
                # Places are the samples' own; a target adds its hall to what says none.
                "honor_labels": True,
                "scrape_interval": f"{max(interval, 30)}s",
                "scrape_timeout": f"{min(interval, 30)}s",
                "http_sd_configs": [{"url": f"{serve.rstrip('/')}/sd", "refresh_interval": "60s"}],
            }
        )
    config: dict[str, Any] = {
        "global": {"scrape_interval": f"{interval}s", "evaluation_interval": f"{interval}s"},
        "rule_files": [rules],
        "scrape_configs": jobs,
    }
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    return yaml.safe_dump(config, sort_keys=False)


def _snmp_job(kind: str, exporter: str, interval: int) -> dict[str, Any]:
    return {
        "job_name": f"meters-{kind}",
        "scrape_interval": f"{interval}s",
        "scrape_timeout": f"{min(interval, 30)}s",
        "metrics_path": "/snmp",
        "params": {"module": [kind]},
        "file_sd_configs": [{"files": [f"targets-{kind}.json"], "refresh_interval": "30s"}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": exporter},
        ],
        "metric_relabel_configs": [*_RELABEL[kind], _drop(r"entPhy.*|ifIndex|ifName|meterFeedCurrent")],
    }


def _renamed(pattern: str, to: str, *labels: str) -> dict[str, Any]:
    return {
        "source_labels": ["__name__", *labels],
        "regex": pattern,
        "target_label": "__name__",
        "replacement": to,
    }


def _label(source: str, regex: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": regex, "target_label": target, "replacement": "$1"}


def _drop(labels: str) -> dict[str, Any]:
    return {"regex": labels, "action": "labeldrop"}


def _only(names: str) -> dict[str, Any]:
    """Keep what has a name of the catalogue, and how long the walk took."""
    return {
        "source_labels": ["__name__"],
        "regex": f"{names}|snmp_scrape_(?:duration_seconds|pdus_returned)",
        "action": "keep",
    }


def _values(name: str) -> list[dict[str, Any]]:
    """A sensor that works and tells W gets ``name``; any other is kept as unread, with what it says of itself."""
    read = _renamed(_IN_WATTS, name, *_SENSOR)
    unread = {**_renamed("entPhySensorValue", "govhub_meter_unread")}
    unit = {
        "source_labels": ["__name__", "entPhySensorType", "entPhySensorScale", "entPhySensorPrecision"],
        "regex": "govhub_meter_unread;(.*)",
        "target_label": "unit",
        "replacement": "$1",
    }
    status = {
        "source_labels": ["__name__", "entPhySensorOperStatus"],
        "regex": "govhub_meter_unread;(.*)",
        "target_label": "status",
        "replacement": "$1",
    }
    return [read, unread, unit, status]


_RELABEL: Mapping[str, list[dict[str, Any]]] = {
    "row": [
        *_values("govhub_meter_rack_power_watts"),
        _renamed("meterFeedCurrentAmperes", "govhub_meter_rack_current_amperes"),
        _renamed("meterFeedEnergy", "govhub_meter_rack_energy_joules_total"),
        _only("govhub_meter_(?:rack_.*|unread)"),
        _label("entPhysicalName", r"([^/]+)/[ab](?:/[123])?", "rack"),
        _label("entPhysicalName", r"[^/]+/([ab])(?:/[123])?", "side"),
        _label("entPhysicalName", r"[^/]+/[ab]/([123])", "phase"),
    ],
    "hall": [
        *_values("govhub_meter_facility_power_watts"),
        _only("govhub_meter_(?:facility_.*|unread)"),
        _label("entPhysicalName", f"({'|'.join(CATEGORIES)})", "category"),
    ],
    "switch": [
        _renamed("ifHCInOctets", "govhub_meter_port_receive_bytes_total"),
        _renamed("ifHCOutOctets", "govhub_meter_port_transmit_bytes_total"),
        _renamed("ifHighSpeed", "govhub_meter_port_speed_megabits_per_second"),
        _only("govhub_meter_port_.*"),
        _label("ifName", "(.*)", "port"),
    ],
}


def _sensor_value() -> dict[str, Any]:
    about = [
        {"labels": ["entPhysicalIndex"], "labelname": label, "oid": _dotted(oid), "type": "gauge"}
        for label, oid in _SENSOR.items()
    ]
    return _metric("entPhySensorValue", SENSOR_VALUE, "gauge", "entPhysicalIndex", [_name_of_sensor(), *about])


def _name_of_sensor() -> dict[str, Any]:
    return {
        "labels": ["entPhysicalIndex"],
        "labelname": "entPhysicalName",
        "oid": _dotted(ENTITY_NAME),
        "type": "DisplayString",
    }


def _metric(name: str, oid: Oid, kind: str, index: str, lookups: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "oid": _dotted(oid),
        "type": kind,
        "help": f"{name} - {_dotted(oid)}",
        "indexes": [{"labelname": index, "type": "gauge"}],
        "lookups": lookups,
    }


def _module(walk: Iterable[Oid], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    return {"walk": [_dotted(oid) for oid in walk], "metrics": metrics}


def _dotted(oid: Oid) -> str:
    return ".".join(map(str, oid))
