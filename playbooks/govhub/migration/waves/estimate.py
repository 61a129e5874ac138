"""Sizes and efforts of systems, known or estimated; what is estimated says so."""

from __future__ import annotations

from collections.abc import Mapping

from govhub.core.quantities import GIB, bytes_of
from govhub.inventory.index import Index
from govhub.inventory.model.migration import Migration, MoveKind, Strategy
from govhub.inventory.model.tenancy import System, WorkloadKind
from govhub.inventory.sizing import system_storage
from govhub.migration.waves.problem import MIB, Basis

GUESS = 10 * GIB
"""A part of unknown size that asks for no volume: a program with its files. Named in every plan that uses it."""
EFFORT_BY_TIER = {1: 600, 2: 300, 3: 150}
"""Hundredths of a person-day to assess, rehearse, cut over and look after a system, without its data."""
EFFORT_PER_STORE = 100
EFFORT_LEVEL_3 = 100
"""A system of protection level 3 is assessed again on the new platform (GB/T 22239), with papers to prepare."""
REPLATFORM_FACTOR = 2
"""Another engine or platform: the makers adapt and test it."""


def size_of(system: System, migration: Migration | None, index: Index, found: Mapping[str, int]) -> tuple[int, Basis]:
    """Bytes that have to be carried, rounded up to MiB, and how that is known.

    ``found`` holds discovered bytes by ``system`` or ``system/move``; what was measured goes before what was declared.
    """
    size, basis = _size(system, migration, index, found)
    return -(-size // MIB) * MIB, basis


def _size(system: System, migration: Migration | None, index: Index, found: Mapping[str, int]) -> tuple[int, Basis]:
    if system.name in found:
        return found[system.name], Basis.DISCOVERED
    moves = migration.moves if migration else []
    sizes = [(found.get(f"{system.name}/{move.name}"), move.size) for move in moves]
    known = sum(measured if measured is not None else bytes_of(size or 0) for measured, size in sizes)
    # A program alone is copied in minutes: only data without a size makes the whole unknown.
    open_ends = [
        move
        for move, (measured, size) in zip(moves, sizes, strict=True)
        if measured is None and size is None and move.kind is not MoveKind.APPLICATION
    ]
    if moves and not open_ends:
        discovered = any(measured is not None for measured, _ in sizes)
        return known, Basis.DISCOVERED if discovered else Basis.DECLARED
    production = [index.environments.get(name) for name in system.environments]
    volumes = sum(system_storage(system, item) for item in production if item and item.production)
    if volumes > known:
        return volumes, Basis.VOLUMES
    return known + GUESS * max(len(open_ends), 1), Basis.GUESSED


def effort_of(system: System, migration: Migration | None) -> tuple[int, bool]:
    """Hundredths of a person-day, and whether they are estimated here."""
    if migration and migration.effort is not None:
        return max(round(migration.effort * 100), 1), False
    moves = migration.moves if migration else []
    stores = sum(move.kind is not MoveKind.APPLICATION for move in moves)
    if not moves:
        stores = sum(workload.kind is WorkloadKind.STATEFULSET for workload in system.workloads)
    effort = EFFORT_BY_TIER[system.tier] + stores * EFFORT_PER_STORE
    effort += EFFORT_LEVEL_3 if system.protection_level >= 3 else 0
    if migration and migration.strategy is Strategy.REPLATFORM:
        effort *= REPLATFORM_FACTOR
    return effort, True
