"""Findings as SARIF 2.1.0 (OASIS), for code hosts that show them beside the line of YAML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from govhub.cli.views.places import repository_path
from govhub.core.canonical import digest
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.secrets import REDACTOR, scrub

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
# What a code's letters stand for; policies describe themselves.
FAMILIES = {
    "BUD": "Deletion budget",
    "CAP": "Capacity of the pools",
    "EXC": "Exception",
    "FIT": "What does not fit",
    "FRZ": "Freeze",
    "GOV": "govhub itself",
    "HUB": "Hub as a whole",
    "INV": "Form of the inventory",
    "NAM": "Names",
    "NET": "Network",
    "PLC": "Places: sites, halls, racks, hosts",
    "REF": "Reference to something that is not declared",
    "SEC": "Security of systems and data",
    "STK": "Rendered objects",
    "YAML": "YAML file",
    "LCK": "Lock",
    "PLN": "Saved plan",
    "REV": "Revision to compare with",
    "RUN": "Run",
    "STA": "State",
    "TGT": "Target cluster",
    "USE": "Command line",
}


def document(found: Mapping[str, list[Diagnostic]], hubs: Iterable[str]) -> str:
    """The log as text; ``hubs`` as given on the command line, to find their files."""
    hubs = tuple(hubs)
    items = [item for diagnostics in found.values() for item in diagnostics]
    codes = sorted({item.code for item in items})
    run = {
        "tool": {"driver": _driver(codes)},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, codes.index(item.code), hubs) for item in items],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [scrub(run, REDACTOR)]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _driver(codes: list[str]) -> dict[str, Any]:
    return {
        "name": "govhub",
        "informationUri": "https://govhub.io",
        "rules": [_rule(code) for code in codes],
    }


def _rule(code: str) -> dict[str, Any]:
    name = code.removeprefix("POL-")
    if code != name:
        from govhub.stacks.policies.registry import RULES

        if rule := RULES.get(name):
            return {
                "id": code,
                "name": name,
                "shortDescription": {"text": rule.summary},
                "fullDescription": {"text": rule.why},
                "help": {"text": rule.remedy},
                "defaultConfiguration": {"level": "error" if rule.level.value == "mandatory" else "warning"},
            }
    family = FAMILIES.get(code.rstrip("0123456789"), "govhub")
    return {"id": code, "name": code, "shortDescription": {"text": f"{family} ({code})"}}


def _result(item: Diagnostic, index: int, hubs: tuple[str, ...]) -> dict[str, Any]:
    text = "\n".join(part for part in (item.summary, item.detail, item.hint and f"Hint: {item.hint}") if part)
    out: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": index,
        "level": LEVELS[item.severity],
        "message": {"text": text},
        # Without the line: a finding that moves down in its file is the same finding.
        "partialFingerprints": {"govhub/1": digest([item.code, item.address, item.summary])[:32]},
    }
    location: dict[str, Any] = {}
    if item.source:
        region = {"startLine": item.source.line, "startColumn": item.source.column}
        file = {"uri": _uri(repository_path(item.source.file, hubs))}
        location["physicalLocation"] = {"artifactLocation": file, "region": region}
    if item.address:
        location["logicalLocations"] = [{"fullyQualifiedName": item.address}]
    return out | ({"locations": [location]} if location else {})


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)
