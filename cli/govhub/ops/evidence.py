"""Evidence: what audits found, control by control, as a chain that shows each change, gap and cut."""

from __future__ import annotations

import contextlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.core.events import EventLog, first_broken_link, read_events
from govhub.core.keys import HubKey
from govhub.core.secrets import REDACTOR, Secret
from govhub.core.settings import actor, hub_home
from govhub.hosts.audit.catalogue import checks, controls, without_check
from govhub.inventory.loader import Hub
from govhub.ops.hostaudit import audits_folder
from govhub.ops.load import valid_hub

VERSION = "govhub.evidence/1"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Result:
    """One verdict of one audit."""

    audit: Document
    host: str
    read: str | None
    verdict: Document


def export(hub_name: str, to: Path, *, everything: bool = False) -> Document:
    """Write the latest verdicts of each host (or those of all kept audits) to a new file; returns what was written.

    Raises:
        InvalidInput: there is no audit, one is damaged, or the file is already there.
    """
    hub, _ = valid_hub(hub_name)
    audits = list(_audits(hub.name))
    if not audits:
        raise InvalidInput.one(
            "EVD001", f"{hub.name} was not audited on this machine", hint=f"govhub hosts audit {hub.name}"
        )
    if to.exists():
        raise InvalidInput.one(
            "EVD002", f"{to} is already there", hint="evidence is never overwritten: name a new file"
        )
    results = list(_all(audits) if everything else _latest(audits))
    used = {item.audit["audit"]: item.audit for item in results}
    log = EventLog(to, redact=REDACTOR)
    try:
        log.emit("evidence-opened", version=VERSION, hub=hub.name, actor=actor(), audits=sorted(used))
        for audit in used.values():
            log.emit("audit-taken", **{key: audit[key] for key in _OF_AUDIT})
        counts = _write(log, results)
        for control in without_check():
            log.emit("control-not-covered", control=control.id, title={"en": control.title.en, "zh": control.title.zh})
        last = log.emit("evidence-counted", records=sum(counts.values()), results=dict(counts))
        seal = _key(hub).fingerprint(Secret(last.hash))
        closing = log.emit("evidence-closed", seal=seal)
    finally:
        log.close()
    return {
        "schema": "govhub.evidence-export/1",
        "hub": hub.name,
        "file": str(to),
        "audits": sorted(used),
        "records": sum(counts.values()),
        "results": dict(counts),
        "sealed": bool(seal),
        "last_hash": closing.hash,
    }


def verify(file: Path, hub_name: str | None = None) -> Document:
    """Check a file of evidence without anything else; with a hub, its seal too.

    Returns:
        ``intact``; ``first_broken`` is the number of the first record that was changed, removed, reordered or cut
        off, and ``why`` says which. ``sealed`` is None when it was not asked for.

    Raises:
        InvalidInput: the file holds no evidence at all.
    """
    broken = first_broken_link(file)
    records = _readable(file)
    if not records or records[0].get("kind") != "evidence-opened":
        if broken != 0 or not _looks_like(file):
            hint = "give a file that `evidence export` wrote"
            raise InvalidInput.one("EVD003", f"{file} holds no evidence", hint=hint)
        return _verified(file, records, 0, "the first record was changed or removed")
    if broken is not None:
        return _verified(file, records, broken, "this record was changed, removed or reordered")
    if why := _cut(file, records):
        return _verified(file, records, len(records), why)
    document = _verified(file, records, None, "")
    if hub_name:
        hub, _ = valid_hub(hub_name)
        wanted = _key(hub).fingerprint(Secret(str(records[-2]["hash"])))
        document["sealed"] = bool(wanted) and hmac.compare_digest(wanted, str(records[-1]["data"]["seal"]))
        if not document["sealed"]:
            document |= {"intact": False, "why": f"the seal is not that of the key of {hub.name}"}
    return document


_OF_AUDIT = ("audit", "time", "actor", "standard", "catalogue", "saved", "summary", "without_address")


def _write(log: EventLog, results: list[_Result]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for item in results:
        check = checks().get(item.verdict["check"])
        # A check of a former catalogue is kept under the name that it had.
        name = {"en": check.title.en, "zh": check.title.zh} if check else {"en": item.verdict["check"], "zh": ""}
        for number in check.controls if check else ("",):
            control = controls().get(number)
            log.emit(
                "evidence",
                control=number,
                control_title={"en": control.title.en, "zh": control.title.zh} if control else {},
                host=item.host,
                check=item.verdict["check"],
                title=name,
                set_by=f"{check.role}: {check.task}" if check and check.role else "",
                result=item.verdict["result"],
                found=item.verdict["found"],
                read=item.read,
                audit=item.audit["audit"],
            )
            counts[item.verdict["result"]] += 1
    return counts


def _all(audits: list[Document]) -> Iterator[_Result]:
    for audit in audits:
        for host in sorted(audit["hosts"]):
            yield from _of_host(audit, host)


def _latest(audits: list[Document]) -> Iterator[_Result]:
    newest = {host: audit for audit in audits for host in audit["hosts"]}
    for host in sorted(newest):
        yield from _of_host(newest[host], host)


def _of_host(audit: Document, host: str) -> Iterator[_Result]:
    found = audit["hosts"][host]
    for verdict in found["results"]:
        yield _Result(audit, host, found["read"], verdict)


def _audits(hub: str) -> Iterator[Document]:
    """The audits that are kept, oldest first."""
    for path in sorted(audits_folder(hub).glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            document = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(document, dict) and set(document) >= {"schema", "hosts", *_OF_AUDIT}:
                yield document
                continue
        # Not left out in silence: what is missing from evidence must be known.
        hint = "look who changed it; move it away to go on without this audit"
        raise InvalidInput.one("EVD004", f"{path} is no audit, or damaged", hint=hint)


def _key(hub: Hub) -> HubKey:
    return HubKey(hub_home(hub.name), hub.folder)


def _readable(file: Path) -> list[Document]:
    """The records up to the first that is none."""
    found: list[Document] = []
    try:
        for record in read_events(file):
            if not isinstance(record, dict):
                break
            found.append(record)
    except ValueError:
        pass
    return found


def _looks_like(file: Path) -> bool:
    """Whether this was evidence once."""
    return any(str(item.get("kind", "")).startswith("evidence") for item in _readable(file))


def _cut(file: Path, records: list[Document]) -> str:
    """What is missing at the end, which a chain alone does not show."""
    if not file.read_bytes().endswith(b"\n"):
        return "the file ends in half a record"
    kinds = [str(item["kind"]) for item in records]
    if kinds[-2:] != ["evidence-counted", "evidence-closed"] or kinds.count("evidence-closed") != 1:
        return "the records after this were cut off"
    if records[-2]["data"].get("records") != kinds.count("evidence"):
        return "records are missing"
    return ""


def _verified(file: Path, records: list[Document], broken: int | None, why: str) -> Document:
    opened = records[0].get("data", {}) if records and isinstance(records[0].get("data"), dict) else {}
    results = Counter(
        str(item["data"].get("result"))
        for item in (records if broken is None else records[:broken])
        if item.get("kind") == "evidence"
    )
    return {
        "schema": "govhub.evidence-verify/1",
        "file": str(file),
        "hub": opened.get("hub"),
        "intact": broken is None,
        "first_broken": broken,
        "why": why,
        "records": sum(results.values()),
        "results": dict(results),
        "last_hash": records[-1].get("hash") if broken is None and records else None,
        "sealed": None,
    }
