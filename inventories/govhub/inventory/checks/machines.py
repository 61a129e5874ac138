"""Machines and retired hosts: that each is a host of its run, and that no machine stands in two places."""

from __future__ import annotations

from collections.abc import Iterable

from govhub.inventory.checks.report import Report
from govhub.inventory.patterns import PatternError, expand
from govhub.inventory.topology import Path


def check(report: Report) -> None:
    """PLC020 names that are no host of the run, PLC021 and PLC022 a serial number or a controller used twice."""
    serials: dict[str, str] = {}
    controllers: dict[str, str] = {}
    for i, entry in enumerate(report.model.hosts):
        if not entry.machines and not entry.retired:
            continue
        names = _names(entry.names)
        _known(report, ("hosts", i, "retired"), entry.retired, names)
        _known(report, ("hosts", i, "machines"), entry.machines, [name for name in names if name not in entry.retired])
        for name, machine in entry.machines.items():
            where: Path = ("hosts", i, "machines", name)
            _once(report, "PLC021", (*where, "serial"), ("machine", machine.serial), name, serials)
            if machine.bmc:
                _once(report, "PLC022", (*where, "bmc"), ("controller", machine.bmc), name, controllers)


def _names(pattern: str) -> list[str]:
    try:
        return expand(pattern)
    except PatternError:
        # PLC001 tells.
        return []


def _known(report: Report, where: Path, found: Iterable[str], names: list[str]) -> None:
    for name in found:
        if names and name not in names:
            hint = report.suggest(name, "host of this run", names)
            report.error("PLC020", where, f'"{name}" is no host of this run', hint=hint)


def _once(report: Report, code: str, where: Path, what: tuple[str, str], name: str, seen: dict[str, str]) -> None:
    # Makers and people do not agree about letters in serial numbers; machines that differ in nothing else do not exist.
    first = seen.setdefault(what[1].lower(), name)
    if first != name:
        hint = "a machine has one place: take it out of the other host, or correct what was typed"
        report.error(code, where, f"the {what[0]} {what[1]} is {first} and {name} at once", hint=hint)
