"""The dashboard that is looked at first."""

from __future__ import annotations

from govhub.monitoring.dashboards.parts import COVERAGE, HALL, HUB, SHARE, Board, Target, Text


def overview(hub: str, language: str) -> Board:
    """What is full, what is measured, and what fires."""
    title = Text("Capacity / Overview", "容量 / 总览")
    about = Text(
        "What binds each hall first, what is drawn, and what is known.", "各机房最先受限的资源、用电与已知程度。"
    )
    board = Board("govhub-capacity-overview", title, about, hub, language)
    _now(board)
    _halls(board)
    _the_watchers(board)
    return board


def _now(board: Board) -> None:
    board.row(Text("Now", "当前"))
    board.number(
        Text("Measured power", "实测功率"),
        Text("Sum of the racks of which all meters answer.", "所有电表均有应答的机柜之和。"),
        "watt",
        Target(f"sum(hall:govhub_power_watts:sum{{{HALL}}})"),
    )
    board.number(
        Text("Racks measured", "已测机柜"),
        Text("Racks with a reading, of all racks of the chosen halls.", "有读数的机柜占所选机房机柜的比例。"),
        "percentunit",
        Target(f"sum(hall:govhub_racks_measured:count{{{HALL}}})\n/ (sum(hall:govhub_racks:count{{{HALL}}}) > 0)"),
        steps=COVERAGE,
    )
    board.number(
        Text("Power allocated of budget", "已分配功率占预算"),
        Text("Declared draw of all machines, of what the halls are built for.", "设备台账功率占机房预算的比例。"),
        "percentunit",
        Target(f"sum(hall:govhub_allocated_watts:sum{{{HALL}}})\n/ (sum(hall:govhub_budget_watts:sum{{{HALL}}}) > 0)"),
        steps=SHARE,
    )
    board.number(
        Text("Alerts firing", "正在触发的告警"),
        Text("By severity, without the watchdog.", "按级别计，不含自检告警。"),
        "short",
        Target(
            f'count by (severity) (ALERTS{{{HUB}, alertstate="firing", severity!="none"}})',
            "{{severity}}",
        ),
    )


def _halls(board: Board) -> None:
    board.row(Text("Halls", "机房"))
    board.listing(
        Text("Servers that still fit, by what binds first", "按最先受限资源计，还能放置的服务器"),
        Text("Servers of the reference size. No row: unknown.", "参考规格服务器。没有行即未知。"),
        "short",
        Target(
            f'min by (site, hall) (govhub_hall_servers_room{{{HALL}, resource="binding"}})',
            Text("servers", "服务器").said(board.language),
        ),
    )
    board.graph(
        Text("Measured power by hall", "各机房实测功率"),
        Text("Known racks alone; see the coverage beside it.", "只含已知机柜；请看覆盖率。"),
        "watt",
        Target(f"hall:govhub_power_watts:sum{{{HALL}}}", "{{site}}/{{hall}}"),
    )
    board.graph(
        Text("Racks measured, by hall", "各机房已测机柜"),
        Text("A sum is worth what its coverage is.", "合计的可信度取决于覆盖率。"),
        "percentunit",
        Target(f"hall:govhub_meter_coverage:ratio{{{HALL}}}", "{{site}}/{{hall}}"),
        steps=COVERAGE,
    )
    board.listing(
        Text("Standard racks, planned to loaded", "标准机柜：规划到上架"),
        Text("The ledger of each site, counted from the beginning.", "各数据中心台账，自始累计。"),
        "short",
        Target(
            f'max by (site, stage) (govhub_ledger_standard_racks{{{HUB}, site=~"$site"}})',
            Text("standard racks", "标准机柜").said(board.language),
        ),
    )


def _the_watchers(board: Board) -> None:
    board.row(Text("The watchers", "监控自身"))
    board.listing(
        Text("Alerts", "告警"),
        Text("What fires now; each has a page in the runbook.", "当前触发的告警；每条在手册中都有说明。"),
        "short",
        Target(
            f'count by (alertname, severity, site, hall) (ALERTS{{{HUB}, alertstate="firing", severity!="none"}})',
            Text("count", "数量").said(board.language),
        ),
    )
    board.graph(
        Text("Exporter: time for a page", "导出器：生成一页的时间"),
        Text("Scrapes are given up after 10 s.", "采集超过 10 秒即放弃。"),
        "s",
        Target(f"max by (hub) (govhub_exporter_render_seconds{{{HUB}}})", "{{hub}}"),
    )
