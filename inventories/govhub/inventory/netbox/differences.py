"""What an export changes: the wanted objects against those that NetBox has, and whose those are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from govhub.inventory.netbox.client import NetBox, Object
from govhub.inventory.netbox.wanted import Key, Reference, Wanted

ORDER = (
    "dcim/regions",
    "dcim/sites",
    "dcim/locations",
    "dcim/racks",
    "dcim/manufacturers",
    "dcim/device-roles",
    "dcim/device-types",
    "dcim/power-port-templates",
    "dcim/interface-templates",
    "dcim/devices",
    "dcim/power-panels",
    "dcim/power-feeds",
    "dcim/cables",
    "circuits/providers",
    "circuits/circuit-types",
    "circuits/circuits",
    "circuits/circuit-terminations",
)
"""Endpoints in the order in which their objects are made; they are deleted the other way round."""
_SLUGGED = (
    "dcim/regions",
    "dcim/sites",
    "dcim/manufacturers",
    "dcim/device-roles",
    "dcim/device-types",
    "circuits/providers",
    "circuits/circuit-types",
)
FIXED = ("dcim/cables",)
"""What is never changed: a cable with other ends is another cable."""


@dataclass(slots=True)
class Known:
    """Objects of NetBox by endpoint and key, and the keys by id."""

    objects: dict[str, dict[Key, Object]] = field(default_factory=dict)
    keys: dict[str, dict[int, Key]] = field(default_factory=dict)
    tag: str = ""

    def find(self, reference: Reference) -> Object | None:
        """The object that a reference means."""
        return self.objects.get(reference[0], {}).get(reference[1])

    def ours(self, item: Object) -> bool:
        """Whether it carries our tag."""
        return any(tag.get("slug") == self.tag for tag in item.get("tags") or ())

    def put(self, path: str, key: Key, item: Object) -> None:
        """Remember an object."""
        self.objects.setdefault(path, {})[key] = item
        self.keys.setdefault(path, {})[int(item["id"])] = key


@dataclass(slots=True, kw_only=True)
class Difference:
    """What happens to one object."""

    op: str
    """``add``, ``change``, ``delete`` (ours, and wanted no more) or ``leave`` (another's, and not as wanted)."""
    path: str
    key: Key
    wanted: Wanted | None = None
    there: Object | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "op": self.op,
            "what": self.path,
            "name": "/".join(self.key),
            "before": dict(self.before),
            "after": dict(self.after),
        }


def known_objects(netbox: NetBox, tag: str) -> Known:
    """Read what NetBox has."""
    known = Known(tag=tag)
    for path in ORDER:
        more = {"exclude": "config_context"} if path == "dcim/devices" else {}
        items = netbox.all(path, **more)
        if path == "dcim/locations":
            # Parents first: keys are made of theirs.
            items.sort(key=lambda item: int(item.get("_depth") or 0))
        for item in items:
            if key := _key(known, path, item):
                known.put(path, key, item)
    return known


def _key(known: Known, path: str, item: Object) -> Key | None:  # noqa: PLR0911 -- one line for each kind
    if path in _SLUGGED:
        return (str(item["slug"]),)
    if path == "dcim/locations":
        above = known.keys[path].get(int(item["parent"]["id"])) if item.get("parent") else (str(item["site"]["slug"]),)
        return (*above, str(item["slug"])) if above else None
    if path == "dcim/racks":
        above = known.keys["dcim/locations"].get(int(item["location"]["id"])) if item.get("location") else None
        return (*above, str(item["name"])) if above else None
    if path.endswith("-templates"):
        owner = item.get("device_type")
        return (str(owner["slug"]), str(item["name"])) if owner else None
    if path == "dcim/power-panels":
        return (str(item["site"]["slug"]), str(item["name"]))
    if path == "dcim/power-feeds":
        panel = known.keys.get("dcim/power-panels", {}).get(int(item["power_panel"]["id"]))
        return (*panel, str(item["name"])) if panel else None
    if path == "circuits/circuits":
        return (str(item["provider"]["slug"]), str(item["cid"]))
    if path == "circuits/circuit-terminations":
        circuit = known.keys.get("circuits/circuits", {}).get(int(item["circuit"]["id"]))
        return (*circuit, str(item["term_side"])) if circuit else None
    name = str(item.get("label" if path == "dcim/cables" else "name") or "")
    return (name,) if name else None


def compare(wanted: Iterable[Wanted], known: Known) -> list[Difference]:
    """What has to be done, in the order of the endpoints; nothing for what is as it shall be."""
    by_path: dict[str, dict[Key, Wanted]] = {path: {} for path in ORDER}
    for one in wanted:
        by_path[one.path].setdefault(one.key, one)
    found: list[Difference] = []
    for path in ORDER:
        found += [difference for one in by_path[path].values() if (difference := _difference(one, known))]
        gone = {key: _own(known, path, key) for key in known.objects.get(path, {}) if key not in by_path[path]}
        found += [Difference(op="delete", path=path, key=key, there=item) for key, item in gone.items() if item]
    return found


def _own(known: Known, path: str, key: Key) -> Object | None:
    """The object when it is ours; components go with what they are a part of."""
    item = known.objects[path][key]
    return item if known.ours(item) and not path.endswith(("-templates", "-terminations")) else None


def _difference(one: Wanted, known: Known) -> Difference | None:
    there = known.find((one.path, one.key))
    owner = known.find(one.part_of) if one.part_of else None
    if there is None:
        if owner is not None and not known.ours(owner):
            # A component of another's object is not ours to add.
            return None
        return Difference(op="add", path=one.path, key=one.key, wanted=one, after=one.values)
    if one.path in FIXED:
        return None
    wrong = {name: value for name, value in one.values.items() if not _equal(there.get(name), value)}
    before = {name: there.get(name) for name in wrong}
    for name, reference in one.refs.items():
        key = _referred(known, reference[0], there.get(name))
        if key != reference[1]:
            wrong[name], before[name] = "/".join(reference[1]), "/".join(key) if key else None
    if not wrong:
        return None
    mine = known.ours(owner if owner is not None else there)
    op = "change" if mine else "leave"
    return Difference(op=op, path=one.path, key=one.key, wanted=one, there=there, before=before, after=wrong)


def _referred(known: Known, path: str, value: Any) -> Key | None:
    number = value.get("id") if isinstance(value, Mapping) else value
    return known.keys.get(path, {}).get(int(number)) if number is not None else None


def _equal(there: Any, value: Any) -> bool:
    if isinstance(value, int | float) and isinstance(there, int | float):
        return abs(float(there) - float(value)) < 0.01
    return (there or None) == (value or None)
