"""The words of the field that documents have as identifiers."""

from __future__ import annotations

from govhub.monitoring.forecast import exhaustion
from govhub.monitoring.web.shape import Look
from govhub.monitoring.web.texts import tr

RESOURCES = {
    "budget": tr("power budget of the hall"),
    "power": tr("power of racks"),
    "breaker": tr("feeds of racks"),
    "space": tr("rack units"),
    "weight": tr("weight"),
    "outlets": tr("outlets"),
    "utility": tr("utility line"),
    "generator": tr("generator"),
    "transformer": tr("transformer"),
    "ups": tr("UPS"),
    "busway": tr("busway"),
    "pdu": tr("PDU"),
    "cooling": tr("cooling"),
}
FIGURES = {
    "racks": tr("racks with machines"),
    "space": tr("rack units"),
    "space.gap": tr("largest gap"),
    "weight": tr("weight"),
    "outlets": tr("outlets"),
    "power.rated": tr("power of what racks are rated for"),
    "power.allocated": tr("power allocated of the budget"),
    "power.measured": tr("power measured of the budget"),
    "feed.a": tr("fullest feed A after loss of B"),
    "feed.b": tr("fullest feed B after loss of A"),
    "stranded": tr("stranded of the free power"),
    "cooling": tr("heat of the cooling that is left"),
    "failover": tr("power tree"),
}
FORECAST = {
    "power": tr("power measured"),
    "allocated": tr("power allocated"),
    "space": tr("rack units"),
    "racks": tr("racks with machines"),
    "cooling": tr("cooling"),
    "cores": tr("requested cores"),
}
TOLD = frozenset(exhaustion.TOLD)
"""Without one of these a date that is missing is unknown; with it, none is foreseen."""
KINDS = {"phase": tr("fullest phase"), "balance": tr("unbalance of phases")}
UNITS = {tr("standard racks"), tr("servers"), tr("ports"), tr("outlets"), tr("cores")}
ROLES = {
    "spine": tr("spine"),
    "leaf": tr("leaf"),
    "border": tr("border"),
    "management": tr("management"),
    "none": tr("other devices"),
}
CIRCUITS = {
    "level": tr("lines to other levels"),
    "site": tr("lines between sites"),
    "internet": tr("lines to the internet"),
}
STAGES = {
    "planned": tr("planned"),
    "built": tr("built"),
    "energised": tr("energised"),
    "sold": tr("sold"),
    "loaded": tr("loaded"),
}
SURVIVES = {
    "path": tr("survives the loss of any element"),
    "module": tr("survives the loss of a module"),
    "nothing": tr("survives no loss"),
}
LEVELS = {
    "empty": tr("empty"),
    "low": tr("up to 50 %"),
    "half": tr("50 to 75 %"),
    "high": tr("75 to 90 %"),
    "full": tr("90 to 100 %"),
    "over": tr("more than 100 %"),
    "unknown": tr("unknown"),
}
LIVE = {
    "none": tr("no meters: figures are declared"),
    "ok": tr("meters answer"),
    "partial": tr("some meters are silent"),
    "down": tr("Prometheus does not answer"),
}
MACHINES = {
    "host": tr("host"),
    "device": tr("device"),
    "source": tr("server of a department"),
}


def resource(name: str | None, look: Look) -> str:
    """What a hall's or rack's room is bound by."""
    if not name:
        return look("unknown")
    return look(RESOURCES.get(name, name))


def figure(name: str, look: Look) -> str:
    """The title of a figure; those of kinds of elements are put together."""
    if name in FIGURES:
        return look(FIGURES[name])
    first, _, kind = name.partition(".")
    if first in KINDS:
        return f"{resource(kind, look)}, {look(KINDS[first])}"
    return resource(kind or first, look)
