"""Checks of settings: SSH as it is in effect, PAM, files, the kernel, the journal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from govhub.hosts.audit.model import Subject, Unverified

_SPAN = re.compile(r"^(\d+)\s*(s|sec|min|m|h|d|day|days|w|week|weeks|month|months|y|year|years)?$")
_DAYS = {"d": 1, "w": 7, "y": 365, "h": 1 / 24, "m": 30, "s": 1 / 86400}
_CONTAINER = ("systemd-nspawn", "lxc", "docker", "podman", "container-other")


def sshd(host: Subject, **wanted: str) -> list[str]:
    """Settings of the SSH server that differ, ``sshd -T`` against lower-case names."""
    found = _sshd(host)
    wrong = [
        f"{name} is {', '.join(found.get(name, ['not set']))}, not {value}"
        for name, value in wanted.items()
        if [item.lower() for item in found.get(name, [])] != [value.lower()]
    ]
    # A Match block can take back for some what holds for all; sshd -T does not show that.
    blocks = [text for line in host.lines("matches") if (text := " ".join(line.split())) and text[0] != "#"]
    # The only one that is declared is held against what is there, line by line.
    return wrong + ([] if blocks == _forwards(host) else [f"settings depend on who comes: {text}" for text in blocks])


def _forwards(host: Subject) -> list[str]:
    """The block that opens ports of declared moves to the account of playbooks, as the role writes it."""
    ports = host.variables.get("ssh_forwards") or []
    if not ports:
        return []
    opened = " ".join(f"127.0.0.1:{port}" for port in sorted(ports))
    return [f"Match User {host.variables['ssh_forwards_user']}", "AllowTcpForwarding local", f"PermitOpen {opened}"]


def sshd_algorithms(host: Subject, **allowed: list[str]) -> list[str]:
    """Algorithms that the SSH server takes beyond those allowed."""
    found = _sshd(host)
    out = []
    for name, known in allowed.items():
        offered = {item for text in found.get(name, [""]) for item in text.split(",")}
        if more := sorted(offered - set(known)):
            out.append(f"{name}: {', '.join(filter(None, more)) or 'not set'}")
    return out


def sshd_users(host: Subject, users: list[str]) -> list[str]:
    """Accounts that SSH lets in beyond those declared, and those it keeps out."""
    listed = [word for text in _sshd(host).get("allowusers", []) for word in text.split()]
    if not listed:
        return ["every account may log in"]
    found = [f"{name} may log in" for name in sorted(set(listed) - set(users))]
    return found + [f"{name} may not log in" for name in sorted(set(users) - set(listed))]


def pam_settings(
    host: Subject, section: str, stacks: Mapping[str, list[str]], settings: Mapping[str, object]
) -> list[str]:
    """PAM modules that are not in use, and settings of theirs that differ."""
    found = []
    for stack, modules in stacks.items():
        lines = [" ".join(line.split()) for line in host.lines(stack) if not line.lstrip().startswith("#")]
        found += [f"{module} is not in {stack}" for module in modules if not any(module in line for line in lines)]
    values = _pairs(host.lines(section))
    for name, wanted in settings.items():
        if values.get(name) != str(wanted):
            found.append(f"{name} is {values.get(name, 'not set')}, not {wanted}")
    return found


def lines(host: Subject, section: str, wanted: list[str]) -> list[str]:
    """Texts that are not in a file; comments do not count, and neither does how they are spaced."""
    there = [" ".join(line.split()) for line in host.lines(section) if not line.lstrip().startswith("#")]
    texts = [" ".join(line.split()) for text in wanted for line in text.splitlines()]
    return [f"{section} lacks: {text[:80]}" for text in texts if not any(text in line for line in there)]


def modules(host: Subject, names: list[str]) -> list[str]:
    """Kernel modules that could be loaded although they should not."""
    rules = {tuple(line.split()[:3]) for line in host.lines("modules")}
    return [f"{name} can be loaded" for name in names if ("install", name, "/bin/false") not in rules]


def modes(host: Subject, **wanted: str) -> list[str]:
    """Files that are open to more than they should be, or are not root's; files that are not there do not count."""
    rows = {row[3]: row for line in host.lines("modes") if len(row := line.split(None, 3)) == 4}
    if not rows:
        raise Unverified("the modes of files could not be read")
    out = []
    for path, mode in wanted.items():
        if path not in rows:
            continue
        found, owner = int(rows[path][0], 8), rows[path][1]
        if found & ~int(mode, 8):
            out.append(f"{path} has the mode {found:o}, not {mode}")
        if owner != "root":
            out.append(f"{path} belongs to {owner}")
    return out


def private_keys(host: Subject) -> list[str]:
    """Host keys that others than root may read."""
    rows = [row for line in host.lines("modes") if len(row := line.split(None, 3)) == 4 and row[3].endswith("_key")]
    if not rows:
        raise Unverified("no host key was seen")
    return [f"{path} has the mode {mode}" for mode, owner, _, path in rows if int(mode, 8) & 0o077 or owner != "root"]


def sysctl(host: Subject, settings: Iterable[Mapping[str, object]]) -> list[str]:
    """Kernel settings that differ from the declared ones."""
    live = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in host.lines("sysctl"))}
    wanted = {key: str(value) for part in settings for key, value in part.items()}
    if unseen := sorted(set(wanted) - set(live)):
        raise Unverified(f"could not be read: {', '.join(unseen[:5])}")
    return [f"{key} is {live[key]}, not {value}" for key, value in sorted(wanted.items()) if live[key] != value]


def journal(host: Subject, days: int) -> list[str]:
    """Whether logs are on disk and kept long enough; the last setting of a name counts."""
    values = _pairs(host.lines("journald"))
    found = []
    if values.get("Storage") != "persistent" or not host.lines("journal"):
        found.append("the journal does not survive a reboot")
    kept = _days(values.get("MaxRetentionSec", "0"))
    # 0 is no limit in time; how much there may be limits it then.
    if kept and kept < days:
        found.append(f"logs are kept for {kept:g} days, not {days}")
    return found


def kernel_audit(host: Subject, keys: list[str]) -> list[str]:
    """Whether the kernel's audit is on, with rules of each kind."""
    virtual = "".join(host.lines("virtual"))
    if virtual in _CONTAINER:
        raise Unverified(f"the kernel's audit belongs to the machine of this container ({virtual})")
    status = dict(line.split(None, 1) for line in host.lines("audit", absent=()) if " " in line)
    if not status:
        return ["auditd is not installed"]
    found = [] if status.get("enabled") in ("1", "2") else ["the kernel's audit is off"]
    if status.get("pid", "0") == "0":
        found.append("auditd does not run")
    rules = host.lines("auditrules", absent=())
    loaded = {word for line in rules for word in re.findall(r"(?:-k |key=)(\S+)", line)}
    return found + [f"no rule for {key}" for key in keys if key not in loaded]


def _sshd(host: Subject) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in host.lines("sshd"):
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    if not found:
        raise Unverified("the SSH server does not tell its settings")
    return found


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    """``name = value`` lines; the last one of a name counts."""
    out: dict[str, str] = {}
    for line in texts:
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith(("#", ";")):
            out[name.strip()] = value.strip()
    return out


def _days(text: str) -> float:
    match = _SPAN.match(text.strip())
    if not match:
        raise Unverified(f"the time that logs are kept cannot be understood: {text[:40]}")
    unit = match.group(2) or "s"
    if unit == "min":
        return int(match.group(1)) / 1440
    return float(int(match.group(1)) * _DAYS["m" if unit.startswith("month") else unit[0]])


def as_values(value: Any, variables: Mapping[str, Any]) -> Any:
    """An argument of the catalogue with ``$name`` replaced by the host's variables.

    Raises:
        Unverified: a variable is not declared.
    """
    if isinstance(value, dict):
        return {key: as_values(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [as_values(item, variables) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    prefix, _, name = value.partition("$")
    if name not in variables:
        raise Unverified(f"{name} is not declared")
    return f"{prefix}{variables[name]}" if prefix else variables[name]
