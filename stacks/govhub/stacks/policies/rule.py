"""What a rule is, and the shapes a check can have: over pods, containers, objects of a kind or namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from govhub.core.diagnostics import SourceRange
from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.view import Pod, Space, View, targets


class Level(StrEnum):
    """What a finding does: a mandatory one stops, an advisory one is shown, a disabled rule is not run."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that breaks a rule, and in which way."""

    subject: str
    detail: str
    address: str
    source: SourceRange | None
    targets: frozenset[str]
    """What a waiver may name to mean it; ``hub`` is added unless nothing may waive it."""


Check = Callable[[View], Iterable[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A policy: its name in hub files, what is wrong when it is broken, the way out, and why it exists."""

    name: str
    level: Level
    """Unless the hub's ``policies`` name another."""
    summary: str
    """What is wrong with the object that breaks it."""
    remedy: str
    why: str
    """The reason, or where the rule comes from."""
    check: Check

    @property
    def code(self) -> str:
        """The code of its findings."""
        return f"POL-{self.name}"


def found(item: DesiredObject, details: Iterable[str]) -> Iterator[Finding]:
    """One finding on ``item`` that names all ``details``; none when there are none."""
    said = "; ".join(dict.fromkeys(detail for detail in details if detail))
    if said:
        yield Finding(str(item.identity), said, item.address, item.source, targets(item) | {"hub"})


def per_pod(test: Callable[[Pod], Iterable[str]]) -> Check:
    """A check of every pod; ``test`` yields what is wrong with it."""

    def check(view: View) -> Iterator[Finding]:
        for pod in view.pods:
            yield from found(pod.item, test(pod))

    return check


def per_container(test: Callable[[Pod, dict[str, Any]], str]) -> Check:
    """A check of every container, init containers too; ``test`` says what is wrong, or nothing."""

    def wrong(pod: Pod) -> Iterator[str]:
        for container in pod.every_container:
            if said := test(pod, container):
                yield f'container "{container.get("name", "")}": {said}'

    return per_pod(wrong)


def per_object(*kinds: str, test: Callable[[View, DesiredObject], Iterable[str]]) -> Check:
    """A check of all objects of ``kinds``."""

    def check(view: View) -> Iterator[Finding]:
        for kind in kinds:
            for item in view.kinds.get(kind, ()):
                yield from found(item, test(view, item))

    return check


def per_space(test: Callable[[Space], Iterable[str]]) -> Check:
    """A check of every namespace in which somebody's pods may run."""

    def check(view: View) -> Iterator[Finding]:
        for space, item in view.guarded():
            yield from found(item, test(space))

    return check
