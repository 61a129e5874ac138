"""Running the rules: levels from the hub, waivers, and findings as diagnostics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.limits import CAPACITY_RULES
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import ExceptionEntry, ExceptionKind
from govhub.inventory.waivers import unneeded
from govhub.stacks.graph import Graph
from govhub.stacks.policies.registry import RULES
from govhub.stacks.policies.rule import Finding, Level, Rule
from govhub.stacks.policies.view import View

_SEVERITY = {Level.ADVISORY: Severity.WARNING, Level.MANDATORY: Severity.ERROR}


def evaluate(hub: Hub, graph: Graph, today: date) -> list[Diagnostic]:
    """All findings on the whole ``graph`` of ``hub`` as of ``today``, errors first.

    POL001 is a rule name that does not exist, POL002 a waiver that waives nothing; any other code is
    ``POL-`` and the rule's name. A graph that was narrowed to a selection makes waivers look unused.
    """
    out = Diagnostics()
    out.extend(_unknown(hub))
    view, waivers = View(hub, graph, today), _Waivers(hub, today)
    for rule in RULES.values():
        if (level := _level(hub, rule)) is not Level.DISABLED:
            for finding in rule.check(view):
                waiver = waivers.of(rule, finding)
                out.items.append(_waived(rule, finding, waiver) if waiver else _diagnostic(rule, level, finding))
    out.extend(waivers.unused())
    return out.sorted()


def _level(hub: Hub, rule: Rule) -> Level:
    return Level(hub.model.hub.policies.get(rule.name, rule.level))


class _Waivers:
    """The waivers that hold today, by rule, and which of them were needed."""

    def __init__(self, hub: Hub, today: date) -> None:
        self._hub = hub
        self._by_rule: dict[str, list[tuple[int, ExceptionEntry]]] = defaultdict(list)
        self._used: set[int] = set()
        for index, entry in enumerate(hub.model.exceptions):
            if entry.kind is ExceptionKind.WAIVER and entry.rule in RULES and entry.until >= today:
                self._by_rule[entry.rule].append((index, entry))

    def of(self, rule: Rule, finding: Finding) -> ExceptionEntry | None:
        """The first waiver that covers ``finding``."""
        matching = [entry for entry in self._by_rule.get(rule.name, ()) if entry[1].target in finding.targets]
        # All of them count as needed: which of two is the superfluous one is not for us to say.
        self._used.update(index for index, _ in matching)
        return matching[0][1] if matching else None

    def unused(self) -> Iterator[Diagnostic]:
        """POL002: waivers without a finding."""
        for rule, entries in self._by_rule.items():
            for index, entry in entries:
                if index not in self._used:
                    detail = f'no object of {entry.target} breaks the rule "{rule}"'
                    yield unneeded(self._hub, index, entry, detail)


def _diagnostic(rule: Rule, level: Level, finding: Finding) -> Diagnostic:
    return Diagnostic(
        code=rule.code,
        severity=_SEVERITY[level],
        summary=f"{finding.subject}: {rule.summary}",
        detail=finding.detail,
        address=finding.address,
        source=finding.source,
        hint=rule.remedy,
    )


def _waived(rule: Rule, finding: Finding, waiver: ExceptionEntry) -> Diagnostic:
    return Diagnostic(
        code=rule.code,
        severity=Severity.NOTE,
        summary=f"{finding.subject}: {rule.summary} (waived until {waiver.until})",
        detail=f"{finding.detail}; waived by {waiver.owner} until {waiver.until}: {waiver.reason}",
        address=finding.address,
        source=finding.source,
        hint=f'by the exception "{waiver.name}"; before it ends: {rule.remedy}',
    )


def _unknown(hub: Hub) -> Iterator[Diagnostic]:
    for name in hub.model.hub.policies:
        if name not in RULES and name not in CAPACITY_RULES:
            yield _no_such_rule(hub, name, f"hub.policies.{name}", ("hub", "policies", name))
    for index, entry in enumerate(hub.model.exceptions):
        if entry.rule is not None and entry.rule not in RULES and entry.rule not in CAPACITY_RULES:
            yield _no_such_rule(hub, entry.rule, f"exceptions.{entry.name}.rule", ("exceptions", index, "rule"))


def _no_such_rule(hub: Hub, name: str, address: str, path: tuple[str | int, ...]) -> Diagnostic:
    return Diagnostic(
        code="POL001",
        severity=Severity.ERROR,
        summary=f'there is no policy rule "{name}"',
        address=address,
        source=hub.at(*path),
        hint=did_you_mean(name, [*RULES, *CAPACITY_RULES])
        or f"the rules are: {and_more(sorted([*RULES, *CAPACITY_RULES]), len(RULES) + len(CAPACITY_RULES))}",
    )
