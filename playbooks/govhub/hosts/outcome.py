"""What became of one host in a run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class HostOutcome:
    """What became of one host: ``done``, ``failed``, ``unreachable`` or ``not reached``."""

    host: str
    status: str = "not reached"
    tasks: int = 0
    changed: list[str] = field(default_factory=list)
    """Tasks that changed something (or would), as ``role: task``."""
    diffs: dict[str, str] = field(default_factory=dict)
    """What they change, by task, where Ansible can tell."""
    unpredicted: list[str] = field(default_factory=list)
    """In check mode: tasks whose effect cannot be told without doing it."""
    report: str = ""
    """What the task printed whose output was asked for."""
    why: str = ""
    """The failed task and its message."""
