"""The dashboard of ports and layers."""

from __future__ import annotations

from govhub.monitoring.dashboards.parts import HUB, SHARE, Board, Target, Text


def network(hub: str, language: str) -> Board:
    """Ports against their speed, links by layer."""
    title = Text("Capacity / Network", "容量 / 网络")
    about = Text("The fullest ports, and what layers are built for.", "最满的端口与各层容量。")
    board = Board("govhub-capacity-network", title, about, hub, language, hall=False)
    _ports(board)
    _layers(board)
    return board


def _ports(board: Board) -> None:
    speed = f"max by (site, device, port) (govhub_meter_port_speed_bits_per_second{{{HUB}}})"
    legend = "{{device}} {{port}}"
    board.row(Text("Ports", "端口"))
    for way, en, zh in (("receive", "in", "入"), ("transmit", "out", "出")):
        p95 = f"max by (site, device, port) (port:govhub_{way}_bits_per_second:p95_1d{{{HUB}}})"
        board.graph(
            Text(f"95th percentile of speed, {en}, the highest ten", f"95 分位流量占速率（{zh}），最高十个"),
            Text("Over a day; what counts for planning.", "按一天计，用于规划。"),
            "percentunit",
            Target(f"topk(10, {p95}\n/ ({speed} > 0))", legend),
            steps=SHARE,
        )
    for way, en, zh in (("receive", "in", "入"), ("transmit", "out", "出")):
        board.graph(
            Text(f"Traffic, {en}, the highest ten", f"流量（{zh}），最高十个"),
            Text("By the ports' own counters.", "取自端口计数器。"),
            "bps",
            Target(
                f"topk(10, max by (site, device, port) "
                f"(rate(govhub_meter_port_{way}_bytes_total{{{HUB}}}[$__rate_interval]))) * 8",
                legend,
            ),
        )


def _layers(board: Board) -> None:
    board.row(Text("Layers", "层次"))
    board.listing(
        Text("Capacity of links", "链路容量"),
        Text("As declared, links of one name together.", "按台账，同名链路合计。"),
        "bps",
        Target(
            f"max by (layer, link) (govhub_link_capacity_bits_per_second{{{HUB}}})",
            Text("capacity", "容量").said(board.language),
        ),
    )
    board.number(
        Text("Oversubscription", "收敛比"),
        Text("Ports down against links up, of each layer.", "各层下行端口与上行链路之比。"),
        "none",
        Target(f"max by (layer) (govhub_layer_oversubscription_ratio{{{HUB}}})", "{{layer}}"),
        span=12,
    )
