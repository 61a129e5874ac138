"""The morning page as one HTML file: no script, nothing from the network, in the language of --lang."""

from __future__ import annotations

from html import escape
from typing import Any

from govhub.cli.i18n import language, tr
from govhub.cli.views.capacity_forecast import basis, explanation, without_history
from govhub.cli.views.capacity_pictures import forecast_picture, ramp_picture
from govhub.cli.views.capacity_report import headline, sections
from govhub.cli.views.svg import FONT
from govhub.cli.views.text import safe

Document = dict[str, Any]
PICTURES = 24
STYLE = f"""
body {{ font: 15px/1.5 {FONT}; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }}
body {{ color: #1b1f24; background: #fff; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1.1rem; margin-top: 2rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top; }}
th {{ background: #f3f5f7; }} figure {{ display: inline-block; margin: .5rem; }}
.problem {{ border-left: 4px solid #9a6700; padding-left: .6rem; }}
@media print {{
  body {{ margin: 0; max-width: none; }}
  h2 {{ break-after: avoid; }}
  tr, figure {{ break-inside: avoid; }}
}}
"""
# The page asks for nothing and runs nothing, whatever stands in names.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report_html(document: Document) -> str:
    """A whole page."""
    lang = "zh-CN" if language() == "zh" else "en"
    parts = [
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_text(headline(document))}</title><style>{STYLE}</style></head><body>",
        f"<h1>{_text(headline(document))}</h1><p>{_text(basis(document))}</p>",
    ]
    parts += [_problem(item) for item in document["problems"]]
    for title, titles, rows in sections(document):
        parts += [f"<h2>{_text(title)}</h2>", _table(titles, rows)]
        if title == tr("What runs out when"):
            parts += _forecasts(document)
        if title == tr("Declared ramp of standard racks"):
            parts += [ramp_picture(item, document["as_of"]) for item in document["ramp"]]
    if silent := without_history(document["forecasts"]):
        parts.append(f"<p>{_text(tr('no history yet: unknown'))}: {_text(silent)}</p>")
    parts += [f"<p>{_text(explanation())}</p>", "</body></html>\n"]
    return "\n".join(parts)


def _forecasts(document: Document) -> list[str]:
    """Pictures, the most urgent first, what is exhausted after what will be; what has no line has none."""
    found = [item for item in document["forecasts"] if item.get("weeks") and item["slope_per_day"]["p50"] is not None]
    urgent = ("runs-out", "full")
    found.sort(key=lambda item: (*(item["status"] != name for name in urgent), item["exhaustion"]["p50"] or "9999"))
    if not found:
        return []
    pictures = [forecast_picture(item, document["as_of"]) for item in found[:PICTURES]]
    legend = tr("Solid: weeks as measured; dashed with its band: the forecast, p10 to p90; thick: the limit.")
    return [*pictures, f"<p>{_text(legend)}</p>"]


def _table(titles: list[str], rows: list[list[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(title)}</th>' for title in titles)
    body = "\n".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>" for cells in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _problem(item: Document) -> str:
    hint = f"<br>{_text(tr('hint'))}: {_text(item['hint'])}" if item.get("hint") else ""
    return f'<p class="problem">{_text(item["severity"])} {_text(item["code"])}: {_text(item["summary"])}{hint}</p>'


def _text(value: object) -> str:
    return escape(safe(value))
