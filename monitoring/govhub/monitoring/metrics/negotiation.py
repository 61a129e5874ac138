"""Which form of a page a client takes: RFC 9110, as far as scrapers use it."""

from __future__ import annotations

from math import isfinite

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LONGEST = 60.0
"""Seconds that nobody waits beyond; those who do not say how long wait so long. Prometheus always says."""
_MANY = 32


def takes_gzip(accept_encoding: str) -> bool:
    """Whether ``Accept-Encoding`` lets us compress."""
    wanted = _weights(accept_encoding)
    return max((weight for name, _, weight in wanted if name == "gzip"), default=0.0) > 0


def takes_openmetrics(accept: str) -> bool:
    """Whether ``Accept`` prefers OpenMetrics 1.0.0 to the plain text format."""
    best = text = 0.0
    for name, settings, weight in _weights(accept):
        if name == "application/openmetrics-text" and settings.get("version", "1.0.0") == "1.0.0":
            best = max(best, weight)
        elif name == "text/plain":
            text = max(text, weight)
    return best > 0 and best >= text


def patience(scrape_timeout: str) -> float:
    """Seconds after which an answer has to be on its way, from ``X-Prometheus-Scrape-Timeout-Seconds``.

    A tenth of the time, and half a second where that is at most half of it, is left for the way.
    """
    try:
        told = float(scrape_timeout)
    except ValueError:
        told = LONGEST
    if not isfinite(told) or told <= 0:
        told = LONGEST
    told = min(told, LONGEST)
    return max(told - max(told / 10, 0.5), told / 2)


def _weights(header: str) -> list[tuple[str, dict[str, str], float]]:
    """Names, settings and weights of a list such as ``text/plain;version=0.0.4;q=0.5, */*``."""
    out = []
    for item in header.split(",")[:_MANY]:
        name, *rest = (part.strip() for part in item.split(";"))
        settings = {key.strip().lower(): value.strip() for key, _, value in (part.partition("=") for part in rest)}
        out.append((name.lower(), settings, _weight(settings.get("q", "1"))))
    return out


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
