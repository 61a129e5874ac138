"""Elements that feed racks, and their feeds, as another system knows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import Layout
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import natural, order_of, pattern_of, patterns_of, short
from govhub.inventory.merging.observed import Change, FeedFacts, Observed
from govhub.inventory.model.power import Feeds, PowerElements, Side
from govhub.inventory.powertree import PowerTree, power_tree

POWER = Layout(
    section="power",
    file="power.yaml",
    order=order_of(PowerElements),
)
FEEDS = Layout(
    section="feeds",
    file="power.yaml",
    order=order_of(Feeds),
)
_COMPARED = ("breaker_amps", "volts", "phases", "derating")
_DEFAULTS: Mapping[str, Any] = {"breaker_amps": None, "volts": 220, "phases": 1, "derating": 1.0}


def merge_power(hub: Hub, observed: Observed) -> tuple[list[ItemEdit], list[Change]]:
    """New entries of ``power`` for elements that the hub does not know; their capacity is unknown."""
    there = set(power_tree(hub.model).names)
    new: defaultdict[str, list[str]] = defaultdict(list)
    for name, kind in observed.elements.items():
        if name not in there:
            new[kind].append(name)
    edits: list[ItemEdit] = []
    done: list[Change] = []
    for kind, names in new.items():
        edits += [ItemEdit(changes={("names",): one, ("kind",): kind}) for one in patterns_of(names)]
        done += [Change(op="add", what="power", name=name, after={"kind": kind}) for name in names]
    return edits, done


def merge_feeds(hub: Hub, observed: Observed, racks: set[str]) -> tuple[list[ItemEdit], list[Change]]:
    """The edits of ``feeds``, and what they do."""
    tree = power_tree(hub.model, hub.topology.racks)
    done: list[Change] = []
    new: dict[tuple[str, str], dict[str, Any]] = {}
    touched: dict[int, dict[tuple[str, str], dict[str, Any]]] = defaultdict(dict)
    for (rack, side), facts in observed.feeds.items():
        if rack not in racks:
            continue
        said = _said(facts)
        at = tree.feeds[Side(side)].get(rack)
        name = f"{rack} {side}"
        if at is None:
            new[rack, side] = said
            done.append(Change(op="add", what="feeds", name=name, after=said))
            continue
        entry = hub.model.feeds[at[1]]
        had = {"fed_by": tree.names[at[0]]} | {key: getattr(entry, key) for key in _COMPARED}
        wrong = {key: value for key, value in said.items() if had[key] != value}
        if wrong:
            before = {key: had[key] for key in wrong}
            done.append(Change(op="change", what="feeds", name=name, before=before, after=wrong))
            touched[at[1]][rack, side] = wrong
    edits: list[ItemEdit] = []
    for position, changed in touched.items():
        edits += _rewritten(hub, tree, position, changed)
    return [*edits, *_written(new)], done


def _said(facts: FeedFacts) -> dict[str, Any]:
    found = {"fed_by": facts.element, "breaker_amps": facts.breaker_amps}
    found |= {"volts": facts.volts, "phases": facts.phases, "derating": facts.derating}
    return {key: short(value) for key, value in found.items() if value is not None}


def _rewritten(
    hub: Hub, tree: PowerTree, position: int, changed: Mapping[tuple[str, str], Mapping[str, Any]]
) -> list[ItemEdit]:
    entry = hub.model.feeds[position]
    shared = entry.model_dump(mode="json", exclude_unset=True, exclude={"racks", "side", "fed_by"})
    members = {
        (rack, side.value): shared | {"fed_by": tree.names[at[0]]}
        for side in Side
        for rack, at in tree.feeds[side].items()
        if at[1] == position
    }
    alike = {repr(sorted(values.items())) for values in changed.values()}
    one = next(iter(changed.values()))
    if len(changed) == len(members) and len(alike) == 1 and "fed_by" not in one:
        return [ItemEdit(item=position, changes={(key,): value for key, value in one.items()})]
    wanted = {key: values | dict(changed.get(key, {})) for key, values in members.items()}
    return [ItemEdit(item=position, drop=True), *_written(wanted)]


def _written(feeds: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[ItemEdit]:
    """Entries for equal feeds: racks by element, all in one entry when the parts are equal."""
    groups: defaultdict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    values: dict[tuple[str, str], dict[str, Any]] = {}
    for rack, side in sorted(feeds, key=lambda key: natural(key[0])):
        said = dict(feeds[rack, side])
        element = said.pop("fed_by")
        said = {key: value for key, value in said.items() if _DEFAULTS.get(key, ()) != value}
        key = (side, repr(sorted(said.items())))
        groups[key][element].append(rack)
        values[key] = said
    edits: list[ItemEdit] = []
    for key, by_element in groups.items():
        for racks, elements in _parts(by_element):
            changes = {("racks",): racks, ("side",): key[0], ("fed_by",): elements}
            edits.append(ItemEdit(changes=changes | {(name,): value for name, value in values[key].items()}))
    return edits


def _parts(by_element: Mapping[str, list[str]], depth: int = 0) -> list[tuple[str, str]]:
    """``(racks, elements)``: all in one when the parts are equal, else by equal rows, by hall, by element."""
    elements = list(by_element)
    racks = [rack for element in elements for rack in by_element[element]]
    if len({len(part) for part in by_element.values()}) == 1:
        whole, names = pattern_of(racks), pattern_of(elements)
        if whole and names:
            return [(whole, names)]
    if depth == len(_SPLITS):
        return [(pattern, element) for element, part in by_element.items() for pattern in patterns_of(part)]
    groups: defaultdict[tuple[str, ...], dict[str, list[str]]] = defaultdict(dict)
    for element, part in by_element.items():
        groups[_SPLITS[depth](part)][element] = part
    return [found for group in groups.values() for found in _parts(group, depth + 1)]


_SPLITS: tuple[Callable[[list[str]], tuple[str, ...]], ...] = (
    lambda racks: tuple(rack.rpartition("/")[2] for rack in racks),
    lambda racks: tuple(dict.fromkeys(rack.rsplit("/", 2)[0] for rack in racks)),
    tuple,
)
"""What equal parts have in common: the names within the row, the halls, the racks themselves."""
