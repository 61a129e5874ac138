"""Differences carried out: made and changed in bulk, parents before children, with our tag on all that we make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from govhub.inventory.netbox.client import NetBox
from govhub.inventory.netbox.differences import ORDER, Difference, Known
from govhub.inventory.netbox.wanted import Key, Wanted

Progress = Callable[[str, str, int], None]
"""Told what was done, at which endpoint, and how many objects."""


def tag_of(hub: str) -> str:
    """The slug of the tag that a hub's objects carry."""
    return f"govhub-{hub}"


def carry_out(
    netbox: NetBox, differences: Iterable[Difference], known: Known, *, prune: bool, progress: Progress
) -> None:
    """Write to NetBox what has to be added and changed; with ``prune`` also delete what is ours and wanted no more.

    Raises:
        GovhubError: NetBox does not take something; what was done before stays, and the next run goes on from there.
    """
    by_path: dict[str, list[Difference]] = {path: [] for path in ORDER}
    for one in differences:
        by_path[one.path].append(one)
    if any(one.op == "add" for group in by_path.values() for one in group):
        _ensure_tag(netbox, known.tag)
    if prune:
        # First, since new objects may want the place or the name of old ones.
        for path in reversed(ORDER):
            gone = [int(one.there["id"]) for one in by_path[path] if one.op == "delete" and one.there]
            for count in netbox.delete(path, gone):
                progress("delete", path, count)
    for path in ORDER:
        new = [one.wanted for one in by_path[path] if one.op == "add" and one.wanted]
        if path == "dcim/cables" and new:
            _interfaces(netbox, known)
        # Rows hang on halls: what is nearer to the root comes first.
        for depth in sorted({len(one.key) for one in new}):
            _create(netbox, path, [one for one in new if len(one.key) == depth], known, progress)
        changed = [one for one in by_path[path] if one.op == "change" and one.wanted and one.there]
        payload = [_changes(one, known) for one in changed]
        for count in netbox.update(path, payload):
            progress("change", path, count)


def _create(netbox: NetBox, path: str, wanted: list[Wanted], known: Known, progress: Progress) -> None:
    tags = {} if wanted and wanted[0].part_of else {"tags": [{"slug": known.tag}]}
    ready = [one for one in wanted if path != "dcim/cables" or all(known.find(ref) for ref in one.refs.values())]
    place = iter(ready)
    for made in netbox.create(path, [_payload(one, known) | tags for one in ready]):
        for item in made:
            known.put(path, next(place).key, item)
        progress("add", path, len(made))


def _payload(one: Wanted, known: Known) -> dict[str, Any]:
    return dict(one.values) | {name: _reference(known, name, reference) for name, reference in one.refs.items()}


def _changes(one: Difference, known: Known) -> dict[str, Any]:
    assert one.there
    assert one.wanted
    payload = _payload(one.wanted, known)
    return {"id": one.there["id"]} | {name: payload[name] for name in one.after}


def _reference(known: Known, name: str, reference: tuple[str, Key]) -> Any:
    item = known.find(reference)
    number = int(item["id"]) if item else None
    if name.endswith("_terminations"):
        return [{"object_type": "dcim.interface", "object_id": number}]
    return number


def _ensure_tag(netbox: NetBox, tag: str) -> None:
    if not netbox.all("extras/tags", slug=tag):
        text = "Made and kept by govhub; take it away from what govhub shall leave alone."
        list(netbox.create("extras/tags", [{"name": tag, "slug": tag, "description": text}]))


def _interfaces(netbox: NetBox, known: Known) -> None:
    """Ports of our devices that have no cable yet: NetBox made them when the devices were made."""
    devices: Mapping[int, Key] = known.keys.get("dcim/devices", {})
    for item in netbox.all("dcim/interfaces", cabled="false"):
        device = devices.get(int(item["device"]["id"]))
        if device is not None:
            known.put("dcim/interfaces", (*device, str(item["name"])), item)
