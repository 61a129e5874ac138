"""``capacity export``: what a hub's files say of racks, machines, feeds and lines, into NetBox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.ops.capacity.importing import netbox_of
from govhub.ops.load import valid_hub

if TYPE_CHECKING:
    from govhub.inventory.netbox.differences import Difference

SCHEMA = "govhub.capacity.export/1"
OPS = ("add", "change", "delete", "leave")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Which hub, and which NetBox."""

    hub: str
    url: str
    token_file: Path
    prune: bool = False
    dry_run: bool = False
    agree: Callable[[ExportResult], bool] | None = None
    timeout: float = 60.0


@dataclass(slots=True, kw_only=True)
class ExportResult:
    """What the export does, and what of it was done."""

    hub: str
    target: str
    tag: str
    dry_run: bool
    prune: bool
    differences: list[Difference]
    written: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many objects, by what was done and endpoint."""
    problems: list[Diagnostic] = field(default_factory=list)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many objects of each endpoint there are to add, change, delete and leave alone."""
        found: dict[str, dict[str, int]] = {}
        for one in self.differences:
            found.setdefault(one.path, dict.fromkeys(OPS, 0))[one.op] += 1
        return found

    @property
    def pending(self) -> int:
        """How many objects would be written."""
        ops = ("add", "change", "delete") if self.prune else ("add", "change")
        return sum(one.op in ops for one in self.differences)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": SCHEMA,
            "hub": self.hub,
            "target": self.target,
            "tag": self.tag,
            "dry_run": self.dry_run,
            "prune": self.prune,
            "counts": self.counts(),
            "changes": [one.as_dict() for one in self.differences],
            "written": {f"{op} {path}": count for (op, path), count in sorted(self.written.items())},
            "diagnostics": [item.as_dict() for item in self.problems],
        }


def export_netbox(request: ExportRequest) -> ExportResult:
    """Let NetBox have what the hub's files say; only what carries the hub's tag is changed or deleted.

    Raises:
        InvalidInput: the hub is not valid, or NetBox refuses the token.
        TargetUnreachable: NetBox does not answer.
        GovhubError: NetBox does not take something; what was written before stays, and the next run goes on.
    """
    from govhub.inventory.netbox.differences import compare, known_objects
    from govhub.inventory.netbox.wanted import hardware, places, supply
    from govhub.inventory.netbox.wanted_network import cables, circuits
    from govhub.inventory.netbox.writing import carry_out, tag_of

    hub, _ = valid_hub(request.hub)
    netbox = netbox_of(hub, request.url, request.token_file, request.timeout)
    found = Diagnostics()
    wanted = [*places(hub), *hardware(hub), *supply(hub), *cables(hub, found), *circuits(hub)]
    netbox.version()
    tag = tag_of(hub.name)
    known = known_objects(netbox, tag)
    result = ExportResult(
        hub=hub.name,
        target=netbox.url,
        tag=tag,
        dry_run=request.dry_run,
        prune=request.prune,
        differences=compare(wanted, known),
        problems=found.sorted(),
    )
    if request.dry_run or not result.pending or (request.agree and not request.agree(result)):
        return result

    def count(op: str, path: str, number: int) -> None:
        result.written[op, path] += number

    carry_out(netbox, result.differences, known, prune=request.prune, progress=count)
    return result
