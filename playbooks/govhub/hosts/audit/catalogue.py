"""The catalogue of checks, from ``catalogue.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from govhub.core.canonical import digest
from govhub.hosts.audit.model import Check, Control, Title
from govhub.hosts.content import role_defaults

_FILE = Path(__file__).with_name("catalogue.yaml")
STANDARD = "GB/T 22239-2019 8.1.4"


@cache
def controls() -> dict[str, Control]:
    """Every control, by number, in the order of the standard."""
    return {item["id"]: Control(item["id"], Title(**item["title"])) for item in _document()["controls"]}


@cache
def checks() -> dict[str, Check]:
    """Every check, by name."""
    return {item["id"]: _check(item) for item in _document()["checks"]}


def without_check() -> list[Control]:
    """Controls that no check speaks for; people have to show them."""
    spoken = {number for check in checks().values() for number in check.controls}
    return [control for number, control in controls().items() if number not in spoken]


@cache
def edition() -> str:
    """A digest of the catalogue, so that a result says by which checks it was found."""
    return digest(_document())[:16]


def units() -> list[str]:
    """The units that checks ask for."""
    named = [check.arguments["units"] for check in checks().values() if "units" in check.arguments]
    return sorted({unit for item in named for unit in (item.values() if isinstance(item, dict) else item)})


def kernel_settings() -> list[str]:
    """The kernel settings that roles set, and that hosts are asked for."""
    return sorted({*role_defaults("base")["base_sysctl"], *role_defaults("hardening")["hardening_sysctl"]})


def _check(item: dict[str, Any]) -> Check:
    role, _, task = item.get("set_by", "").partition(": ")
    return Check(
        id=item["id"],
        controls=tuple(item["controls"]),
        title=Title(**item["title"]),
        function=item["check"],
        arguments=item.get("with", {}),
        role=role,
        task=task,
    )


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return found
