"""The columns that each kind of table may have, under their English and Chinese headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from govhub.inventory.importers import moves, plant_columns, values
from govhub.inventory.importers.column import Column, FieldPath, Refers
from govhub.inventory.importers.column import column as _column
from govhub.inventory.model.compute import Hosts
from govhub.inventory.model.fabric import Devices, Links
from govhub.inventory.model.migration import Migration, Source
from govhub.inventory.model.tenancy import System, Tenant

What = Literal[
    "departments", "systems", "sources", "migrations", "moves", "racks", "hosts", "devices", "feeds", "links"
]
_NOISE = re.compile(r"\([^)]*\)|\[[^\]]*\]|[\s_*:\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of table: which section of the hub its rows go to, and how."""

    section: str
    model: type[BaseModel]
    columns: tuple[Column, ...]
    key: str = "name"
    """What tells the items of the section apart; the first column holds it."""
    part: str = ""
    """The list in an item that a row may speak of, one part a row."""
    part_column: str = ""
    """The column that names the part."""
    default: str = ""
    """The part's name where the row gives none; without it every row has to."""
    one_line: tuple[str, ...] = ()
    named_by: tuple[str, ...] = ()
    """The columns that together tell rows apart, where the first one alone does not."""

    @property
    def order(self) -> tuple[str, ...]:
        """The keys of an item in the order in which new ones are written."""
        return tuple(dict.fromkeys(column.path[0] for column in self.columns))


_SLUG = "lower-case letters, digits and hyphens, such as public-security; it becomes part of Kubernetes names"
_CPU = "cores, such as 4 or 500m"
_BYTES = "an amount with its unit, such as 64Gi or 2Ti"
_NAME = _column("name", "标识", "英文标识", "代码", "编码", "slug", "id", required=True, hint=_SLUG)
_TITLE_EN = _column(
    "title.en",
    "英文名称",
    "英文名",
    "english name",
    convert=values.title,
    name="title_en",
    required=True,
    hint="in English",
)
_TENANT = _column(
    "tenant",
    "所属部门",
    "部门",
    "单位",
    "department",
    convert=values.title,
    required=True,
    hint="a department's name",
    refers="tenants",
)
_NOTES = (
    _column("assumed", "推测", convert=values.yes_no, hint="yes when the city published no figure; then give a reason"),
    _column("reason", "理由", "依据", convert=values.title),
)

__all__ = ["COLUMNS", "TABLES", "Column", "FieldPath", "Kind", "Refers", "What"]
DEPARTMENTS: tuple[Column, ...] = (
    _NAME,
    _column(
        "title.zh",
        "部门名称",
        "部门",
        "单位名称",
        "单位",
        "中文名称",
        "名称",
        convert=values.title,
        name="title_zh",
        required=True,
    ),
    _TITLE_EN,
    _column(
        "level", "层级", "行政层级", "级别", convert=values.level, hint="province, city, county, township or village"
    ),
    _column("region", "区域", "行政区", "行政区划", hint="the name of a region of this hub"),
    _column("cluster", "集群", hint="the name of a cluster of this hub"),
    _column("quota", "配额", "配额等级", "配额类别", "quota class", required=True, hint="the name of a quota class"),
    _column("overrides.cpu", "核数", "vcpu", convert=values.cores, hint=_CPU),
    _column("overrides.memory", "内存", convert=values.amount, hint=_BYTES),
    _column("overrides.storage", "存储", convert=values.amount, hint=_BYTES),
    _column("overrides.pods", "容器组数", convert=values.integer),
    _column("overrides.accelerators", "加速卡", "gpu", convert=values.integer),
    _column("groups.admin", "管理员组", "admin group", convert=values.title, name="admin"),
    _column("groups.developer", "开发组", "developer group", convert=values.title, name="developer"),
    _column("groups.viewer", "只读组", "viewer group", convert=values.title, name="viewer"),
    *_NOTES,
)

SYSTEMS: tuple[Column, ...] = (
    _NAME,
    _column("title.zh", "系统名称", "系统", "中文名称", "名称", convert=values.title, name="title_zh", required=True),
    _TITLE_EN,
    _TENANT,
    _column("owner", "责任处室", "责任科室", "负责处室", "office", convert=values.title, required=True),
    _column("tier", "等级", "重要等级", "业务等级", convert=values.grade, required=True, hint="1, 2 or 3"),
    _column(
        "protection_level",
        "等保级别",
        "等保等级",
        "等保",
        convert=values.grade,
        required=True,
        hint="1 to 5 (GB/T 22239)",
    ),
    _column("classified", "涉密", "是否涉密", convert=values.yes_no, hint="yes or no"),
    _column(
        "environments", "环境", "environment", convert=values.words, hint="names of environments, such as prod, test"
    ),
    _column("users", "用户数", convert=values.integer),
    _column("workloads.name", "组件", "工作负载", name="workload", hint=f"{_SLUG}; web when not given"),
    _column("workloads.kind", "组件类型", hint="deployment, statefulset or cronjob"),
    _column("workloads.image", "镜像", "容器镜像", required=True, hint="an image of the hub's registries, with a tag"),
    _column("workloads.replicas", "副本数", "副本", convert=values.integer),
    _column("workloads.cpu", "核数", "vcpu", convert=values.cores, required=True, hint=_CPU),
    _column("workloads.memory", "内存", convert=values.amount, required=True, hint=_BYTES),
    _column("workloads.storage", "存储", convert=values.amount, hint=_BYTES),
    _column("workloads.port", "端口", convert=values.integer),
    _column("workloads.arch", "架构", hint="amd64 or arm64"),
    _column("workloads.pool", "节点池", hint="the name of a pool of the department's cluster"),
    _column("workloads.accelerators", "加速卡", "gpu", convert=values.integer),
    _column("workloads.schedule", "计划", "cron", hint="five cron fields"),
    *_NOTES,
)

SOURCES: tuple[Column, ...] = (
    _column("name", "标识", "服务器", "服务器名称", "主机名", "server", "host", required=True, hint=_SLUG),
    _TENANT,
    _column("address", "地址", "ip", "ip地址", "管理地址", hint="where SSH answers, such as 172.16.4.11"),
    _column("login", "账号", "登录账号", "登录名", "account", hint="the account that may use sudo"),
    _column("lab", "实验", "实验室", convert=values.yes_no, hint="yes when the lab plays this server"),
    *_NOTES,
)

_SYSTEM = _column(
    "system",
    "系统",
    "系统名称",
    "业务系统",
    "系统标识",
    convert=values.title,
    required=True,
    hint="a system's name",
    refers="systems",
)

MIGRATIONS: tuple[Column, ...] = (
    _SYSTEM,
    _column(
        "strategy",
        "策略",
        "迁移策略",
        "上云方式",
        "迁移方式",
        convert=moves.strategy,
        hint="rehost, replatform, retain or retire",
    ),
    _column(
        "depends_on",
        "依赖",
        "依赖系统",
        "依赖关系",
        convert=moves.dependencies,
        hint="systems with the kind of tie, such as welfare:call, tax:data:strong",
    ),
    _column("window.days", "窗口日", "割接日", convert=moves.days, hint="days of the week, such as fri, sat"),
    _column("window.start", "窗口开始", "开始时间", convert=moves.clock, name="window_start", hint="such as 22:00"),
    _column("window.minutes", "窗口时长", "时长", convert=values.integer, name="window_minutes", hint="minutes"),
    _column("busy", "业务高峰", "禁止割接", convert=moves.busy, hint="such as 12-20~01-10 year-end closing; …"),
    _column("not_before", "不早于", "最早日期", convert=moves.day, hint="a date, such as 2026-09-01"),
    _column("not_after", "不晚于", "最晚日期", convert=moves.day, hint="a date, such as 2026-12-31"),
    _column("effort", "工作量", "人天", convert=moves.number, hint="person-days"),
    _column("trial_days", "试运行", "试运行天数", convert=moves.number, hint="days"),
    *_NOTES,
)

MOVES: tuple[Column, ...] = (
    _SYSTEM,
    _column("moves.name", "迁移项", "名称", "标识", "move", required=True, hint=_SLUG),
    _column(
        "moves.kind",
        "类型",
        "种类",
        convert=moves.kind,
        required=True,
        hint="postgresql, mariadb, files or application",
    ),
    _column("moves.source", "源服务器", "来源", "服务器", "server", required=True, hint="a name under `sources`"),
    _column("moves.size", "大小", "数据量", "容量", convert=values.amount, hint=_BYTES),
    _column("moves.database", "数据库", "数据库名", "库名"),
    _column("moves.port", "端口", convert=values.integer),
    _column("moves.path", "路径", "目录", convert=values.title, hint="a folder, such as /srv/scans"),
    _column("moves.unit", "服务单元", "服务", convert=values.title, hint="a systemd unit, such as tax.service"),
    _column("moves.to", "目标", "迁移到", hint="a server under `databases`, a host, or a workload"),
    _column("moves.to_database", "目标数据库", "目标库名"),
    _column("moves.to_path", "目标路径", "目标目录", convert=values.title),
)

TABLES: dict[What, Kind] = {
    "departments": Kind(
        section="tenants", model=Tenant, columns=DEPARTMENTS, one_line=("title", "overrides", "groups")
    ),
    "systems": Kind(
        section="systems",
        model=System,
        columns=SYSTEMS,
        part="workloads",
        part_column="workload",
        default="web",
        one_line=("title",),
    ),
    "sources": Kind(section="sources", model=Source, columns=SOURCES),
    "migrations": Kind(section="migrations", model=Migration, columns=MIGRATIONS, key="system", one_line=("window",)),
    "moves": Kind(section="migrations", model=Migration, columns=MOVES, key="system", part="moves", part_column="name"),
    "racks": Kind(
        section="sites",
        model=plant_columns.RackRow,
        columns=plant_columns.RACKS,
        named_by=("site", "hall", "row", "rack"),
    ),
    "hosts": Kind(section="hosts", model=Hosts, columns=plant_columns.HOSTS, key="names", one_line=("accelerators",)),
    "devices": Kind(section="devices", model=Devices, columns=plant_columns.DEVICES, key="names"),
    "feeds": Kind(
        section="feeds", model=plant_columns.FeedRow, columns=plant_columns.FEEDS, named_by=("racks", "side")
    ),
    "links": Kind(section="links", model=Links, columns=plant_columns.LINKS),
}
COLUMNS: dict[What, tuple[Column, ...]] = {what: table.columns for what, table in TABLES.items()}


def key_of(heading: str) -> str:
    """A heading without what people add to it: case, spaces, stars, units in brackets."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", heading).lower())


def headings_of(what: What) -> dict[str, Column]:
    """Every accepted heading, reduced by :func:`key_of`, with its column."""
    return {key_of(word): column for column in COLUMNS[what] for word in (column.name, *column.headings)}


def recognised(cells: Iterable[str], known: dict[str, Column]) -> int:
    """How many of ``cells`` are headings; tells the header from the big title that often stands above it."""
    return sum(key_of(cell) in known for cell in cells)


def column_at(what: What, location: tuple[str | int, ...]) -> Column | None:
    """The column behind a place in the model, as pydantic names it."""
    path = tuple(step for step in location if isinstance(step, str))
    return next((column for column in COLUMNS[what] if path[: len(column.path)] == column.path), None)
