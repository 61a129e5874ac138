"""``doctor``: what is used, from where, in which version, and what to do when something is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.settings import Env, cache, home, inventories
from govhub.lab.meters.center import missing
from govhub.lab.toolchain import CONTROL_PLANE, ENGINE, TOOLS, build, find_go, locate

NEEDED_BYTES = 6 * 1024**3


def doctor(build_missing: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Every tool and setting; with ``build_missing`` what is missing is built first.

    Raises:
        ToolMissing: building failed.
    """
    if build_missing:
        missing = [TOOLS[name] for name in TOOLS if locate(name).path is None]
        build(missing, progress)
    tools = [_tool(name) for name in TOOLS]
    needed = [item for item in tools if item["need"] != "tests"]
    environment = _environment(all(item["path"] for item in needed))
    ok = all(item["path"] for item in needed) and all(item["ok"] for item in environment)
    return {"schema": "govhub.doctor/1", "ok": ok, "tools": tools, "environment": environment}


def _tool(name: str) -> dict[str, Any]:
    found = locate(name)
    need = "engine" if name in ENGINE else "lab" if name in CONTROL_PLANE else "tests"
    return {
        "name": name,
        "version": found.note if found.origin == "stock" else found.tool.version,
        "origin": found.origin,
        "path": str(found.path) if found.path else None,
        "need": need,
        "hint": "" if found.path else found.note,
    }


def _environment(complete: bool) -> list[dict[str, Any]]:
    out = [_item("python", platform.python_version(), sys.version_info >= (3, 11), "govhub needs Python 3.11 or newer")]
    try:
        out.append(_item("go", str(find_go()), True, ""))
    except GovhubError as error:
        hint = error.diagnostics[0].hint
        # Go is only needed to build what is missing.
        out.append(_item("go", "not found", complete, hint))
    free = shutil.disk_usage(_existing(cache())).free
    enough = complete or free > NEEDED_BYTES
    out.append(_item("free disk", f"{free / 1e9:.0f} GB", enough, "building the toolchain needs 6 GB"))
    for name, path in ((Env.HOME, home()), (Env.CACHE, cache()), (Env.INVENTORIES, inventories())):
        writable = os.access(_existing(path), os.W_OK) or name == Env.INVENTORIES
        out.append(_item(name, str(path), writable, f"make it writable, or set {name} to another folder"))
    setpriv = shutil.which("setpriv")
    out.append(
        _item("setpriv", setpriv or "not found", bool(setpriv), "install util-linux: it ends engines of killed runs")
    )
    packages = missing()
    # A lab does without: this is no fault of the environment.
    told = f"off; Debian: apt-get install {' '.join(packages)}" if packages else "prometheus, prometheus-snmp-exporter"
    out.append(_item("meters", told, True, ""))
    return out


def _item(name: str, value: str, ok: bool, hint: str) -> dict[str, Any]:
    return {"name": name, "value": value, "ok": ok, "hint": "" if ok else hint}


def _existing(path: Any) -> Any:
    while not path.exists():
        path = path.parent
    return path
