"""A plan of waves as a picture (SVG): a line a system, from the beginning of its wave to the end of its trial run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from html import escape
from typing import Any

from govhub.cli.i18n import language, tr
from govhub.cli.views.svg import empty, opening, short

Document = dict[str, Any]
LABELS = 330
CHART = 1040
ROW = 17
HEAD = 84
GAP = 26
NAME = 36
"""Latin letters of a system's title that have room beside its tier and the day of its cutover."""
FOOT = 34
# Dark enough for white paper and for grey print; the tier is written beside each name as well.
TIERS = {1: "#b3261e", 2: "#b26a00", 3: "#1f6f43"}


def gantt(document: Document) -> str:
    """The picture of ``document``, in the language in use; waves without dates are left out."""
    waves = [wave for wave in document["waves"] if wave["begins"] and wave["systems"]]
    return _Picture(document, waves).svg() if waves else _empty(document)


def _empty(document: Document) -> str:
    return empty(f"{document['hub']}: {tr('no waves')}")


class _Picture:
    def __init__(self, document: Document, waves: list[Document]) -> None:
        self.document, self.waves = document, waves
        self.first = min(date.fromisoformat(wave["begins"]) for wave in waves)
        self.last = max(self._trial_end(item) or date.fromisoformat(wave["ends"]) for wave, item in _systems(waves))
        self.days = max((self.last - self.first).days + 1, 1)
        self.height = HEAD + sum(GAP + ROW * len(wave["systems"]) for wave in waves) + FOOT

    def svg(self) -> str:
        width = LABELS + CHART + 20
        title = self.document["summary"]
        head = f"{self.document['hub']}: {title['systems']} {tr('systems')}, {title['waves']} {tr('waves')}"
        parts = [
            *opening(head, width, self.height),
            *self._legend(),
            *self._holidays(),
            *self._months(),
        ]
        y = HEAD
        for wave in self.waves:
            parts += self._wave(wave, y)
            y += GAP + ROW * len(wave["systems"])
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _x(self, day: date) -> float:
        return round(LABELS + (day - self.first).days / self.days * CHART, 1)

    def _trial_end(self, item: Document) -> date | None:
        if not item["cutover"]:
            return None
        return date.fromisoformat(item["cutover"]) + timedelta(days=round(item["trial_days"]) + 1)

    def _legend(self) -> Iterator[str]:
        x = 12.0
        for tier, colour in TIERS.items():
            yield f'<rect x="{x}" y="38" width="12" height="9" fill="{colour}"/>'
            yield f'<text x="{x + 16}" y="47">T{tier}</text>'
            x += 46
        yield f'<rect x="{x}" y="38" width="22" height="9" fill="#1f6f43" fill-opacity="0.35"/>'
        yield f'<text x="{x + 26}" y="47">{escape(tr("preparation"))}</text>'
        x += 116
        yield _diamond(x + 5, 42.5, "#1f6f43")
        yield f'<text x="{x + 16}" y="47">{escape(tr("cutover"))}</text>'
        x += 86
        yield f'<rect x="{x}" y="38.5" width="22" height="8" fill="none" stroke="#1f6f43"/>'
        yield f'<text x="{x + 26}" y="47">{escape(tr("trial run"))}</text>'
        x += 106
        yield f'<rect x="{x}" y="38" width="12" height="9" fill="#f3d3d0"/>'
        yield f'<text x="{x + 16}" y="47">{escape(tr("statutory holiday"))}</text>'

    def _holidays(self) -> Iterator[str]:
        width = round(CHART / self.days, 2)
        for item in self.document["holidays"]:
            day = date.fromisoformat(item["day"])
            if self.first <= day <= self.last:
                x = self._x(day)
                name = escape(item["name"])
                yield f'<rect x="{x}" y="{HEAD - 8}" width="{width}" height="{self.height - HEAD}" fill="#f3d3d0">'
                yield f"<title>{escape(item['day'])} {name}</title></rect>"

    def _months(self) -> Iterator[str]:
        day = self.first.replace(day=1)
        while day <= self.last:
            x = max(self._x(day), LABELS)
            yield f'<line x1="{x}" y1="{HEAD - 20}" x2="{x}" y2="{self.height - FOOT}" stroke="#d5d5d5"/>'
            following = (day + timedelta(days=32)).replace(day=1)
            # A month of which only some days are in the picture has no room for its name.
            if min(self._x(following), LABELS + CHART) - x > 50:
                for y in (HEAD - 10, self.height - 20):
                    yield f'<text x="{x + 4}" y="{y}" fill="#444">{day:%Y-%m}</text>'
            day = following

    def _wave(self, wave: Document, top: int) -> Iterator[str]:
        begins, ends = date.fromisoformat(wave["begins"]), date.fromisoformat(wave["ends"])
        height = ROW * len(wave["systems"]) + GAP - 6
        left, right = self._x(begins), self._x(ends + timedelta(days=1))
        effort = sum(item["person_days"] for item in wave["systems"])
        count = len(wave["systems"])
        text = f"{tr('Wave')} {wave['wave']}: {begins} – {ends}"
        more = f"{count} {tr('systems')}, {effort:g} {tr('person-days')}"
        yield _bar(left, top, right - left, height, 'fill="#2b5ea7" fill-opacity="0.1"')
        yield f'<line x1="12" y1="{top}" x2="{LABELS + CHART}" y2="{top}" stroke="#9aa7b8"/>'
        yield f'<text x="12" y="{top + 14}" font-weight="bold" fill="#1c3f73">{escape(text)}</text>'
        # On the side where there is room: waves begin at the left and end at the right.
        middle = self._x(begins + (ends - begins) / 2) < LABELS + CHART / 2
        x, anchor = (round(right + 6, 1), "start") if middle else (round(left - 6, 1), "end")
        yield f'<text x="{x}" y="{top + 14}" text-anchor="{anchor}" fill="#1c3f73">{escape(more)}</text>'
        for position, item in enumerate(wave["systems"]):
            yield from self._system(item, begins, top + GAP - 6 + ROW * position)

    def _system(self, item: Document, begins: date, top: int) -> Iterator[str]:
        colour = TIERS.get(item["tier"], TIERS[3])
        title = item["title"].get(language()) or item["system"]
        name = escape(short(title, NAME))
        tier = f'<tspan fill="{colour}">T{item["tier"]}</tspan>'
        yield f'<text x="24" y="{top + 12}"><title>{escape(title)}</title>{name} {tier}</text>'
        end = self._trial_end(item)
        if end is None:
            return
        cutover = date.fromisoformat(item["cutover"])
        yield f'<text x="{LABELS - 8}" y="{top + 12}" text-anchor="end" fill="#444">{cutover:%m-%d}</text>'
        left, middle, right = self._x(begins), self._x(cutover), self._x(end)
        yield _bar(left, top + 4, max(middle - left, 0), 9, f'fill="{colour}" fill-opacity="0.35"')
        yield _bar(middle, top + 4.5, right - middle, 8, f'fill="none" stroke="{colour}"')
        yield _diamond(middle, top + 8.5, colour, f"{item['system']} {item['cutover']}")


def _systems(waves: list[Document]) -> Iterator[tuple[Document, Document]]:
    for wave in waves:
        for item in wave["systems"]:
            yield wave, item


def _bar(x: float, y: float, width: float, height: float, style: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{round(width, 1)}" height="{height}" {style}/>'


def _diamond(x: float, y: float, colour: str, title: str = "") -> str:
    points = f"{x - 5},{y} {x},{y - 5} {x + 5},{y} {x},{y + 5}"
    return f'<polygon points="{points}" fill="{colour}"><title>{escape(title)}</title></polygon>'
