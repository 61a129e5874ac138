"""What a host was last brought to, and what that differs from: hosts without a difference are not contacted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from govhub.core.canonical import digest
from govhub.core.diff import Change, diff
from govhub.core.plan import Op, PlannedChange
from govhub.hosts.content import role_digest, role_options, roles_of, secret_options
from govhub.hosts.variables import Declared

SCHEMA = "govhub.host/1"
LAYER = "hosts"
Record = Mapping[str, Any]


def fingerprint(host: Declared) -> dict[str, Any]:
    """What decides whether a host has changed: by role its content's digest, and the options it reads.

    Options that a role marks ``no_log`` are kept as digests only.
    """
    return {role: {"content": role_digest(role), "options": _options(host, role)} for role in roles_of(host.groups)}


def _options(host: Declared, role: str) -> dict[str, Any]:
    hidden = secret_options(role)
    options = {name: host.variables[name] for name in sorted(role_options(role)) if name in host.variables}
    return {name: {"digest": digest(value)} if name in hidden else value for name, value in options.items()}


def address_of(host: str) -> str:
    """The address of a host in plans."""
    return f"{LAYER}/{host}"


def planned_hosts(
    declared: Mapping[str, Declared], recorded: Mapping[str, Record], drifted: Mapping[str, Iterable[str]]
) -> list[PlannedChange]:
    """The changes of the hosts layer.

    Args:
        declared: Hosts that can be reached, with what they should be.
        recorded: What runs have brought hosts to, by name.
        drifted: What the last look found changed by hand, by host.
    """
    changes = []
    for name, host in declared.items():
        change = _compare(name, fingerprint(host), recorded.get(name), tuple(drifted.get(name, ())))
        if change:
            changes.append(change)
    return changes


def _compare(
    name: str, wanted: dict[str, Any], record: Record | None, drifted: tuple[str, ...]
) -> PlannedChange | None:
    if record is None:
        return _change(Op.CREATE, name, "no run has brought it to its declared state")
    known = record["roles"]
    if known != wanted:
        parts = sorted(role for role in {*known, *wanted} if known.get(role) != wanted.get(role))
        return _change(Op.UPDATE, name, f"changed: {', '.join(parts)}", _readable(known, wanted))
    if drifted:
        return _change(Op.REPAIR, name, f"was changed by hand: {'; '.join(drifted[:3])}")
    return None


def _readable(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Change, ...]:
    return diff(_short(known), _short(wanted))


def _short(roles_of_host: Mapping[str, Any]) -> dict[str, Any]:
    """The digests of contents cut to what people compare."""
    return {
        role: {"content": state["content"][:12], **state["options"]} for role, state in sorted(roles_of_host.items())
    }


def _change(op: Op, name: str, reason: str, found: tuple[Change, ...] = ()) -> PlannedChange:
    return PlannedChange(op=op, address=address_of(name), reason=reason, diff=found, layer=LAYER, kind="Host")
