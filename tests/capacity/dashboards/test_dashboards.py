"""The dashboards are held to the lint, every query to the real promtool, and every rule of the lint to a broken one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard as Model

from capacity.rules.tools import hub_scope, run
from govhub.monitoring.dashboards.files import dashboard_files
from govhub.monitoring.dashboards.lint import expressions, filled, lint, panels
from govhub.monitoring.rules.recording import recordings

FILES = dashboard_files("huating", "en")
BOARDS: list[dict[str, Any]] = [json.loads(text) for path, text in FILES.items() if path.endswith(".json")]
RECORDED = [rule.record for group in recordings(hub_scope("huating")).values() for rule in group]


def test_all_dashboards_pass_the_lint_in_both_languages() -> None:
    chinese = [json.loads(text) for path, text in dashboard_files("huating", "zh").items() if path.endswith(".json")]

    assert lint(BOARDS, RECORDED) == []
    assert lint(chinese, RECORDED) == []
    assert [board["uid"] for board in BOARDS] == [board["uid"] for board in chinese]
    assert [board["uid"].rpartition("-")[2] for board in BOARDS] == [
        "overview",
        "power",
        "compute",
        "network",
        "forecast",
    ]
    assert all(board["title"].startswith("容量") for board in chinese)


def test_every_query_is_read_by_prometheus(tmp_path: Path) -> None:
    found = [expr for board in BOARDS for _, expr in expressions(board)]
    rules = [{"record": f"dashboard:query_{at}:value", "expr": filled(expr)} for at, expr in enumerate(found)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")

    code, out = run("promtool", "check", "rules", file)

    assert code == 0, out
    assert f"{len(found)} rules found" in out
    assert len(found) >= 30
    rules[0]["expr"] += ")"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    assert run("promtool", "check", "rules", file)[0] != 0


def test_grafanas_own_model_reads_them_back_unchanged() -> None:
    register_default_plugins()
    for board in BOARDS:
        read = Model.from_json(board)
        assert read.uid == board["uid"]
        assert len(read.panels or []) == len(board["panels"])


def test_panels_lie_side_by_side_on_the_grid() -> None:
    for board in BOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken, panel["title"]
            assert at["x"] + at["w"] <= 24
            taken |= cells


def test_provisioning_names_the_folder_and_a_data_source_only_when_asked() -> None:
    files = dashboard_files("huating", "en", "/srv/boards", "http://prometheus:9090")

    provider = yaml.safe_load(files["provisioning/dashboards/govhub.yml"])["providers"][0]
    assert provider["options"] == {"path": "/srv/boards"}
    source = yaml.safe_load(files["provisioning/datasources/govhub.yml"])["datasources"][0]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert "provisioning/datasources/govhub.yml" not in FILES


def _expr(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(board: dict[str, Any]) -> None:
        panel = next(iter(panels(board)))
        panel["targets"][0]["expr"] = panel["targets"][0]["expr"].replace(old, new)

    return change


def _panel(**more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda board: board["panels"][1].update(more)  # the first is a heading


def _default(**more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda board: next(iter(panels(board)))["fieldConfig"]["defaults"].update(more)


def _query(expr: str) -> Callable[[dict[str, Any]], None]:
    return lambda board: next(iter(panels(board)))["targets"][0].update(expr=expr)


def _variable(at: int, **more: Any) -> Callable[[dict[str, Any]], None]:
    return lambda board: board["templating"]["list"][at].update(more)


BROKEN: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("datasource-variable", lambda board: board["templating"]["list"].pop(0)),
    ("datasource-variable", _variable(0, query="loki")),
    ("variables-follow-time", _variable(1, refresh=1)),
    ("variables-follow-time", _variable(1, datasource={"type": "prometheus", "uid": "abc"})),
    ("panel-datasource", _panel(datasource={"type": "prometheus", "uid": "abc"})),
    ("panel-datasource", lambda board: next(iter(panels(board)))["targets"][0].pop("datasource")),
    ("title-and-description", _panel(title="")),
    ("title-and-description", _panel(description="")),
    ("title-and-description", lambda board: board.pop("description")),
    ("unit", _default(unit="")),
    ("unknown-is-said", _default(noValue="0")),
    ("targets", _panel(targets=[])),
    ("targets", _query("")),
    ("targets", lambda board: next(iter(panels(board)))["targets"].append(next(iter(panels(board)))["targets"][0])),
    ("hub-matcher", _expr('hub="$hub", ', "")),
    ("hub-matcher", _query("sum(hall:govhub_power_watts:sum)")),
    ("hub-matcher", _query('sum(ALERTS{severity="critical"})')),
    ("rate-over-counters", _query('govhub_meter_port_receive_bytes_total{hub="$hub"}')),
    ("rate-over-counters", _query('rate(govhub_hall_servers_room{hub="$hub"}[$__rate_interval])')),
    ("rate-over-counters", _query('rate(govhub_meter_port_receive_bytes_total{hub="$hub"}[5m])')),
    ("unique-ids", lambda board: board["panels"][1].update(id=board["panels"][2]["id"])),
    ("stable-uid", lambda board: board.pop("uid")),
    ("stable-uid", lambda board: board.update(id=17)),
    ("stable-uid", lambda board: board.update(editable=True)),
    ("linked", lambda board: board.update(links=[])),
    ("metric-exists", _query('govhub_rack_power_wats{hub="$hub"}')),
    ("metric-exists", _query('sum(hall:govhub_power_wats:sum{hub="$hub"})')),
]


@pytest.mark.parametrize(("rule", "break_it"), BROKEN, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(BROKEN)])
def test_each_rule_of_the_lint_finds_a_broken_dashboard(rule: str, break_it: Callable[[dict[str, Any]], None]) -> None:
    board = copy.deepcopy(BOARDS[0])
    break_it(board)

    assert {finding.rule for finding in lint([board], RECORDED)} == {rule}


def test_two_dashboards_of_one_uid_and_panels_in_folded_rows_are_found() -> None:
    twin = copy.deepcopy(BOARDS[0])
    assert {finding.rule for finding in lint([BOARDS[0], twin], RECORDED)} == {"unique-uid"}
    inner = copy.deepcopy(twin["panels"].pop(1))
    twin["panels"][0]["panels"] = [inner]
    inner["fieldConfig"]["defaults"]["unit"] = ""
    assert {finding.rule for finding in lint([twin], RECORDED)} == {"unit"}


def test_the_linter_covers_every_rule_that_it_has() -> None:
    from govhub.monitoring.dashboards import lint as module

    names = {rule.__name__.strip("_").replace("_", "-") for rule in module._RULES}
    assert names | {"metric-exists"} == {rule for rule, _ in BROKEN}
