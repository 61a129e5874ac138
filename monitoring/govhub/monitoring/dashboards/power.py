"""The dashboard of power and cooling."""

from __future__ import annotations

from govhub.monitoring.dashboards.parts import COVERAGE, HALL, HUB, SHARE, Board, Target, Text

ELEMENT = f'{HUB}, site=~"$site|"'
"""Elements that feed several sites carry none."""
PLACE = "hub, site, element, kind"


def power(hub: str, language: str) -> Board:
    """Measured and declared power from the site down to feeds, with what a loss would do."""
    title = Text("Capacity / Power and cooling", "容量 / 供电与制冷")
    about = Text(
        "Load now and after the worst single loss, element by element.", "逐级的当前负载与最严重单点失效后的负载。"
    )
    board = Board("govhub-capacity-power", title, about, hub, language)
    _sums(board)
    _tree(board)
    _racks(board)
    return board


def _sums(board: Board) -> None:
    board.row(Text("Sums", "合计"))
    board.graph(
        Text("Measured power by hall", "各机房实测功率"),
        Text("Racks of which all meters answer.", "所有电表均有应答的机柜。"),
        "watt",
        Target(f"hall:govhub_power_watts:sum{{{HALL}}}", "{{site}}/{{hall}}"),
    )
    board.graph(
        Text("Heat of cooling that is left after a loss", "热负荷占失效后剩余制冷量"),
        Text(
            "Declared draw against cooling without the units that may stand still.", "台账功率与允许停机后制冷量之比。"
        ),
        "percentunit",
        Target(
            f"max by (site, hall) (govhub_hall_cooling_load_watts{{{HALL}}})\n"
            f"/ (max by (site, hall) (govhub_hall_cooling_capacity_watts{{{HALL}}}) > 0)",
            "{{site}}/{{hall}}",
        ),
        steps=SHARE,
    )
    board.number(
        Text("PUE", "PUE"),
        Text("All power of the site over that of its machines, now.", "当前数据中心总功率与 IT 功率之比。"),
        "none",
        Target(f'site:govhub_pue:ratio{{{HUB}, site=~"$site"}}', "{{site}}"),
        span=8,
    )
    board.number(
        Text("Stranded power", "搁浅功率"),
        Text("Free power that another resource of its rack keeps from use.", "因本柜其他资源已满而无法使用的功率。"),
        "watt",
        Target(f"sum(max by (hub, site, hall, row, rack) (govhub_rack_stranded_watts{{{HALL}}}))"),
        span=8,
    )
    board.number(
        Text("Racks measured", "已测机柜"),
        Text("The least of the chosen halls.", "所选机房中最低者。"),
        "percentunit",
        Target(f"min(hall:govhub_meter_coverage:ratio{{{HALL}}})"),
        steps=COVERAGE,
        span=8,
    )


def _tree(board: Board) -> None:
    capacity = f"(max by ({PLACE}) (govhub_power_capacity_watts{{{ELEMENT}}}) > 0)"
    board.row(Text("Power tree", "供电树"))
    board.listing(
        Text("After the worst single loss, the highest twenty", "最严重单点失效后负载最高的二十个"),
        Text("Declared load of capacity; above 100% it would trip.", "台账负载占容量；超过 100% 会跳闸。"),
        "percentunit",
        Target(f"topk(20, max by ({PLACE}) (govhub_power_failover_watts{{{ELEMENT}}})\n/ {capacity})", "%"),
        steps=SHARE,
    )
    board.graph(
        Text("Measured, of capacity, the highest ten", "实测占容量最高的十个"),
        Text("Sum of the racks below each element.", "各设备其下机柜之和。"),
        "percentunit",
        Target(
            f"topk(10, max by ({PLACE}) (element:govhub_power_watts:sum{{{ELEMENT}}})\n/ {capacity})",
            "{{kind}} {{element}}",
        ),
        steps=SHARE,
    )
    board.graph(
        Text("Unbalance of phases, the highest ten", "三相不平衡最高的十个"),
        Text("Largest deviation from the mean of three phases, of the mean.", "与三相平均值的最大偏差之比。"),
        "percentunit",
        Target(f"topk(10, element:govhub_phase_unbalance:ratio{{{HUB}}})", "{{element}}"),
    )
    board.listing(
        Text("Feeds without power", "失电馈线"),
        Text(
            "Feeds that show nothing although machines are to draw from them.", "台账有设备而读数为零或无应答的馈线。"
        ),
        "short",
        Target(
            f"max by ({PLACE}) (element:govhub_feeds_gone:count{{{ELEMENT}}})",
            Text("dead", "失电").said(board.language),
        ),
        Target(
            f"max by ({PLACE}) (element:govhub_feeds:count{{{ELEMENT}}})",
            Text("feeds", "馈线").said(board.language),
        ),
    )


def _racks(board: Board) -> None:
    rack = "site, hall, row, rack"
    board.row(Text("Racks", "机柜"))
    board.listing(
        Text(
            "Racks by their daily 95th percentile, of what they are rated for", "机柜日 95 分位占额定功率，最高五十个"
        ),
        Text("The highest fifty.", "最高五十个。"),
        "percentunit",
        Target(
            f"topk(50, max by ({rack}) (rack:govhub_power_watts:p95_1d{{{HALL}}})\n"
            f"/ (max by ({rack}) (govhub_rack_rated_watts{{{HALL}}}) > 0))",
            "%",
        ),
        steps=SHARE,
    )
    board.listing(
        Text("Feeds of racks after a loss, of their breaker", "失电后馈线负载占断路器"),
        Text("The highest fifty; above 100% the rack would go dark.", "最高五十个；超过 100% 整柜断电。"),
        "percentunit",
        Target(
            f"topk(50, max by ({rack}, side) (govhub_rack_feed_failover_watts{{{HALL}}})\n"
            f"/ (max by ({rack}, side) (govhub_rack_feed_limit_watts{{{HALL}}}) > 0))",
            "%",
        ),
        steps=SHARE,
    )
