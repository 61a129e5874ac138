"""Which table and column of the target stands for which of the source, and in which form their values are compared."""

from __future__ import annotations

from dataclasses import dataclass, field

from govhub.migration.sql.catalog import Catalog, Column, Key, Table
from govhub.migration.sql.dsn import Engine
from govhub.migration.verify.kinds import Kind, kind_of

SHORT = 255
_FORMS = {
    frozenset((Kind.INTEGER, Kind.BOOLEAN)): Kind.INTEGER,
    frozenset((Kind.BITS, Kind.BOOLEAN)): Kind.INTEGER,
    frozenset((Kind.INTEGER, Kind.DECIMAL)): Kind.DECIMAL,
    frozenset((Kind.TEXT, Kind.ENUM)): Kind.TEXT,
    frozenset((Kind.TEXT, Kind.UUID)): Kind.UUID,
    frozenset((Kind.BYTES, Kind.UUID)): Kind.BYTES,
    frozenset((Kind.TEXT, Kind.JSON)): Kind.JSON,
}


@dataclass(frozen=True, kw_only=True)
class ColumnPair:
    """A column of the source and the one that stands for it on the target."""

    source: Column
    target: Column
    form: Kind
    same_type: bool
    """The very same type of the same engine."""
    long: bool = False
    """The value may be long, so the row's text holds its digest instead."""
    client: bool = False
    """Only a full compare can tell: no SQL spells both sides alike."""

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.name

    def side(self, index: int) -> Column:
        """0 the source, 1 the target."""
        return self.target if index else self.source


@dataclass(frozen=True, kw_only=True)
class TablePair:
    """A table of the source and the one of the target; one of them may be missing."""

    name: str
    source: Table | None
    target: Table | None
    columns: tuple[ColumnPair, ...] = ()
    unverifiable: dict[str, str] = field(default_factory=dict)
    """Columns that have no canonical form, with the reason."""
    lone: tuple[tuple[str, str], ...] = ()
    """Columns of one side only: ``source`` or ``target``, and the name."""
    key: tuple[ColumnPair, ...] = ()

    @property
    def hashed(self) -> tuple[ColumnPair, ...]:
        """The columns whose values the servers can digest alike."""
        return tuple(item for item in self.columns if not item.client)

    def side(self, index: int) -> Table:
        """0 the source, 1 the target; only for a pair that has both."""
        found = self.target if index else self.source
        assert found is not None
        return found


def form_of(source: Column, target: Column, engines: tuple[Engine, Engine]) -> ColumnPair | str:
    """How two columns are compared, or why they cannot be."""
    kinds = kind_of(source, engines[0]), kind_of(target, engines[1])
    alike = engines[0] == engines[1] and source.type == target.type and source.full == target.full
    if Kind.OPAQUE in kinds:
        return f"values of type {source.full} mean something inside of one server only"
    form = kinds[0] if kinds[0] == kinds[1] else _FORMS.get(frozenset(kinds))
    if form is Kind.OTHER and not (engines[0] == engines[1] and source.type == target.type):
        form = None
    if form is Kind.FLOAT and engines[0] == engines[1] == Engine.MARIADB:
        form = Kind.SHORTEST
    if form is None:
        if {Kind.LOCAL, Kind.INSTANT} == set(kinds):
            return f"{source.full} and {target.full}: one has a zone and the other none, so no value says the same"
        return f"{source.full} and {target.full} have no canonical form in common"
    if form is Kind.INTEGER and Kind.BITS in kinds and max(source.length or 1, target.length or 1) > 1:
        return f"{source.full} and {target.full}: several bits are no truth value"
    client = form is Kind.JSON and not (engines[0] == engines[1] and source.type == target.type)
    bounds = [item.length for item in (source, target) if item.length is not None]
    long = form in (Kind.TEXT, Kind.BYTES, Kind.OTHER, Kind.JSON) and (not bounds or min(bounds) > SHORT)
    return ColumnPair(source=source, target=target, form=form, same_type=alike, long=long, client=client)


def pair(source: Catalog, target: Catalog, engines: tuple[Engine, Engine]) -> list[TablePair]:
    """All tables of both sides, sorted by name."""
    names = [{_name(item, engines): item for item in side.tables} for side in (source, target)]
    return [
        _pair(_shown(left.get(name), right.get(name)), left.get(name), right.get(name), engines)
        for left, right in [names]
        for name in sorted(left.keys() | right.keys())
    ]


def _pair(name: str, source: Table | None, target: Table | None, engines: tuple[Engine, Engine]) -> TablePair:
    if source is None or target is None:
        return TablePair(name=name, source=source, target=target)
    fold = (lambda text: text) if engines[0] == engines[1] == Engine.POSTGRESQL else str.casefold
    theirs = {fold(item.name): item for item in target.columns}
    pairs, reasons = [], {}
    for column in source.columns:
        other = theirs.pop(fold(column.name), None)
        if other is None:
            continue
        found = form_of(column, other, engines)
        if isinstance(found, str):
            reasons[column.name] = found
        else:
            pairs.append(found)
    known = {item.name for item in pairs} | set(reasons)
    lone = [("source", item.name) for item in source.columns if item.name not in known]
    lone += [("target", item.name) for item in theirs.values()]
    return TablePair(
        name=name,
        source=source,
        target=target,
        columns=tuple(pairs),
        unverifiable=reasons,
        lone=tuple(lone),
        key=_key(source.keys + target.keys, pairs),
    )


def _key(keys: tuple[Key, ...], pairs: list[ColumnPair]) -> tuple[ColumnPair, ...]:
    """The first key, primary ones before others, all of whose columns the servers can compare."""
    by_name = {
        item.name.casefold(): item for item in pairs if not item.client and item.form not in (Kind.FLOAT, Kind.SHORTEST)
    }
    usable = [
        tuple(by_name[name.casefold()] for name in key.columns)
        for key in keys
        if all(name.casefold() in by_name for name in key.columns)
    ]
    return usable[0] if usable else ()


def _name(table: Table, engines: tuple[Engine, Engine]) -> str:
    """What is common to both names: PostgreSQL's schema public stands for a database of MariaDB."""
    if engines[0] == engines[1]:
        return table.qualified
    return (table.qualified.removeprefix("public.") if table.schema else table.name).casefold()


def _shown(source: Table | None, target: Table | None) -> str:
    found = source or target
    assert found is not None
    return found.qualified
