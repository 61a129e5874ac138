"""Which machines are to be enrolled, and as what: from options with patterns, or from a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput, UsageError
from govhub.core.text import did_you_mean
from govhub.inventory.importers.tables import Row, read_rows
from govhub.inventory.model.compute import HostRole
from govhub.inventory.patterns import PatternError, expand

HEADINGS = {
    "带外地址": "bmc",
    "名称": "name",
    "机柜": "rack",
    "管理地址": "address",
    "角色": "role",
    "集群": "cluster",
    "节点池": "pool",
    "高度": "units",
    "功率": "watts",
    "重量": "kg",
}
"""Chinese headings of the table's columns; the English ones are the fields of ``Target``."""
NUMBERS = ("units", "watts", "kg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One machine by its management controller, and the host that it is to be; empty where that is not said."""

    bmc: str
    name: str = ""
    rack: str = ""
    """``site/hall/row/rack``."""
    address: str = ""
    role: str = ""
    cluster: str = ""
    pool: str = ""
    units: str = ""
    watts: str = ""
    kg: str = ""


FIELDS = tuple(item.name for item in fields(Target))


def targets_of(bmcs: Iterable[str], common: Target, table: Path | None) -> list[Target]:
    """The machines of all ``--bmc`` patterns and of the table; ``common`` holds the options, as typed.

    Name, rack and address of the options are patterns too, with one value a controller (a rack may be one for all);
    for rows of the table, options stand in for empty cells.

    Raises:
        UsageError: neither was given, or patterns stand for different numbers (USE001).
        InvalidInput: the table cannot be used (IMP001 to IMP007, BMC003), or a value has not its form (BMC004).
    """
    given = [address for pattern in bmcs for address in _expand("--bmc", pattern)]
    names, racks, addresses = (
        _expand(f"--{key}", getattr(common, key)) if getattr(common, key) else [] for key in ("name", "rack", "address")
    )
    for flag, values in (("--name", names), ("--rack", racks), ("--address", addresses)):
        if given and values and len(values) != len(given) and not (flag == "--rack" and len(values) == 1):
            text = f"{flag} stands for {len(values)}, and there are {len(given)} controllers"
            raise UsageError.one("USE001", text, hint="give one value a controller, in the same order")
    racks = racks * len(given) if len(racks) == 1 else racks
    out = [
        replace(common, bmc=bmc, name=_at(names, i), rack=_at(racks, i), address=_at(addresses, i))
        for i, bmc in enumerate(given)
    ]
    if table:
        rest = replace(common, name="", address="", rack=racks[0] if len(set(racks)) == 1 else "")
        out += _rows(table, rest)
    if not out:
        raise UsageError.one("USE001", "no management controller is named", hint="give --bmc ADDRESS, or --from FILE")
    _check(out)
    return out


def _at(values: list[str], index: int) -> str:
    return values[index] if values else ""


def _expand(flag: str, pattern: str) -> list[str]:
    try:
        return expand(pattern)
    except PatternError as error:
        raise UsageError.one("USE001", f"{flag}: {error}", hint="quote it: shells expand braces too") from error


def _rows(path: Path, common: Target) -> list[Target]:
    head, *rows = read_rows(path, Diagnostics())
    titles = [HEADINGS.get(title.strip(), title.strip().lower()) for title in head.cells]
    for title in titles:
        if title not in FIELDS:
            hint = did_you_mean(title, FIELDS) or f"columns are: {', '.join(FIELDS)}"
            raise _refused(path, head, f'"{title[:40]}" is no column', hint)
    if "bmc" not in titles:
        raise _refused(path, head, "there is no column bmc", f"columns are: {', '.join(FIELDS)}")
    return [_target(path, titles, row, common) for row in rows]


def _target(path: Path, titles: list[str], row: Row, common: Target) -> Target:
    cells = {title: cell.strip() for title, cell in zip(titles, row.cells, strict=False) if cell.strip()}
    if len(row.cells) > len(titles) or "bmc" not in cells:
        text = "has no controller" if "bmc" not in cells else "has more cells than there are columns"
        raise _refused(path, row, f"row {row.number} {text}", "fill the column bmc, and no other than the columns")
    return replace(common, **cells)


def _check(targets: list[Target]) -> None:
    found = Diagnostics()
    for one in targets:
        if one.role and one.role not in [role.value for role in HostRole]:
            hint = f"use one of: {', '.join(role.value for role in HostRole)}"
            found.error("BMC004", f'{one.bmc}: there is no role "{one.role[:40]}"', address=one.bmc, hint=hint)
        for key in NUMBERS:
            if (text := getattr(one, key)) and not _is_number(text, whole=key != "kg"):
                text = f'{one.bmc}: {key} is no number: "{text[:40]}"'
                found.error("BMC004", text, address=one.bmc, hint="write digits alone, without a unit")
    for key in ("bmc", "name", "address"):
        values = [getattr(one, key) for one in targets if getattr(one, key)]
        for value in sorted({value for value in values if values.count(value) > 1}):
            found.error("BMC004", f"{key} {value} is given twice", address=value, hint="name each machine once")
    if found.errors:
        raise InvalidInput(found.sorted())


def _is_number(text: str, *, whole: bool) -> bool:
    return text.isascii() and (text if whole else text.replace(".", "", 1)).isdigit()


def _refused(path: Path, row: Row, text: str, hint: str) -> InvalidInput:
    return InvalidInput.one("BMC003", text, source=SourceRange(path.name, row.line), hint=hint)
