"""Rung 1: whether the target's tables are made as the source's; and what lives beside tables."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from govhub.migration.sql.catalog import Catalog, Sequence, Table
from govhub.migration.sql.dsn import Engine
from govhub.migration.verify.pairing import ColumnPair, TablePair
from govhub.migration.verify.result import Step, Verdict

_INDEX = re.compile(r'^(CREATE (?:UNIQUE )?INDEX) (?:"(?:[^"]|"")*"|\S+) ON')
# Said in every result, so that nobody takes a pass for more than it is.
NOT_COVERED = ("views", "functions and procedures", "triggers", "privileges", "comments")
NOT_COVERED_ACROSS = ("defaults", "indexes that are no keys", "check and foreign keys", "collations")


def compare_structure(pair: TablePair, engines: tuple[Engine, Engine]) -> Step:
    """The differences of one table."""
    if pair.source is None or pair.target is None:
        where = "source" if pair.source is None else "target"
        return Step(Verdict.DIFFERS, reasons=[f"the table is not on the {where}"])
    found = [f"column {name} is on the {side} only" for side, name in pair.lone]
    for column in pair.columns:
        found += _column(column, same=engines[0] == engines[1])
    found += _keys(pair.source, pair.target)
    if engines[0] == engines[1]:
        found += _listed("index", map(_index, pair.source.indexes), map(_index, pair.target.indexes))
        named = [[text.partition(" ")[2] for text in side.constraints] for side in (pair.source, pair.target)]
        found += _listed("constraint", *named)
        if pair.source.engine != pair.target.engine:
            found.append(
                f"the storage engine is {pair.source.engine} on the source, {pair.target.engine} on the target"
            )
        if pair.source.kind != pair.target.kind:
            found.append(f"a {pair.source.kind} on the source is a {pair.target.kind} on the target")
    return Step(Verdict.DIFFERS if found else Verdict.PASS, reasons=found)


def compare_objects(source: Catalog, target: Catalog, engines: tuple[Engine, Engine]) -> list[dict[str, Any]]:
    """Sequences, extensions and the database's character set; each with a verdict and a reason."""
    found = [_sequence(item, target, same=engines[0] == engines[1]) for item in source.sequences]
    there = dict(target.extensions)
    if engines[0] == engines[1]:
        for name, version in source.extensions:
            missing = name not in there
            reason = "it is not on the target" if missing else ""
            found.append(_object("extension", name, Verdict.DIFFERS if missing else Verdict.PASS, reason))
            if not missing and there[name] != version:
                found[-1]["reason"] = f"version {version} on the source, {there[name]} on the target"
        for what in ("charset", "collation"):
            values = getattr(source, what), getattr(target, what)
            if values[0] != values[1]:
                text = f"{values[0]} on the source, {values[1]} on the target"
                # Texts are compared by their characters; an order of texts that changed is felt by every query.
                verdict = Verdict.PASS if what == "charset" else Verdict.DIFFERS
                found.append(_object(what, "database", verdict, text))
    return found


def _object(kind: str, name: str, verdict: Verdict, reason: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "verdict": verdict.value, "reason": reason}


def _sequence(item: Sequence, target: Catalog, *, same: bool) -> dict[str, Any]:
    """The target must not give a number that the source has given already."""

    def plain(name: str) -> str:
        return name if same else name.removeprefix("public.").casefold()

    wanted = plain(item.name if same else item.table or item.name)
    other = next(
        (seq for seq in target.sequences if plain(seq.name if same else seq.table or seq.name) == wanted), None
    )
    if other is None:
        return _object("sequence", item.name, Verdict.DIFFERS, "nothing gives these numbers on the target")
    if item.next is None or other.next is None:
        return _object("sequence", item.name, Verdict.UNVERIFIED, "this account may not read where it stands")
    behind = other.next < item.next if item.increment > 0 else other.next > item.next
    if behind:
        text = f"it would give {other.next} on the target, and {item.next} on the source"
        return _object("sequence", item.name, Verdict.DIFFERS, text)
    return _object("sequence", item.name, Verdict.PASS, "")


def _column(pair: ColumnPair, *, same: bool) -> list[str]:
    left, right = pair.source, pair.target
    found = []

    def differs(what: str, one: object, other: object) -> None:
        if one != other:
            found.append(f"column {pair.name}: {what} {one or 'none'} on the source, {other or 'none'} on the target")

    differs("NULL allowed", "yes" if left.nullable else "no", "yes" if right.nullable else "no")
    if same:
        differs("type", left.full, right.full)
        differs("default", left.default, right.default)
        differs("collation", left.collation, right.collation)
        differs("generated", left.generated, right.generated)
    elif left.length and right.length and right.length < left.length:
        found.append(f"column {pair.name}: {left.full} on the source does not fit into {right.full} on the target")
    return found


def _keys(source: Table, target: Table) -> list[str]:
    sides = [
        {(item.primary, tuple(name.casefold() for name in item.columns)) for item in table.keys}
        for table in (source, target)
    ]
    found = []
    for where, items in (("target", sides[0] - sides[1]), ("source", sides[1] - sides[0])):
        for primary, columns in sorted(items):
            kind = "primary key" if primary else "unique key"
            found.append(f"the {kind} ({', '.join(columns)}) is not on the {where}")
    return found


def _listed(what: str, source: Any, target: Any) -> list[str]:
    left, right = Counter(source), Counter(target)
    missing = [f"{what} is not on the target: {text}" for text in sorted((left - right).elements())]
    return missing + [f"{what} is not on the source: {text}" for text in sorted((right - left).elements())]


def _index(text: str) -> str:
    """Without its name, which nothing depends on."""
    return _INDEX.sub(r"\1 ON", text) if text.startswith("CREATE") else text.partition(" ")[2]
