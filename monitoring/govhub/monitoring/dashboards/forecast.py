"""The dashboard of dates."""

from __future__ import annotations

from govhub.monitoring.dashboards.parts import HALL, Board, Target, Text

DAYS = "86400"


def forecast(hub: str, language: str) -> Board:
    """When it is full, by when to order, and how far that is to be believed."""
    title = Text("Capacity / Forecast", "容量 / 预测")
    about = Text("Exhaustion with its uncertainty, and the last day to order.", "耗尽日期及其不确定性，与最晚下单日。")
    board = Board("govhub-capacity-forecast", title, about, hub, language)
    _dates(board)
    _how_far_to_believe_it(board)
    _growth(board)
    return board


def _dates(board: Board) -> None:
    place = "site, hall, resource"
    runs_out = "govhub_forecast_exhaustion_timestamp_seconds"
    order = f"min by ({place}) (govhub_forecast_order_by_timestamp_seconds{{{HALL}}})"
    board.row(Text("Dates", "日期"))
    board.listing(
        Text("Last day to order", "最晚下单日"),
        Text("Exhaustion less the lead time.", "耗尽日期减去采购周期。"),
        "dateTimeAsIso",
        Target(f"{order} * 1000", Text("order by", "下单").said(board.language)),
    )
    board.listing(
        Text("Used up: early, middle, late", "耗尽：偏早、居中、偏晚"),
        Text(
            "One chance in ten before the early date, and one after the late one.",
            "早于偏早日期、晚于偏晚日期的机会各一成。",
        ),
        "dateTimeAsIso",
        *(
            Target(
                f'min by ({place}) ({runs_out}{{{HALL}, quantile="{quantile}"}}) * 1000',
                name,
            )
            for quantile, name in (("0.1", "p10"), ("0.5", "p50"), ("0.9", "p90"))
        ),
    )
    board.graph(
        Text("Days left to order", "距最晚下单日"),
        Text("Below 0 the day has passed.", "小于 0 即已过。"),
        "d",
        Target(f"({order} - time()) / {DAYS}", "{{site}}/{{hall}} {{resource}}"),
        span=24,
    )


def _how_far_to_believe_it(board: Board) -> None:
    place = "site, hall, resource"
    board.row(Text("How far to believe it", "可信程度"))
    board.graph(
        Text("Error of the back-test", "回测误差"),
        Text(
            'What the same method would have missed by in the past; 1 is as much as saying "as last week".',
            "同一方法在过去的误差；1 相当于“与上周相同”的误差。",
        ),
        "short",
        Target(f"max by ({place}) (govhub_forecast_backtest_error_ratio{{{HALL}}})", "{{site}}/{{hall}} {{resource}}"),
    )
    board.listing(
        Text("Days of data", "数据天数"),
        Text("History behind each forecast.", "每个预测依据的历史。"),
        "d",
        Target(
            f"min by ({place}) (govhub_forecast_history_seconds{{{HALL}}}) / 86400",
            Text("days", "天").said(board.language),
        ),
    )


def _growth(board: Board) -> None:
    board.row(Text("Growth", "增长"))
    board.graph(
        Text("Daily 95th percentile against the budget", "日 95 分位与预算"),
        Text("Measured; the budget is what the hall is built for.", "实测值；预算为机房设计容量。"),
        "watt",
        Target(f"hall:govhub_power_watts:p95_1d{{{HALL}}}", "{{site}}/{{hall}} p95"),
        Target(
            f"hall:govhub_budget_watts:sum{{{HALL}}}",
            "{{site}}/{{hall}} " + Text("budget", "预算").said(board.language),
        ),
        span=24,
    )
