"""The columns of tables of racks, hosts, devices, feeds and links, under their English and Chinese headings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from govhub.inventory.importers import values
from govhub.inventory.importers.column import Column, column
from govhub.inventory.importers.moves import number
from govhub.inventory.model.common import Name, Part, Pattern, RackPattern
from govhub.inventory.model.power import Side

_PATTERN = "a name, or a pattern such as r{01..12}"
_ADDRESS = "site/hall/row/rack, or a pattern such as dc/h1/r{1..2}/{01..10}"
_SIDES = {"甲": "a", "乙": "b", "1": "a", "2": "b"}
_PHASES = {"单相": 1, "三相": 3, "1p": 1, "3p": 3}


class RackRow(Part):
    """A row of a table of racks: one rack, or many by patterns."""

    site: Name
    hall: Name
    row: Pattern
    rack: Pattern
    units: Annotated[int, Field(ge=1, le=60)] | None = None
    rated_kw: Annotated[float, Field(gt=0, le=200)] | None = None
    max_kg: Annotated[float, Field(gt=0, le=5000)] | None = None
    outlets: Annotated[int, Field(ge=1, le=200)] | None = None
    ports: Annotated[int, Field(ge=1, le=1000)] | None = None
    standard_racks: Annotated[float, Field(gt=0, le=100)] | None = None


class FeedRow(Part):
    """A row of a table of feeds: one side of one rack, or of many by a pattern."""

    racks: RackPattern
    side: Side
    fed_by: Pattern
    breaker_amps: Annotated[float, Field(gt=0, le=1000)] | None = None
    volts: float = Field(default=220, gt=0, le=1000)
    phases: Annotated[int, Field(ge=1, le=3)] = 1
    derating: float = Field(default=1.0, gt=0, le=1)


def side(text: str) -> str:
    """``A路`` and ``甲`` as a; English words pass."""
    word = values.plain(text).lower().removesuffix("路").removesuffix("侧").removeprefix("side ")
    return _SIDES.get(word, word)


def phases(text: str) -> int | str:
    """``三相`` as 3."""
    word = values.plain(text).lower()
    return _PHASES.get(word, values.integer(word))


_NOTES = (
    column("assumed", "推测", convert=values.yes_no, hint="yes when nobody published it; then give a reason"),
    column("reason", "理由", "依据", convert=values.title),
)
_UNIT = column("unit", "起始u位", "u位", "起始位", "position", convert=values.integer, hint="its lowest rack unit")

RACKS: tuple[Column, ...] = (
    column("rack", "机柜", "机柜号", "机柜编号", "柜号", "cabinet", required=True, hint=_PATTERN),
    column("site", "站点", "数据中心", "机楼", "data center", required=True, hint="the site's name"),
    column("hall", "机房", "机房名称", "模块", "room", required=True, hint="the hall's name"),
    column("row", "列", "排", "机列", "列号", required=True, hint=_PATTERN),
    column("units", "u数", "高度", "容量u", "height", "u", convert=values.integer, hint="rack units, such as 42"),
    column("rated_kw", "额定功率", "功率", "机柜功率", "rated power", "kw", convert=number, hint="in kW"),
    column("max_kg", "承重", "最大承重", "weight limit", "kg", convert=number, hint="in kg"),
    column("outlets", "插座数", "插位", "pdu插位", convert=values.integer, hint="outlets of each side"),
    column("ports", "网口数", "端口数", "信息点", convert=values.integer, hint="cabled network ports"),
    column("standard_racks", "标准机柜", "标准机柜数", "折合标准机柜", convert=number),
)

HOSTS: tuple[Column, ...] = (
    column("names", "主机", "主机名", "服务器", "服务器名称", "name", "host", required=True, hint=_PATTERN),
    column("racks", "机柜", "机柜位置", "位置", "rack", required=True, hint=_ADDRESS),
    column("role", "角色", "用途", hint="worker, control-plane, storage, database or network"),
    column("cluster", "集群"),
    column("pool", "节点池"),
    column("arch", "架构", "cpu架构", required=True, hint="amd64 or arm64"),
    column("cores", "核数", "cpu核数", convert=values.integer, required=True, hint="such as 64"),
    column("memory", "内存", convert=values.amount, required=True, hint="an amount with its unit, such as 512Gi"),
    column("storage", "存储", "硬盘", convert=values.amount, hint="an amount with its unit, such as 8Ti"),
    column("units", "u数", "高度", "height", "u", convert=values.integer, hint="rack units"),
    column("watts", "功率", "额定功率", "功耗", "power", "w", convert=values.integer, hint="rated draw in W"),
    column("kg", "重量", "weight", convert=number, hint="in kg"),
    column("cords", "电源数", "电源路数", convert=values.integer, hint="1, or 2 for redundant supplies"),
    _UNIT,
    column("addresses", "管理地址", "地址", "ip", "ip地址", hint="one a host, such as 10.0.0.{11..14}"),
    *_NOTES,
)

DEVICES: tuple[Column, ...] = (
    column("names", "设备", "设备名称", "name", "device", required=True, hint=_PATTERN),
    column("racks", "机柜", "机柜位置", "位置", "rack", required=True, hint=_ADDRESS),
    column("type", "设备类型", "型号", "device type", "model", required=True, hint="a name under `device_types`"),
    column("role", "角色", "用途", "层级", hint="spine, leaf, border, management or none"),
    _UNIT,
    *_NOTES,
)

FEEDS: tuple[Column, ...] = (
    column("racks", "机柜", "机柜位置", "位置", "rack", required=True, hint=_ADDRESS),
    column("side", "路", "侧", "供电路", "ab路", convert=side, required=True, hint="a or b"),
    column("fed_by", "上级", "来源", "列头柜", "母线", "from", required=True, hint="an element under `power`"),
    column("breaker_amps", "空开", "空开容量", "断路器", "额定电流", "breaker", "a", convert=number, hint="in A"),
    column("volts", "电压", "v", convert=number, hint="220 to neutral, 380 between phases"),
    column("phases", "相数", "相", convert=phases, hint="1 or 3"),
    column("derating", "降额", "降额系数", convert=number, hint="such as 0.8"),
)

LINKS: tuple[Column, ...] = (
    column("name", "链路", "链路名称", "标识", "link", required=True, hint="lower-case letters, digits and hyphens"),
    column("lower", "下联", "下联设备", "本端", "a端", "from", required=True, hint=_PATTERN),
    column("upper", "上联", "上联设备", "对端", "b端", "to", required=True, hint=_PATTERN),
    column("gbps", "带宽", "速率", "speed", convert=number, required=True, hint="of one link, in Gbit/s"),
    column("count", "条数", "数量", convert=values.integer, hint="links of each pair"),
    column("media", "介质", "线缆", "接口类型", hint="such as rj45, sfp28, qsfp28, dac, single-mode"),
    *_NOTES,
)
