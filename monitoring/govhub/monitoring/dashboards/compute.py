"""The dashboard of pools and departments."""

from __future__ import annotations

from govhub.monitoring.dashboards.parts import HUB, SHARE, Board, Target, Text


def compute(hub: str, language: str) -> Board:
    """Pools without their worst rack, and departments from quota to watts."""
    title = Text("Capacity / Compute and departments", "容量 / 计算与部门")
    about = Text(
        "Pools after the loss of a rack; quota, requests, usage, watts.", "失去机柜后的资源池；配额、请求、使用、功率。"
    )
    board = Board("govhub-capacity-compute", title, about, hub, language, hall=False)
    _pools(board)
    _departments(board)
    return board


def _pools(board: Board) -> None:
    pool = "cluster, pool, arch"
    asked = f"max by ({pool}) (govhub_pool_requests_cores{{{HUB}}})"
    left = f"max by ({pool}) (govhub_pool_capacity_after_loss_cores{{{HUB}}})"
    legend = "{{cluster}}/{{pool}} {{arch}}"
    board.row(Text("Pools", "资源池"))
    board.graph(
        Text("Requests of cores that are left", "请求量占剩余核数"),
        Text("Against the pool without the rack whose loss costs most.", "以失去损失最大的机柜后的资源池为准。"),
        "percentunit",
        Target(f"{asked}\n/ ({left} > 0)", legend),
        steps=SHARE,
    )
    board.listing(
        Text("Cores of pools", "资源池核数"),
        Text("Requested, and left after the loss.", "请求量与失去机柜后的剩余量。"),
        "short",
        Target(asked, Text("requested", "请求").said(board.language)),
        Target(left, Text("left", "剩余").said(board.language)),
    )


def _departments(board: Board) -> None:
    tenant = "tenant"
    board.row(Text("Departments", "部门"))
    columns = [
        ("quota_cores", "quota", "配额"),
        ("requests_cores", "requested", "请求"),
        ("usage_cores", "in use", "使用"),
    ]
    board.listing(
        Text("Cores of departments", "部门核数"),
        Text("An empty cell is unknown.", "空格表示未知。"),
        "short",
        *(
            Target(f"max by ({tenant}) (govhub_tenant_{name}{{{HUB}}})", Text(en, zh).said(board.language))
            for name, en, zh in columns
        ),
    )
    board.graph(
        Text("Requests of quota, the highest ten", "请求占配额最高的十个部门"),
        Text("Near 100% the next deployment may be refused.", "接近 100% 时下一次部署可能被拒绝。"),
        "percentunit",
        Target(
            f"topk(10, max by ({tenant}) (govhub_tenant_requests_cores{{{HUB}}})\n"
            f"/ (max by ({tenant}) (govhub_tenant_quota_cores{{{HUB}}}) > 0))",
            "{{tenant}}",
        ),
        steps=SHARE,
    )
    board.graph(
        Text("Power of departments, the highest ten", "功率最高的十个部门"),
        Text("Watts of hosts, dealt by requests of their pods.", "按 Pod 请求量分摊主机功率。"),
        "watt",
        Target(f"topk(10, max by ({tenant}) (govhub_tenant_power_watts{{{HUB}}}))", "{{tenant}}"),
        span=24,
    )
