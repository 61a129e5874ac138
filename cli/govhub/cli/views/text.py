"""Words and lines: cleaning what comes from outside, diagnostics, counts, values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from govhub.cli.i18n import tr, trn
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.diff import Change, dotted
from govhub.core.secrets import REDACTOR

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
SHOWN = 100
VALUE_WIDTH = 60
# Control characters drive terminals, and direction marks make text read as what it is not.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def safe(value: object) -> str:
    """A text from outside, without secrets and without what a terminal would obey."""
    # Before it is cut or folded: half a secret would not be found any more.
    return _UNSAFE.sub("�", REDACTOR(str(value)))


def line(console: Console, text: str | Text = "", *, style: str = "") -> None:
    """One line that is never folded: addresses and commands must stay whole to be copied."""
    console.print(text if isinstance(text, Text) else Text(safe(text)), style=style or None, soft_wrap=True)


def heading(console: Console, text: str) -> None:
    """A title with an empty line before it."""
    line(console)
    line(console, text, style="bold")


def table(*columns: str, numbers: Sequence[int] = ()) -> Table:
    """A table without a frame; ``numbers`` are the columns that are aligned to the right."""
    out = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for index, title in enumerate(columns):
        out.add_column(title, justify="right" if index in numbers else "left", overflow="fold")
    return out


def row(into: Table, *cells: object, style: str = "") -> None:
    """A row of ``into``; every cell is cleaned."""
    into.add_row(*(item if isinstance(item, Text) else Text(safe(item)) for item in cells), style=style or None)


def diagnostics(console: Console, items: Iterable[Diagnostic], *, verbose: bool = False, indent: str = "") -> None:
    """Each as ``error[TEN001] jinzhou/tenants.yaml:12:5: summary`` with its detail and way out."""
    found = list(items)
    limit = len(found) if verbose else SHOWN
    for item in found[:limit]:
        _diagnostic(console, item, indent)
    more(console, len(found) - limit, indent)


def more(console: Console, count: int, indent: str = "", *, remark: bool = True) -> None:
    """Say honestly that something was left out, and (unless it is said elsewhere) how to see it."""
    if count > 0:
        text = trn("… {count} more", "… {count} more", count)
        line(console, indent + text + (f" ({all_of_them()})" if remark else ""), style="dim")


def all_of_them() -> str:
    """How to see what was cut short."""
    return tr("all of them: --json or --verbose")


def tally(items: Iterable[Diagnostic]) -> str:
    """``2 errors, 1 warning``; the empty string when there is nothing."""
    found = [item.severity for item in items]
    counts = [(severity, found.count(severity)) for severity in Severity]
    return ", ".join(_counted(severity, count) for severity, count in counts if count)


def amount(value: float) -> str:
    """A number with thousands separated and no more digits than it needs."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def seconds(value: float) -> str:
    """A duration: ``0.84 s``, ``12.3 s``, ``4 min 05 s``."""
    if value >= 100:
        return f"{int(value) // 60} min {int(value) % 60:02d} s"
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s"


def value(item: Any) -> str:
    """A value of a diff in one short line."""
    text = safe(item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=str))
    text = " ".join(text.split())
    return text if len(text) <= VALUE_WIDTH else text[: VALUE_WIDTH - 1] + "…"


def pair(old: Any, new: Any) -> tuple[str, str]:
    """Two values of a diff, each in one short line; what they begin with in common is cut before where they differ."""
    left, right = value(old), value(new)
    if left != right or not isinstance(old, str) or not isinstance(new, str):
        return left, right
    start = next((index for index, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = max(start - VALUE_WIDTH // 2, 0)
    return value("…" + old[start:]), value("…" + new[start:])


def field(change: Change) -> str:
    """One difference: ``spec.replicas: 2 → 3``."""
    where = safe(dotted(change.path))
    if change.op == "add":
        return f"{where}: {tr('added')} {value(change.new)}"
    if change.op == "remove":
        return f"{where}: {tr('removed')} {value(change.old)}"
    old, new = pair(change.old, change.new)
    return f"{where}: {old} → {new}"


def _counted(severity: Severity, count: int) -> str:
    if severity is Severity.ERROR:
        return trn("{count} error", "{count} errors", count)
    if severity is Severity.WARNING:
        return trn("{count} warning", "{count} warnings", count)
    return trn("{count} note", "{count} notes", count)


def _diagnostic(console: Console, item: Diagnostic, indent: str) -> None:
    head = Text(indent)
    head.append(f"{item.severity.value}[{safe(item.code)}]", style=STYLES[item.severity])
    where = safe(item.source) if item.source else safe(item.address)
    head.append(f" {where}: " if where and not item.summary.startswith(where) else " ")
    head.append(safe(item.summary))
    line(console, head)
    for text in safe(item.detail).splitlines():
        line(console, f"{indent}  {text}")
    if item.hint:
        line(console, f"{indent}  {tr('hint')}: {item.hint}", style="dim")
