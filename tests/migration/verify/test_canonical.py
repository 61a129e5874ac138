"""Property tests on real servers: what means the same is equal on both engines, and what does not is told apart."""

from __future__ import annotations

import datetime as dt
import struct
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from govhub.migration.verify.result import Rung as Depth
from migration.verify.conftest import Place, differences, in_mariadb, in_postgres, table, verified

ONE = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def single(value: float) -> float:
    found: float = struct.unpack("f", struct.pack("f", value))[0]
    return found


# PostgreSQL's texts hold no NUL, and neither engine has lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
NASTY = st.sampled_from(
    ["", " ", "a ", "a", "A", "é", "e\u0301", "|", "3:abc", "N", "\\", "'", "%s", "𠮷", "\u00a0", "-0"]
)
# MariaDB shows minus zero as zero; between two PostgreSQL servers the sign counts (test_differences).
DOUBLE = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value or 0.0)
SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda value: value or 0.0)
MOMENT = st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2037, 12, 31))
COLUMNS: dict[str, tuple[str, str, st.SearchStrategy[Any]]] = {
    "big": ("bigint", "bigint", st.integers(-(2**63), 2**63 - 1)),
    "wide": ("bigint unsigned", "numeric(20,0)", st.integers(0, 2**64 - 1)),
    "flag": ("tinyint(1)", "boolean", st.booleans()),
    "filled": ("int(8) unsigned zerofill", "integer", st.integers(0, 2**31 - 1)),
    "money": ("decimal(30,10)", "numeric(30,10)", st.decimals(-(10**18), 10**18, places=10)),
    "loose": ("decimal(20,4)", "numeric", st.decimals(-(10**9), 10**9, places=4)),
    "double_": ("double", "double precision", DOUBLE),
    "single_": ("float", "real", SINGLE),
    "short_": ("varchar(80)", "varchar(80)", TEXT | NASTY),
    "long_": ("longtext", "text", TEXT | NASTY),
    "latin": ("varchar(40) CHARACTER SET latin1", "text", st.text("abcäöüßé|:' ", max_size=40)),
    "bytes_": ("longblob", "bytea", st.binary(max_size=80)),
    "day": ("date", "date", st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31))),
    "local_": ("datetime(6)", "timestamp", st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31))),
    "coarse": ("datetime", "timestamp(0)", MOMENT.map(lambda value: value.replace(microsecond=0))),
    "instant": ("timestamp(6) NULL", "timestamptz", MOMENT),
    "clock": ("time(6)", "time", st.times()),
    "id_": ("uuid", "uuid", st.uuids(version=4).map(str)),
    "id_text": ("char(36)", "uuid", st.uuids().map(lambda value: str(value).upper())),
    "id_bytes": ("binary(16)", "uuid", st.uuids().map(str)),
    "choice": ("enum('on','off','|')", "text", st.sampled_from(["on", "off", "|"])),
}
ROWS = st.lists(
    st.tuples(*(st.none() | strategy for _, _, strategy in COLUMNS.values())),
    min_size=1,
    max_size=25,
)


def for_mariadb(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "id_bytes":
        return uuid.UUID(value).bytes
    if isinstance(value, float):
        # As text: the library would round on the way.
        return repr(value)
    return str(value) if isinstance(value, Decimal) else value


def for_postgres(name: str, value: Any) -> Any:
    if name == "instant" and value is not None:
        return value.replace(tzinfo=dt.UTC)
    return repr(value) if isinstance(value, float) else value


def fill(places: tuple[Place, Place], rows: Iterable[tuple[Any, ...]]) -> None:
    rows = list(rows)
    maria, pg = places
    marks = ", ".join(["%s"] * (len(COLUMNS) + 1))
    maria.run("DELETE FROM t")
    maria.run(
        f"INSERT INTO t VALUES ({marks})",
        values=[
            (number, *(for_mariadb(name, value) for name, value in zip(COLUMNS, row, strict=True)))
            for number, row in enumerate(rows)
        ],
    )
    pg.run("DELETE FROM t")
    pg.run(
        f"INSERT INTO t VALUES ({marks})",
        values=[
            (number, *(for_postgres(name, value) for name, value in zip(COLUMNS, row, strict=True)))
            for number, row in enumerate(rows)
        ],
    )


@pytest.fixture(scope="module")
def places(postgres_server: Any, mariadb_server: Any) -> tuple[Place, Place]:
    maria, pg = in_mariadb(mariadb_server), in_postgres(postgres_server)
    maria.run(f"CREATE TABLE t (id int primary key, {', '.join(f'{n} {m}' for n, (m, _, _) in COLUMNS.items())})")
    maria.run("SET GLOBAL time_zone = '+00:00'")
    pg.run(f"CREATE TABLE t (id int primary key, {', '.join(f'{n} {p}' for n, (_, p, _) in COLUMNS.items())})")
    return maria, pg


@given(rows=ROWS)
@ONE
def test_rows_that_mean_the_same_are_equal_across_engines(places: tuple[Place, Place], rows: list[Any]) -> None:
    fill(places, rows)
    for depth in ("hashes", "full"):
        document = verified(*places, depth=Depth(depth), values=True)
        found = table(document)
        assert found["unverifiable"] == {}
        assert found["differences"] == []
        assert found["rungs"][depth]["verdict"] == "pass", found


@given(rows=ROWS, data=st.data())
@ONE
def test_one_changed_cell_is_found_and_named_across_engines(
    places: tuple[Place, Place], rows: list[Any], data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from(list(COLUMNS)))
    index = list(COLUMNS).index(column)
    old = rows[number][index]
    new = data.draw((st.none() | COLUMNS[column][2]).filter(lambda value: not same(column, value, old)))
    fill(places, rows)
    changed = for_postgres(column, new)
    places[1].run(f"UPDATE t SET {column} = %s WHERE id = %s", values=[(changed, number)])
    document = verified(*places)
    assert differences(document) == {"changed": [str(number)]}
    assert [cell["column"] for cell in table(document)["differences"][0]["columns"]] == [column]


def same(column: str, left: Any, right: Any) -> bool:
    """Whether the two values are one, as both engines keep them."""
    if left is None or right is None:
        return left is right
    if isinstance(left, float):
        one, other = (single(value) if column == "single_" else value for value in (left, right))
        return bool(one == other)
    return bool(str(left).upper() == str(right).upper() if column.startswith("id_") else left == right)
