"""Pictures of forecasts as SVG: history, fan, limit; and the declared ramp beside what is in use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

from govhub.cli.i18n import tr
from govhub.cli.views.capacity_forecast import answer, resource
from govhub.cli.views.svg import short
from govhub.cli.views.text import amount, safe
from govhub.monitoring import words

Document = dict[str, Any]
WIDTH, HEIGHT = 460, 190
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 30, 24
AHEAD = 365
"""Days ahead that a picture of a forecast shows at most."""
Point = tuple[float, float]
"""A day and a value."""
STAGES = {"planned": "6 3", "built": "2 3", "energised": ""}
"""Declared lines differ in their dashes."""


class Plane:
    """From days (0 is the day the forecast is of) and values to pixels."""

    def __init__(self, begin: float, end: float, top: float) -> None:
        self.begin, self.end, self.top = begin, max(end, begin + 1), max(top, 1e-9) * 1.08

    def x(self, day: float) -> float:
        """Pixels from the left."""
        return round(LEFT + (day - self.begin) / (self.end - self.begin) * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        """Pixels from the top; what is outside stands at the edge."""
        within = min(max(value, 0.0), self.top)
        return round(HEIGHT - BOTTOM - within / self.top * (HEIGHT - TOP - BOTTOM), 1)

    def points(self, points: Sequence[Point]) -> str:
        """Points of a line or an area."""
        return " ".join(f"{self.x(day)},{self.y(value)}" for day, value in points)


def forecast_picture(item: Document, as_of: str) -> str:
    """History, the fan of the forecast and the limit; lines differ in form, not in colour alone."""
    last = date.fromisoformat(as_of)
    ahead = max(min((date.fromisoformat(item["until"]) - last).days, AHEAD) if item["until"] else 0, 7)
    past = _weeks(item["weeks"])
    top = max([value for _, value in past] + [_edge(item, ahead, "p90"), float(item["limit"] or 0)])
    plane = Plane(-7 * len(item["weeks"]) + 4, ahead, top)
    upper = [(day, _edge(item, day, "p90")) for day in (0, ahead)]
    lower = [(day, _edge(item, day, "p10")) for day in (ahead, 0)]
    middle = [(day, _edge(item, day, "p50")) for day in (0, ahead)]
    parts = [
        f'<polygon points="{plane.points([*upper, *lower])}" fill="#0969da" fill-opacity="0.15"/>',
        _line(plane, past, "#1b1f24"),
        _line(plane, middle, "#0969da", "5 3"),
    ]
    if item["limit"]:
        at = plane.y(item["limit"])
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at}" y2="{at}" stroke="#cf222e" stroke-width="2"/>')
        parts.append(f'<text x="4" y="{at + 4}">{_text(_scaled(item, item["limit"]))}</text>')
    title = f"{item['place'] or tr('all')}, {resource(item['resource'])}: {answer(item)}"
    return _figure(title, plane, last, parts)


def ramp_picture(item: Document, as_of: str | None) -> str:
    """Standard racks as declared, month by month, and in use, week by week."""
    if not as_of:
        return ""
    last = date.fromisoformat(as_of)
    lines = {}
    for stage in STAGES:
        told = [(entry["ends"], entry[stage]) for entry in item["declared"] if entry[stage] is not None]
        lines[stage] = [((date.fromisoformat(day) - last).days, float(value)) for day, value in told]
    past = _weeks(item["weeks"])
    everything = [*past, *(point for line in lines.values() for point in line)]
    if not everything:
        return ""
    days, values = zip(*everything, strict=True)
    plane = Plane(min(days), max(*days, 0), max(values))
    parts = [_line(plane, past, "#0969da", "", 3)]
    for number, (stage, line) in enumerate(lines.items()):
        parts.append(_line(plane, line, "#1b1f24", STAGES[stage]))
        parts += [f'<circle cx="{plane.x(day)}" cy="{plane.y(value)}" r="2.5"/>' for day, value in line]
        if line:
            day, value = line[-1]
            anchor = "start" if plane.x(day) < WIDTH / 2 else "end"
            # Stages often end at one point: their names stand above each other.
            place = f'x="{plane.x(day)}" y="{plane.y(value) - 6 - 12 * number}" text-anchor="{anchor}"'
            parts.append(f"<text {place}>{_text(tr(words.STAGES[stage]))} {_text(amount(value))}</text>")
    now = tr("unknown") if item["used"] is None else amount(round(item["used"], 1))
    title = f"{item['site']}: {tr('Declared ramp of standard racks')}; {tr('in use')} {now}"
    return _figure(title, plane, last, parts)


def _figure(title: str, plane: Plane, last: date, parts: list[str]) -> str:
    head = [
        f'<figure><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"',
        f'  height="{HEIGHT}" font-size="11" role="img"><title>{_text(title)}</title>',
        f'<text x="{LEFT}" y="16" font-weight="bold">{_text(short(title, 62))}</text>',
        f'<text x="4" y="{plane.y(0)}">0</text>',
    ]
    labels = []
    for day in sorted({plane.begin, 0.0, plane.end}):
        anchor = "end" if day == plane.end else "start" if day == plane.begin else "middle"
        shown = (last + timedelta(days=day)).isoformat()
        # Close to an end it would stand in that one's way.
        if day or abs(plane.x(0) - plane.x(plane.begin)) > 100 < abs(plane.x(plane.end) - plane.x(0)):
            labels.append(f'<text x="{plane.x(day)}" y="{HEIGHT - 6}" text-anchor="{anchor}">{shown}</text>')
    return "\n".join([*head, *parts, *labels, "</svg></figure>"])


def _line(plane: Plane, points: Sequence[Point], colour: str, dashes: str = "", width: float = 1.5) -> str:
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{plane.points(points)}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>'


def _weeks(weeks: list[float | None]) -> list[Point]:
    """Weeks at their middle days; unknown ones are left out."""
    return [(7.0 * (at + 1 - len(weeks)) - 3, float(value)) for at, value in enumerate(weeks) if value is not None]


def _edge(item: Document, day: float, quantile: str) -> float:
    """The forecast's percentile so many days ahead."""
    slope = item["slope_per_day"].get(quantile) or 0.0
    spread = item["spread"].get(quantile) or 0.0
    return float((item["value"] or 0.0) + spread + slope * day)


def _scaled(item: Document, value: float) -> str:
    return f"{amount(round(value / 1000, 1))} kW" if item["unit"] == "W" else amount(round(value, 1))


def _text(value: object) -> str:
    return escape(safe(value))
