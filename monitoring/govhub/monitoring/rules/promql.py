"""PromQL put together from named parts; every selector holds the hub, every vector has one series a place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """Queries about one hub.

    Two scrapes of one thing (a pair of exporters, a whole hub beside its halls) give series that differ in ``instance``
    alone; each vector is therefore aggregated to its place before anything is joined to it.
    """

    hub: str

    def select(self, metric: str, *matchers: str) -> str:
        """The raw selector; ``matchers`` such as ``side="a"``."""
        return f"{metric}{{{', '.join((f'hub={quoted(self.hub)}', *matchers))}}}"

    def one(self, metric: str, labels: tuple[str, ...], *matchers: str, how: str = "max") -> str:
        """One series for each set of ``labels``; what is recorded is that already, and doing it again takes time."""
        if ":" in metric:
            return self.select(metric, *matchers)
        return f"{how} by ({', '.join(labels)}) ({self.select(metric, *matchers)})"


def on(*labels: str) -> str:
    """A matching of vectors."""
    return f"on ({', '.join(labels)})"


def quoted(text: str) -> str:
    """A PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ratio(part: str, whole: str) -> str:
    """One vector over another of the same labels; nothing where the second is 0."""
    return f"({part})\n/\n(({whole}) > 0)"
