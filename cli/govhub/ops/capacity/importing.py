"""``capacity import``: racks, machines, feeds and lines of other systems into a hub's files, as a reviewed change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import UsageError
from govhub.core.exits import Exit
from govhub.core.private import read_private
from govhub.core.secrets import REDACTOR, Secret
from govhub.core.settings import today
from govhub.engine.lease import HubLock
from govhub.engine.state import State
from govhub.inventory.editing.trial import replace_files
from govhub.inventory.loader import Hub
from govhub.inventory.merging.kinds import Assumptions
from govhub.inventory.merging.merge import Merged, merge
from govhub.inventory.merging.observed import Observed
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket

if TYPE_CHECKING:
    from govhub.inventory.importers import ImportResult as TableResult
    from govhub.inventory.importers import What
    from govhub.inventory.netbox.client import NetBox

SCHEMA = "govhub.capacity.import/1"
Agree = Callable[["ImportResult"], bool]
"""Asks a person who has seen the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBoxRequest:
    """Which NetBox, and what of it."""

    hub: str
    url: str
    token_file: Path
    sites: tuple[str, ...] = ()
    assume: Assumptions = field(default_factory=Assumptions)
    dry_run: bool = False
    agree: Agree | None = None
    timeout: float = 60.0


@dataclass(slots=True, kw_only=True)
class ImportResult:
    """What the import does, and whether it was done."""

    hub: str
    source: str
    dry_run: bool
    merged: Merged
    written: bool = False
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def exit(self) -> Exit:
        """INVALID when something keeps the import from being written."""
        return Exit.INVALID if any(item.severity is Severity.ERROR for item in self.problems) else Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        document = self.merged.as_dict() | {"diagnostics": [item.as_dict() for item in self.problems]}
        head = {"schema": SCHEMA, "hub": self.hub, "source": self.source, "dry_run": self.dry_run}
        return head | {"written": self.written} | document


def netbox_of(hub: Hub, url: str, token_file: Path, timeout: float) -> NetBox:
    """A NetBox with the token of a private file.

    Raises:
        InvalidInput: the file is open to others, or in the hub folder; the address is none.
        UsageError: the file holds no token (NBX007).
    """
    from govhub.inventory.netbox.client import NetBox

    token = read_private(token_file.expanduser(), hub.folder).strip()
    if not token or "\n" in token or not token.isascii():
        raise UsageError.one("NBX007", "the file holds no token", hint="one line with the token, and nothing else")
    return NetBox(url, REDACTOR.add(Secret(token)), timeout=timeout)


def import_netbox(request: NetBoxRequest) -> ImportResult:
    """Bring what NetBox says into the hub's files; nothing that only the hub knows goes away.

    Raises:
        InvalidInput: the hub is not valid, or NetBox refuses; errors of the outcome are in the result.
        TargetUnreachable: NetBox does not answer.
        LockHeld: a run works on the hub.
    """
    from govhub.inventory.netbox.reading import observe
    from govhub.inventory.netbox.snapshot import read

    hub, _ = valid_hub(request.hub)
    netbox = netbox_of(hub, request.url, request.token_file, request.timeout)
    found = Diagnostics()
    observed = observe(hub, read(netbox, request.sites), found)
    return settle(hub, observed, netbox.url, found, request.assume, dry_run=request.dry_run, agree=request.agree)


TABLES: tuple[What, ...] = ("racks", "hosts", "devices", "feeds", "links")
"""The tables that ``capacity import csv`` takes."""


def import_types(
    name: str, paths: Sequence[Path], assume: Assumptions, *, kind: str, dry_run: bool, agree: Agree | None
) -> ImportResult:
    """Bring device types of the devicetype-library into a hub's files.

    Raises:
        InvalidInput: the hub is not valid, or there is no such file; what is wrong with a file is in the result.
        LockHeld: a run works on the hub.
    """
    from govhub.inventory.netbox.library import read_types

    hub, _ = valid_hub(name)
    found = Diagnostics()
    observed = read_types(paths, found, kind=kind)
    source = ", ".join(str(path) for path in paths)
    return settle(hub, observed, source, found, assume, dry_run=dry_run, agree=agree)


def import_csv(name: str, file: Path, what: What | None, *, dry_run: bool, partial: bool) -> TableResult:
    """Bring a table of racks, hosts, devices, feeds or links into a hub's files; its headings tell which it is.

    Raises:
        InvalidInput: the hub is not valid, or the headings fit no table; problems of rows are in the result.
        LockHeld: a run works on the hub.
    """
    from govhub.inventory.importers import import_table, kind_of
    from govhub.inventory.importers.plant import import_plant

    hub, _ = valid_hub(name)
    what = what or kind_of(file, TABLES)
    with HubLock(State(hub.name, state_bucket(hub)), "import", f"capacity import {what}"):
        if what in ("racks", "feeds"):
            return import_plant(hub, file, what, dry_run=dry_run, partial=partial)
        return import_table(hub, file, what, dry_run=dry_run, partial=partial)


def settle(
    hub: Hub,
    observed: Observed,
    source: str,
    found: Diagnostics,
    assume: Assumptions,
    *,
    dry_run: bool,
    agree: Agree | None,
) -> ImportResult:
    """Try the import on a copy, and write it when that is wanted and nothing speaks against it.

    Raises:
        InvalidInput: a file cannot be edited.
        LockHeld: a run works on the hub.
    """
    merged = merge(hub, observed, today(), assume)
    found.extend(merged.problems)
    result = ImportResult(hub=hub.name, source=source, dry_run=dry_run, merged=merged, problems=found.sorted())
    if dry_run or found.errors or not merged.trial.after or (agree and not agree(result)):
        return result
    with HubLock(State(hub.name, state_bucket(hub)), "import", "capacity import"):
        replace_files(hub, merged.trial.before, merged.trial.after)
    result.written = True
    return result
