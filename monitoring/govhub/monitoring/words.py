"""The words of the field that documents have as identifiers: one home for the terminal and for the pages.

Both look them up in their own catalogue first and in ``CATALOGUE`` behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Look = Callable[[str], str]
"""From an English text to the reader's."""
CATALOGUE = Path(__file__).with_name("locale") / "zh_CN.po"


def tr(text: str) -> str:
    """Marks a text that is looked up later, when the reader's language is known."""
    return text


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
    "ats": tr("transfer switch"),
    "sts": tr("static transfer switch"),
    "cooling": tr("cooling"),
    "feed.a": tr("feed A"),
    "feed.b": tr("feed B"),
    "feeds": tr("feeds"),
    "ports": tr("cabled ports"),
    "switch": tr("ports of switches"),
    "element": tr("power element"),
    "phase": tr("phase"),
    "lost": tr("loss of power or of the rack"),
    "machines": tr("machines"),
    "racks": tr("racks with machines"),
    "pool.cores": tr("cores of the pool without a rack"),
    "pool.memory": tr("memory of the pool without a rack"),
    "pool.accelerators": tr("cards of the pool without a rack"),
    "quota.cores": tr("quota, cores"),
    "quota.memory": tr("quota, memory"),
    "quota.accelerators": tr("quota, cards"),
}
"""What limits: parts of racks, of the power tree, of halls, of pools and quotas."""
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
    "racks": tr("standard racks"),
    "cooling": tr("cooling"),
    "cores": tr("requested cores"),
}
"""What forecasts are of."""
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
OWNERS = {
    "system": tr("system"),
    "service": tr("service"),
    "database": tr("database"),
    "source": tr("server of a department"),
}
"""What a loss reaches."""
STATES = {
    "down": tr("down"),
    "short": tr("short of room"),
    "reduced": tr("reduced"),
}
"""How far it does."""


def resource(name: str | None, look: Look) -> str:
    """A resource for people; what has no word is called as it is."""
    return look(RESOURCES.get(name, name) if name else LEVELS["unknown"])


def figure(name: str, look: Look) -> str:
    """The title of a figure; those of kinds of elements are put together."""
    if name in FIGURES:
        return look(FIGURES[name])
    first, _, kind = name.partition(".")
    if first in KINDS:
        return f"{resource(kind, look)}, {look(KINDS[first])}"
    return resource(kind or first, look)
