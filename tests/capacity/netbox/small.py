"""A small stand-in for NetBox' REST API: pages, filters, nested objects, tokens, errors by field.

The tests that use it run against the real NetBox too (``--slow``), which keeps it honest.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "0123456789abcdef0123456789abcdef01234567"
Object = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What NetBox asks of the objects of one endpoint."""

    required: tuple[str, ...] = ("name",)
    unique: tuple[str, ...] = ()
    """Fields that no two objects have in common, taken together."""
    refers: dict[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    defaults: Object = field(default_factory=dict)
    brief: tuple[str, ...] = ("name", "slug")


_NAMED = Kind(required=("name", "slug"), unique=("slug",))
KINDS = {
    "extras/tags": _NAMED,
    "dcim/regions": _NAMED,
    "dcim/sites": Kind(
        ("name", "slug"), ("slug",), {"region": "dcim/regions"}, ("status",), {"status": "active", "region": None}
    ),
    "dcim/locations": Kind(
        ("name", "slug", "site"),
        ("site", "parent", "slug"),
        {"site": "dcim/sites", "parent": "dcim/locations"},
        ("status",),
        {"parent": None, "status": "active"},
    ),
    "dcim/racks": Kind(
        ("name", "site"),
        ("location", "name"),
        {"site": "dcim/sites", "location": "dcim/locations"},
        ("weight_unit", "status"),
        {"u_height": 42, "max_weight": None, "weight_unit": None, "location": None, "group": None, "status": "active"},
    ),
    "dcim/manufacturers": _NAMED,
    "dcim/device-roles": Kind(("name", "slug"), ("slug",), defaults={"color": "9e9e9e"}),
    "dcim/device-types": Kind(
        ("manufacturer", "model", "slug"),
        ("manufacturer", "slug"),
        {"manufacturer": "dcim/manufacturers"},
        ("weight_unit",),
        {"u_height": 1.0, "weight": None, "weight_unit": None, "front_port_template_count": 0, "is_full_depth": True},
        ("model", "slug", "manufacturer"),
    ),
    "dcim/power-port-templates": Kind(
        ("name", "device_type"),
        ("device_type", "name"),
        {"device_type": "dcim/device-types"},
        ("type",),
        {"maximum_draw": None, "allocated_draw": None, "type": None},
    ),
    "dcim/interface-templates": Kind(
        ("name", "type", "device_type"),
        ("device_type", "name"),
        {"device_type": "dcim/device-types"},
        ("type",),
        {"mgmt_only": False},
    ),
    "dcim/devices": Kind(
        ("device_type", "role", "site"),
        ("site", "name"),
        {
            "device_type": "dcim/device-types",
            "role": "dcim/device-roles",
            "site": "dcim/sites",
            "location": "dcim/locations",
            "rack": "dcim/racks",
        },
        ("face", "status"),
        {
            "location": None,
            "rack": None,
            "position": None,
            "face": None,
            "status": "active",
            "serial": "",
            "parent_device": None,
            "power_outlet_count": 0,
        },
    ),
    "dcim/interfaces": Kind(
        ("name", "type", "device"),
        ("device", "name"),
        {"device": "dcim/devices"},
        ("type",),
        {
            "mgmt_only": False,
            "speed": None,
            "connected_endpoints": None,
            "connected_endpoints_type": None,
            "cable": None,
        },
        ("name", "device"),
    ),
    "dcim/cables": Kind(
        ("a_terminations", "b_terminations"), choices=("status", "type"), defaults={"label": "", "type": None}
    ),
    "dcim/power-panels": Kind(
        ("name", "site"),
        ("site", "name"),
        {"site": "dcim/sites", "location": "dcim/locations"},
        defaults={"location": None},
    ),
    "dcim/power-feeds": Kind(
        ("name", "power_panel"),
        ("power_panel", "name"),
        {"power_panel": "dcim/power-panels", "rack": "dcim/racks"},
        ("type", "supply", "phase", "status"),
        {
            "rack": None,
            "type": "primary",
            "supply": "ac",
            "phase": "single-phase",
            "voltage": 120,
            "amperage": 20,
            "max_utilization": 80,
            "status": "active",
        },
    ),
    "circuits/providers": _NAMED,
    "circuits/circuit-types": _NAMED,
    "circuits/circuits": Kind(
        ("cid", "provider", "type"),
        ("provider", "cid"),
        {"provider": "circuits/providers", "type": "circuits/circuit-types"},
        ("status",),
        {"status": "active", "commit_rate": None},
        ("cid", "provider"),
    ),
    "circuits/circuit-terminations": Kind(
        ("circuit", "term_side"),
        ("circuit", "term_side"),
        {"circuit": "circuits/circuits"},
        defaults={"port_speed": None, "termination_type": None, "termination_id": None},
        brief=("term_side",),
    ),
}
# What goes with what it is a part of.
_PARTS = {
    "dcim/devices": (("dcim/interfaces", "device"),),
    "circuits/circuits": (("circuits/circuit-terminations", "circuit"),),
}
_GENERIC = {"dcim.site": "dcim/sites", "dcim.region": "dcim/regions"}


class Invalid(Exception):
    """What NetBox answers 400 with: messages by field."""


class Store:
    """Objects by endpoint, as they were sent; nested only when they are shown."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Object]] = {path: {} for path in KINDS}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.allowed: int | None = None
        """After how many writing requests it fails; None for never."""
        self._last = 0

    def add(self, path: str, item: Object) -> Object:
        kind = KINDS[path]
        if missing := [name for name in kind.required if item.get(name) in (None, "", [])]:
            raise Invalid({name: ["This field is required."] for name in missing})
        row = {**kind.defaults, "custom_fields": {}, "description": "", "tags": [], **item}
        self._check(path, row)
        self._last += 1
        row["id"] = self._last
        self.objects[path][row["id"]] = row
        if path == "dcim/devices":
            self._components(row)
        if path == "dcim/cables":
            self._connect(row)
        return row

    def change(self, path: str, item: Object) -> Object:
        row = self.objects[path].get(int(item["id"]))
        if row is None:
            raise Invalid({"id": ["Object with this ID does not exist."]})
        self._check(path, {**row, **item})
        row.update(item)
        return row

    def remove(self, path: str, number: int) -> None:
        if self.objects[path].pop(number, None) is None:
            raise Invalid({"id": ["Object with this ID does not exist."]})
        for other, parent in _PARTS.get(path, ()):
            rows = self.objects[other]
            self.objects[other] = {key: row for key, row in rows.items() if row[parent] != number}

    def _check(self, path: str, row: Object) -> None:
        kind = KINDS[path]
        for name, target in kind.refers.items():
            if isinstance(row.get(name), dict):
                row[name] = self._found(target, row[name], name)
            if row.get(name) is not None and row[name] not in self.objects[target]:
                raise Invalid({name: [f"Related object not found using the provided numeric ID: {row[name]}"]})
        for tag in row["tags"]:
            self._found("extras/tags", tag, "tags")
        key = tuple(row.get(name) for name in kind.unique)
        others = (other for number, other in self.objects[path].items() if number != row.get("id"))
        if kind.unique and any(tuple(other.get(name) for name in kind.unique) == key for other in others):
            raise Invalid({"non_field_errors": [f"The fields {', '.join(kind.unique)} must make a unique set."]})
        if path == "dcim/devices" and row["position"] and not row["face"]:
            raise Invalid({"face": ["Must specify rack face when defining rack position."]})

    def _found(self, path: str, wanted: Object, name: str) -> int:
        for number, row in self.objects[path].items():
            if all(row.get(key) == value for key, value in wanted.items() if key in ("id", "name", "slug")):
                return number
        raise Invalid({name: [f"Related object not found using the provided attributes: {wanted}"]})

    def _components(self, device: Object) -> None:
        for template in list(self.objects["dcim/interface-templates"].values()):
            if template["device_type"] == device["device_type"]:
                self.add(
                    "dcim/interfaces", {"device": device["id"], "name": template["name"], "type": template["type"]}
                )

    def _connect(self, cable: Object) -> None:
        ends = [cable[f"{side}_terminations"][0] for side in "ab"]
        numbers = [end["object_id"] for end in ends]
        interfaces = self.objects["dcim/interfaces"]
        for own, other in (numbers, reversed(numbers)):
            if interfaces[own]["cable"] is not None:
                raise Invalid({"a_terminations": [f"Duplicate termination found for interface {own}"]})
            interfaces[own] |= {"connected_endpoints": [other], "connected_endpoints_type": "dcim.interface"}
        for number in numbers:
            interfaces[number]["cable"] = cable["id"]

    def shown(self, path: str, row: Object) -> Object:
        kind = KINDS[path]
        found = dict(row)
        for name, target in kind.refers.items():
            found[name] = self._brief(target, row.get(name))
        for chosen in kind.choices:
            value = row.get(chosen)
            found[chosen] = None if value is None else {"value": value, "label": str(value).title()}
        found["tags"] = [self._brief("extras/tags", self._found("extras/tags", tag, "tags")) for tag in row["tags"]]
        if path == "dcim/interfaces" and row["connected_endpoints"]:
            found["connected_endpoints"] = [self._brief(path, number) for number in row["connected_endpoints"]]
        if path == "dcim/cables":
            for side in ("a_terminations", "b_terminations"):
                found[side] = [end | {"object": self._brief("dcim/interfaces", end["object_id"])} for end in row[side]]
        if ended := _GENERIC.get(row.get("termination_type") or ""):
            found["termination"] = self._brief(ended, row["termination_id"])
        if path == "dcim/locations":
            found["_depth"] = self._depth(row)
        return found | {"url": f"/api/{path}/{row['id']}/", "display": str(row.get("name", row["id"]))}

    def _depth(self, row: Object) -> int:
        return 0 if row["parent"] is None else 1 + self._depth(self.objects["dcim/locations"][row["parent"]])

    def _brief(self, path: str, number: int | None) -> Object | None:
        if number is None:
            return None
        kind, row = KINDS[path], self.objects[path][number]
        found = {"id": number, "url": f"/api/{path}/{number}/"}
        for name in kind.brief:
            found[name] = self._brief(kind.refers[name], row[name]) if name in kind.refers else row.get(name)
        return found

    def matching(self, path: str, query: dict[str, list[str]]) -> list[Object]:
        rows = list(self.objects[path].values())
        for name, wanted in query.items():
            if name not in ("limit", "offset", "exclude"):
                rows = [row for row in rows if self._matches(path, row, name, wanted)]
        return rows

    def _matches(self, path: str, row: Object, name: str, wanted: list[str]) -> bool:
        if name == "tag":
            return any(tag.get("slug") in wanted for tag in row["tags"])
        if name == "connected":
            return bool(row["connected_endpoints"]) == (wanted == ["true"])
        if name == "cabled":
            return (row["cable"] is not None) == (wanted == ["true"])
        if name == "site":
            return self._site(path, row) in wanted
        if name.endswith("_id"):
            return str(row.get(name.removesuffix("_id"))) in wanted
        return str(row.get(name)) in wanted

    def _site(self, path: str, row: Object) -> str:
        if path == "dcim/sites":
            return str(row["slug"])
        step = next(name for name in ("site", "device", "power_panel", "rack") if name in KINDS[path].refers)
        target = KINDS[path].refers[step]
        return self._site(target, self.objects[target][row[step]])


class _Handler(BaseHTTPRequestHandler):
    store: Store
    protocol_version = "HTTP/1.1"
    # Head and body go out together; apart, each answer would wait for a delayed acknowledgement.
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PATCH(self) -> None:
        self._answer("PATCH")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/api/").strip("/")
        self.store.requests.append((method, path))
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            return self._send(403, {"detail": "Invalid v1 token"})
        if path == "status":
            return self._send(200, {"netbox-version": "4.7.3"})
        if path not in KINDS:
            return self._send(404, {"detail": "Not found."})
        if method != "GET" and self.store.allowed is not None:
            self.store.allowed -= 1
            if self.store.allowed < 0:
                return self._send(500, {"error": "out of memory"})
        with self.store.lock:
            try:
                self._send(*self._done(method, path, parts.query, json.loads(body or b"null")))
            except Invalid as error:
                self._send(400, error.args[0])

    def _done(self, method: str, path: str, query: str, sent: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, self._page(path, parse_qs(query))
        many = isinstance(sent, list)
        items = sent if many else [sent]
        if method == "DELETE":
            for item in items:
                self.store.remove(path, int(item["id"]))
            return 204, None
        step = self.store.add if method == "POST" else self.store.change
        before = json.dumps(self.store.objects)
        try:
            rows = [self.store.shown(path, step(path, item)) for item in items]
        except Invalid:
            # All or nothing, as NetBox does it.
            loaded = json.loads(before)
            self.store.objects = {key: {int(n): row for n, row in part.items()} for key, part in loaded.items()}
            raise
        return 201 if method == "POST" else 200, rows if many else rows[0]

    def _page(self, path: str, query: dict[str, list[str]]) -> Object:
        rows = self.store.matching(path, query)
        limit, offset = int(query.get("limit", ["50"])[0]), int(query.get("offset", ["0"])[0])
        following = None
        if offset + limit < len(rows):
            more = urlencode(query | {"limit": [limit], "offset": [offset + limit]}, doseq=True)
            following = f"http://{self.headers['Host']}/api/{path}/?{more}"
        shown = [self.store.shown(path, row) for row in rows[offset : offset + limit]]
        return {"count": len(rows), "next": following, "previous": None, "results": shown}

    def _send(self, status: int, document: Any) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("API-Version", "4.7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running() -> Iterator[tuple[str, Store]]:
    """Its address, and what it holds."""
    store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
