"""``hosts audit``: every selected host against the catalogue; what was found is kept, for evidence."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.core.files import private_folder, write_atomic
from govhub.core.settings import actor, hub_home
from govhub.hosts.audit.catalogue import STANDARD, checks, edition, without_check
from govhub.hosts.audit.judge import judge, subject_of, unread
from govhub.hosts.audit.model import Control, Result, Verdict
from govhub.hosts.content import roles_of
from govhub.hosts.fingerprint import address_of
from govhub.ops.hostread import Sweep, SweepRequest, age, sweep

SCHEMA = "govhub.hosts-audit/1"
KEEP = 200
Document = dict[str, Any]


def hosts_audit(request: SweepRequest) -> Document:
    """Read and judge the selected hosts; the document is also kept on this machine.

    Raises:
        InvalidInput: the hub is not valid, or the selection matches no host.
        ToolMissing: pyinfra is not installed.
    """
    found = sweep(request)
    now = datetime.now(UTC)
    hosts = {name: _host(found, name, now) for name in _asked(found)}
    document: Document = {
        "schema": SCHEMA,
        "hub": found.hub.name,
        "audit": f"{now:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(3)}",
        "actor": actor(),
        "time": now.isoformat(timespec="milliseconds"),
        "standard": STANDARD,
        "catalogue": edition(),
        "saved": request.saved,
        "hosts": hosts,
        "findings": _findings(hosts),
        "summary": {result.value: _count(hosts, result) for result in Result},
        "not_covered": [{"control": item.id, "title": _title(item)} for item in without_check()],
        "without_address": found.without_address,
        "problems": [item.as_dict() for item in found.problems],
        "seconds": round(found.seconds, 3),
    }
    _keep(found.hub.name, document)
    return document


def audits_folder(hub: str) -> Path:
    """Where audits of a hub are kept."""
    return hub_home(hub) / "audits"


def _asked(found: Sweep) -> list[str]:
    """The hosts that were read, and those that could not be."""
    failed = {item.address for item in found.problems}
    return [name for name in found.side.declared if name in found.readings or address_of(name) in failed]


def _host(found: Sweep, name: str, now: datetime) -> Document:
    declared, reading = found.side.declared[name], found.readings.get(name)
    if reading:
        verdicts = judge(subject_of(declared, reading, now))
    else:
        why = next(item.summary for item in found.problems if item.address == address_of(name))
        verdicts = unread(roles_of(declared.groups), f"not read: {why.removeprefix(f'{name}: ')}")
    return {
        "read": reading.time if reading else None,
        "age": age(reading, now) if reading else None,
        "results": [_verdict(item) for item in verdicts],
    }


def _verdict(item: Verdict) -> Document:
    return {"check": item.check, "result": item.result.value, "found": list(item.found)}


def _findings(hosts: Document) -> list[Document]:
    """What did not pass, by check, failures first: which hosts, and what was found there."""
    out = []
    for check in checks().values():
        for result in (Result.FAILED, Result.UNVERIFIED):
            where = {
                name: item["found"]
                for name, host in hosts.items()
                for item in host["results"]
                if item["check"] == check.id and item["result"] == result
            }
            if where:
                out.append(
                    {
                        "check": check.id,
                        "result": result.value,
                        "controls": list(check.controls),
                        "title": {"en": check.title.en, "zh": check.title.zh},
                        "set_by": f"{check.role}: {check.task}" if check.role else None,
                        "hosts": where,
                    }
                )
    return sorted(out, key=lambda item: item["result"] != Result.FAILED)


def _count(hosts: Document, result: Result) -> int:
    return sum(item["result"] == result for host in hosts.values() for item in host["results"])


def _title(item: Control) -> Document:
    return {"en": item.title.en, "zh": item.title.zh}


def _keep(hub: str, document: Document) -> None:
    folder = private_folder(audits_folder(hub))
    write_atomic(folder / f"{document['audit']}.json", json.dumps(document, ensure_ascii=False))
    for old in sorted(folder.glob("*.json"))[:-KEEP]:
        with suppress(OSError):
            old.unlink()
