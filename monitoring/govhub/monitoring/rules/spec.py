"""What a rule is, together with the examples from which its unit tests are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """Who is told, and how soon."""

    CRITICAL = "critical"
    """A person is paged now."""
    WARNING = "warning"
    """A ticket for this week."""
    INFO = "info"
    """To be seen on the page; nobody is told."""
    NONE = "none"
    """Of use to machines alone."""


class Owner(StrEnum):
    """Which team acts."""

    POWER = "power"
    FACILITIES = "facilities"
    PLANNING = "planning"
    COMPUTE = "compute"
    NETWORK = "network"
    METERING = "metering"
    MONITORING = "monitoring"


@dataclass(frozen=True, slots=True)
class Series:
    """An input of a unit test: a metric with labels, and its values from minute 0 in promtool's notation."""

    metric: str
    labels: Mapping[str, str]
    values: str
    """A plain number stands for that number for ever."""

    def with_labels(self, **more: str) -> Series:
        """The same with more labels."""
        return Series(self.metric, {**self.labels, **more}, self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording rule, and what it gives for its examples."""

    record: str
    expr: str
    labels: tuple[str, ...]
    """Labels of the result; dashboards and alerts rely on these."""
    given: tuple[Series, ...]
    gives: tuple[tuple[Mapping[str, str], float], ...]
    """Labels and value of each sample at minute ``at``."""
    at: int = 10
    optional: frozenset[str] = frozenset()
    """Metrics of ``given`` without which there is a result still, though maybe another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alerting rule, and when it fires."""

    name: str
    expr: str
    hold: int
    """Minutes that the condition has to hold."""
    severity: Severity
    owner: Owner
    fires: tuple[Series, ...]
    """Inputs with which it fires, from minute ``since`` + ``hold`` on."""
    quiet: tuple[Series, ...] = ()
    """Inputs of the same shape with which it does not; empty when it always fires."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that it fires with, beside ``hub``, ``severity`` and ``owner``."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Labels that the rule itself sets; for rules that are there once for each place."""
    shown: str = ""
    """What ``$value`` looks like in the texts."""
    since: int = 0
    """The minute from which the condition holds in ``fires``."""
    alive: frozenset[str] = frozenset()
    """Metrics of ``fires`` whose absence does not silence it."""
    absence: bool = False
    """Whether it is about data that are missing, so that ``fires`` are what is left."""
    softer: str = ""
    """The milder alert about the same thing, which this one makes superfluous."""
