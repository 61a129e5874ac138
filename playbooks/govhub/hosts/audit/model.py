"""What an audit is made of: controls, checks, and the verdict of one check on one host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from govhub.core.sections import Reading

_NOT_THERE = 127


class Result(StrEnum):
    """Never ``passed`` by default: what could not be read is ``unverified``."""

    PASSED = "passed"
    FAILED = "failed"
    UNVERIFIED = "unverified"


class Unverified(Exception):  # a verdict, raised where it is found
    """The check could not see what it needs; the text says why."""


@dataclass(frozen=True, slots=True)
class Title:
    """A name in both languages of the interface."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Control:
    """A requirement of the standard."""

    id: str
    title: Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How one thing is read, and what for."""

    id: str
    controls: tuple[str, ...]
    title: Title
    function: str
    arguments: Mapping[str, Any]
    role: str = ""
    """The role that brings it about; empty for what no role sets."""
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One check on one host; ``found`` says what is wrong, or why it could not be verified."""

    check: str
    result: Result
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """The host under audit: what was read, and what is declared of it."""

    reading: Reading
    variables: Mapping[str, Any]
    """Declared variables, over the defaults of the host's roles."""
    roles: tuple[str, ...]
    login: str
    """The account that playbooks log in with."""
    now: datetime

    def lines(self, section: str, *, absent: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """The lines of a section.

        Args:
            section: Its name in ``probe.sh``.
            absent: What to give when there is no such command on the host.

        Raises:
            Unverified: it could not be read.
        """
        found = self.reading.section(section)
        if found.exit == _NOT_THERE and absent is not None and section in self.reading.sections:
            return absent
        if found.exit:
            raise Unverified(f"{section} could not be read (exit {found.exit})")
        return found.lines
