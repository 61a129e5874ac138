"""What a dashboard must be; the rules of Grafana's dashboard-linter that matter, and ours about metrics.

Works on the JSON, so that dashboards of others can be held to it, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from govhub.monitoring.rules.contract import FAMILIES, Kind

Dashboard = Mapping[str, Any]
DATASOURCE = "${datasource}"
_NAME = re.compile(r"(?<![\w:$\"'{.])((?:[a-z]+:)?(?:govhub|prometheus)_\w+(?::\w+)?|ALERTS|up)\b(?!\s*\()")
_SELECTOR = re.compile(r"(?<![\w:$])([A-Za-z_][\w:]*)\s*\{([^}]*)\}")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_COUNTED = ("rate(", "increase(", "irate(", "resets(")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What is wrong, where."""

    rule: str
    where: str
    text: str


def lint(dashboards: Iterable[Dashboard], recorded: Iterable[str] = ()) -> list[Finding]:
    """All findings, sorted; ``recorded`` are metrics that recording rules make."""
    known = {*FAMILIES, *recorded}
    found: list[Finding] = []
    boards = list(dashboards)
    for board in boards:
        name = str(board.get("title") or board.get("uid") or "?")
        for rule in _RULES:
            found += [Finding(rule.__name__.strip("_").replace("_", "-"), name, text) for text in rule(board)]
        found += [Finding("metric-exists", name, text) for text in _metrics(board, known)]
    for uid, times in Counter(board.get("uid") for board in boards).items():
        if times > 1:
            found.append(Finding("unique-uid", str(uid), f"{times} dashboards have this uid"))
    return sorted(found)


def panels(board: Dashboard) -> Iterator[Mapping[str, Any]]:
    """All panels with something to show, those within folded rows too."""
    for panel in board.get("panels") or ():
        yield from panel.get("panels") or ()
        if panel.get("type") not in ("row", "text"):
            yield panel


def expressions(board: Dashboard) -> Iterator[tuple[str, str]]:
    """``(panel, PromQL)`` of every query."""
    for panel in panels(board):
        for target in panel.get("targets") or ():
            yield str(panel.get("title")), str(target.get("expr", ""))


def filled(expr: str) -> str:
    """A query with Grafana's variables replaced, as Prometheus would get it."""
    expr = re.sub(r"\$__(rate_interval|interval|range)", "5m", expr)
    return re.sub(r"\$\{?\w+(:\w+)?\}?", "x", expr)


def _datasource_variable(board: Dashboard) -> Iterator[str]:
    found = [item for item in _variables(board) if item.get("type") == "datasource"]
    if not any(item.get("name") == "datasource" and item.get("query") == "prometheus" for item in found):
        yield "there is no variable `datasource` of type prometheus"


def _variables_follow_time(board: Dashboard) -> Iterator[str]:
    for item in _variables(board):
        if item.get("type") == "query" and item.get("refresh") != 2:
            yield f"the variable {item.get('name')} is not read again when the time changes"
        if item.get("type") == "query" and (item.get("datasource") or {}).get("uid") != DATASOURCE:
            yield f"the variable {item.get('name')} asks another data source"


def _panel_datasource(board: Dashboard) -> Iterator[str]:
    for panel in panels(board):
        for part in (panel, *(panel.get("targets") or ())):
            if (part.get("datasource") or {}).get("uid") != DATASOURCE:
                yield f'panel "{panel.get("title")}" does not use the variable `datasource`'


def _title_and_description(board: Dashboard) -> Iterator[str]:
    if not board.get("description"):
        yield "the dashboard has no description"
    for panel in panels(board):
        if not panel.get("title") or not panel.get("description"):
            yield f"panel {panel.get('id')} has no title or no description"


def _unit(board: Dashboard) -> Iterator[str]:
    for panel in panels(board):
        if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
            yield f'panel "{panel.get("title")}" has no unit'


def _unknown_is_said(board: Dashboard) -> Iterator[str]:
    for panel in panels(board):
        if panel.get("fieldConfig", {}).get("defaults", {}).get("noValue") in (None, "", "0"):
            yield f'panel "{panel.get("title")}" does not say when nothing is known'


def _targets(board: Dashboard) -> Iterator[str]:
    for panel in panels(board):
        queries = [target.get("expr") for target in panel.get("targets") or ()]
        references = [target.get("refId") for target in panel.get("targets") or ()]
        if not queries or not all(queries):
            yield f'panel "{panel.get("title")}" has no query, or an empty one'
        if len(set(references)) != len(references):
            yield f'panel "{panel.get("title")}" has two queries of one name'


def _hub_matcher(board: Dashboard) -> Iterator[str]:
    for panel, expr in expressions(board):
        matched = {name for name, inner in _SELECTOR.findall(expr) if re.search(r'\bhub=~?"\$\{?hub', inner)}
        bare = set(_NAME.findall(_STRING.sub('""', expr))) - matched
        for name in sorted(bare & set(_selected(expr))):
            yield f'panel "{panel}": {name} is not narrowed to the chosen hub'


def _rate_over_counters(board: Dashboard) -> Iterator[str]:
    for panel, expr in expressions(board):
        for name in _selected(expr):
            counter = FAMILIES[name].kind is Kind.COUNTER if name in FAMILIES else name.endswith("_total")
            inside = any(f"{function}{name}" in expr.replace(" ", "") for function in _COUNTED)
            if counter and not inside:
                yield f'panel "{panel}": the counter {name} is shown without rate()'
            if inside and not counter:
                yield f'panel "{panel}": rate() over {name}, which is no counter'
        if re.search(r"\b(rate|increase|irate)\([^\[]*\[(?!\$__rate_interval\])", expr):
            yield f'panel "{panel}": rate() over a fixed window; use $__rate_interval'


def _unique_ids(board: Dashboard) -> Iterator[str]:
    numbers = [panel.get("id") for panel in board.get("panels") or ()]
    numbers += [inner.get("id") for panel in board.get("panels") or () for inner in panel.get("panels") or ()]
    for number, times in Counter(numbers).items():
        if times > 1 or number is None:
            yield f"{times} panels have the id {number}"


def _stable_uid(board: Dashboard) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9-]{7,39}", str(board.get("uid") or "")):
        yield "the uid is missing, or is none that stays"
    if board.get("id") is not None:
        yield "it carries the id of one Grafana"
    if board.get("editable", True):
        yield "it can be edited by hand, and the next run would overwrite that"


def _linked(board: Dashboard) -> Iterator[str]:
    if not any(link.get("type") == "dashboards" and link.get("includeVars") for link in board.get("links") or ()):
        yield "no link leads to its neighbours with the same variables"


_RULES: tuple[Callable[[Dashboard], Iterator[str]], ...] = (
    _datasource_variable,
    _variables_follow_time,
    _panel_datasource,
    _title_and_description,
    _unit,
    _unknown_is_said,
    _targets,
    _hub_matcher,
    _rate_over_counters,
    _unique_ids,
    _stable_uid,
    _linked,
)


def _metrics(board: Dashboard, known: set[str]) -> Iterator[str]:
    for panel, expr in expressions(board):
        for name in sorted(set(_selected(expr)) - known):
            yield f'panel "{panel}": nobody exports or records {name}'


def _selected(expr: str) -> list[str]:
    """Names of metrics in a query: with braces, or as only metrics are named."""
    bare = _STRING.sub('""', expr)
    return sorted({*(name for name, _ in _SELECTOR.findall(expr)), *_NAME.findall(bare)})


def _variables(board: Dashboard) -> Iterable[Mapping[str, Any]]:
    return (board.get("templating") or {}).get("list") or ()
