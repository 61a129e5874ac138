"""The shipped playbooks and roles: which there are, what they hold, and what they install."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from govhub.core.settings import content

FINISHED = "Finished"
"""The last task of each play: it runs once, and tells who came to it."""
APT = "ansible.builtin.apt"
EVERY_HOST = "all"


def playbook(name: str = "hosts.yml") -> Path:
    """A shipped play; `playbooks/site.yml` is for plain Ansible, and imports it."""
    return content("playbooks", "plays", name)


def roles_of(groups: Iterable[str]) -> tuple[str, ...]:
    """The roles that run on a host of these groups, in the order in which they run."""
    wanted = {EVERY_HOST, *groups}
    return tuple(role for group, role in _placements() if group in wanted)


@cache
def _placements() -> tuple[tuple[str, str], ...]:
    """Each role with the group that its play is for; plays name one group each."""
    plays = yaml.safe_load(playbook().read_text(encoding="utf-8"))
    return tuple((play["hosts"], entry["role"]) for play in plays for entry in play.get("roles", []))


@cache
def role_digest(role: str) -> str:
    """SHA-256 over a role's files, names included: another content is another state."""
    folder = content("playbooks", "roles", role)
    digest = hashlib.sha256()
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def role_options(role: str) -> frozenset[str]:
    """The variables that a role declares to read."""
    return frozenset(_specs(role))


@cache
def secret_options(role: str) -> frozenset[str]:
    """Those of them that it declares ``no_log``."""
    return frozenset(name for name, spec in _specs(role).items() if spec.get("no_log"))


@cache
def role_defaults(role: str) -> Mapping[str, Any]:
    """What a role assumes of options that nobody gives."""
    path = content("playbooks", "roles", role, "defaults", "main.yml")
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.is_file() else {}


def _specs(role: str) -> dict[str, dict[str, Any]]:
    path = content("playbooks", "roles", role, "meta", "argument_specs.yml")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    options: dict[str, dict[str, Any]] = document["argument_specs"]["main"]["options"]
    return options


def packages() -> list[str]:
    """Every package that a role installs by name."""
    return sorted({name for path in content("playbooks", "roles").iterdir() for name in tasks_packages(path.name)})


def tasks_packages(role: str) -> list[str]:
    """The packages that a role's tasks install by name."""
    found: set[str] = set()
    for path in content("playbooks", "roles", role).glob("tasks/*.yml"):
        for task in _tasks(yaml.safe_load(path.read_text(encoding="utf-8")) or []):
            names = task[APT].get("name", []) if APT in task else []
            found |= {name for name in ([names] if isinstance(names, str) else names) if "{{" not in name}
    return sorted(found)


def _tasks(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        yield item
        for part in ("block", "rescue", "always"):
            yield from _tasks(item.get(part, []))
