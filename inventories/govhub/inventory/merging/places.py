"""Sites, halls and racks that another system knows: new ones as rows, others as overrides of theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.inventory.editing.meaning import ItemEdit, ItemPath
from govhub.inventory.editing.tree import Layout
from govhub.inventory.loader import Hub
from govhub.inventory.merging.naming import natural, patterns_of
from govhub.inventory.merging.observed import Change, Observed, RackFacts, SiteFacts
from govhub.inventory.model.place import Rack, RackOverride, Site
from govhub.inventory.patterns import PatternError, expand

SITES = Layout(
    section="sites",
    file="sites.yaml",
    order=(
        *(key for key in Site.model_fields if key not in ("assumed", "reason", "halls")),
        "assumed",
        "reason",
        "halls",
    ),
    one_line=("title", "rack"),
    blocks=("halls",),
)
OVERRIDABLE = tuple(key for key in RackOverride.model_fields if key in Rack.model_fields)
_UNSAID = {"rated_kw": "its rated power", "max_kg": "the weight it carries", "units": "its height"}


def merge_places(hub: Hub, observed: Observed, found: Diagnostics) -> tuple[list[ItemEdit], list[Change]]:
    """The edits of ``sites``, and what they do."""
    by_site: defaultdict[str, dict[str, RackFacts]] = defaultdict(dict)
    for address in sorted(observed.racks, key=natural):
        by_site[address.partition("/")[0]][address] = observed.racks[address]
    known = {site.name: position for position, site in enumerate(hub.model.sites)}
    edits: list[ItemEdit] = []
    changes: list[Change] = []
    for name, racks in by_site.items():
        if name in known:
            edit, done = _known_site(hub, known[name], racks, observed.source, found)
        else:
            edit, done = _new_site(hub, name, observed.sites.get(name, SiteFacts(title=name)), racks, observed.source)
        edits += [edit] if edit.changes else []
        changes += done
    return edits, changes


def _new_site(
    hub: Hub, name: str, facts: SiteFacts, racks: Mapping[str, RackFacts], source: str
) -> tuple[ItemEdit, list[Change]]:
    regions = {region.name for region in hub.model.regions}
    changes: dict[ItemPath, Any] = {
        ("name",): name,
        ("title",): {"zh": facts.title[:80], "en": facts.title[:120]},
        ("region",): facts.region if facts.region in regions else hub.model.hub.region,
        ("tier",): "C",
        ("assumed",): True,
        ("reason",): f"{source} does not say the grade; C of GB 50174 promises nothing",
    }
    halls = _by_hall(racks)
    for position, (hall, inside) in enumerate(halls.items()):
        changes["halls", position, "name"] = hall
        changes |= _rows(("halls", position, "rows"), 0, inside, source)
    done = [Change(op="add", what="sites", name=name, after={"halls": len(halls), "racks": len(racks)})]
    return ItemEdit(changes=changes), done


def _known_site(
    hub: Hub, position: int, racks: Mapping[str, RackFacts], source: str, found: Diagnostics
) -> tuple[ItemEdit, list[Change]]:
    site = hub.model.sites[position]
    halls = {hall.name: place for place, hall in enumerate(site.halls)}
    changes: dict[ItemPath, Any] = {}
    done: list[Change] = []
    new = 0
    for hall, inside in _by_hall(racks).items():
        if hall not in halls:
            place = len(site.halls) + new
            new += 1
            changes["halls", place, "name"] = hall
            changes |= _rows(("halls", place, "rows"), 0, inside, source)
            name = f"{site.name}/{hall}"
            done.append(Change(op="add", what="halls", name=name, after={"racks": len(inside)}))
            continue
        more, told = _known_hall(hub, (position, halls[hall]), inside, source, found)
        changes |= more
        done += told
    return ItemEdit(item=position, changes=changes), done


def _known_hall(
    hub: Hub, where: tuple[int, int], inside: Mapping[str, RackFacts], source: str, found: Diagnostics
) -> tuple[dict[ItemPath, Any], list[Change]]:
    site = hub.model.sites[where[0]]
    hall = site.halls[where[1]]
    prefix = f"{site.name}/{hall.name}/"
    there = hub.topology.racks
    empty = _empty(hub, where)
    added = {address: facts for address, facts in inside.items() if address not in there and address not in empty}
    for address in (item for item in inside if item in empty):
        hint = "take the position out of the hall's overrides, or correct the other side"
        found.warning("NBX012", f"{source} has a rack at {address}, where the hub says there is none", hint=hint)
    done = [Change(op="add", what="racks", name=address, after=facts.known) for address, facts in added.items()]
    changes = _rows(("halls", where[1], "rows"), len(hall.rows), added, source) if added else {}
    differing: defaultdict[tuple[tuple[str, Any], ...], list[str]] = defaultdict(list)
    for address, facts in inside.items():
        if address not in there:
            continue
        after = {key: value for key, value in facts.known.items() if key in OVERRIDABLE}
        before = {key: getattr(there[address], key) for key in after}
        wrong = {key: value for key, value in after.items() if not _same(before[key], value)}
        if wrong:
            old = {key: before[key] for key in wrong}
            done.append(Change(op="change", what="racks", name=address, before=old, after=wrong))
            whole = _overridden(hub, where, address.removeprefix(prefix)) | wrong
            differing[tuple(sorted(whole.items()))].append(address.removeprefix(prefix))
    place = len(hall.overrides)
    for values, names in differing.items():
        for pattern in patterns_of(names):
            base: ItemPath = ("halls", where[1], "overrides", place)
            changes[*base, "racks"] = pattern
            changes |= {(*base, key): value for key, value in values}
            place += 1
    return changes, done


def _same(before: Any, after: Any) -> bool:
    # Other systems keep two decimals, and pounds.
    return before is not None and abs(float(before) - float(after)) <= 0.005 * max(abs(float(before)), 1)


def _empty(hub: Hub, where: tuple[int, int]) -> set[str]:
    site = hub.model.sites[where[0]]
    hall = site.halls[where[1]]
    prefix = f"{site.name}/{hall.name}/"
    names = (name for override in hall.overrides if override.removed for name in _expanded(override.racks))
    return {prefix + name for name in names}


def _overridden(hub: Hub, where: tuple[int, int], name: str) -> dict[str, Any]:
    """What overrides say of a rack already: of several the last one counts as a whole."""
    hall = hub.model.sites[where[0]].halls[where[1]]
    found: dict[str, Any] = {}
    for override in hall.overrides:
        if name in _expanded(override.racks):
            found = {key: value for key in OVERRIDABLE if (value := getattr(override, key)) is not None}
    return found


def _expanded(pattern: str) -> list[str]:
    try:
        return expand(pattern)
    except PatternError:
        # PLC001 tells.
        return []


def _by_hall(racks: Mapping[str, RackFacts]) -> dict[str, dict[str, RackFacts]]:
    halls: defaultdict[str, dict[str, RackFacts]] = defaultdict(dict)
    for address, facts in racks.items():
        halls[address.split("/")[1]][address] = facts
    return dict(halls)


def _rows(base: ItemPath, first: int, racks: Mapping[str, RackFacts], source: str) -> dict[ItemPath, Any]:
    """Rows of equal racks, as few as are easily found; what is not said of them is an assumption."""
    by_row: defaultdict[tuple[str, RackFacts], list[str]] = defaultdict(list)
    for address, facts in racks.items():
        _, _, row, name = address.split("/")
        by_row[row, replace(facts)].append(name)
    alike: defaultdict[tuple[RackFacts, tuple[str, ...]], list[str]] = defaultdict(list)
    for (row, facts), names in by_row.items():
        for pattern in patterns_of(names):
            alike[facts, (pattern,)].append(row)
    changes: dict[ItemPath, Any] = {}
    place = first
    for (facts, (pattern,)), rows in alike.items():
        for run in patterns_of(rows):
            changes |= {(*base, place, key): value for key, value in _run(run, pattern, facts, source).items()}
            place += 1
    return changes


def _run(rows: str, racks: str, facts: RackFacts, source: str) -> dict[str, Any]:
    found: dict[str, Any] = {"names": rows, "racks": racks, "rack": facts.known}
    if unsaid := [words for key, words in _UNSAID.items() if getattr(facts, key) is None]:
        found |= {"assumed": True, "reason": f"{source} does not say {' and '.join(unsaid)}: the usual is taken"}
    return found
