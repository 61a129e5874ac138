"""Narrowing a plan: globs over stacks, tenants, systems and clusters, with what the chosen changes need."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from govhub.core.errors import InvalidInput
from govhub.core.plan import Op, PlannedChange
from govhub.core.text import and_more, did_you_mean
from govhub.ops.requests import Selection
from govhub.stacks.graph import Graph, Stack


def check_selection(selection: Selection, graph: Graph) -> None:
    """Refuse patterns that match nothing: a typo must not look like "nothing to do".

    Raises:
        InvalidInput: a pattern matches nothing that is declared.
    """
    known = {
        "stack": (selection.stacks, {stack.value for stack in Stack}),
        "cluster": (selection.clusters, set(graph.clusters())),
        "tenant": (selection.tenants, {item.tenant for item in graph if item.tenant}),
        "system": (selection.systems, {item.system for item in graph if item.system}),
    }
    for flag, (patterns, names) in known.items():
        for pattern in patterns:
            if not _any(names, pattern):
                raise InvalidInput.one(
                    "SEL001",
                    f'--{flag} "{pattern[:60]}" matches nothing in this hub',
                    hint=did_you_mean(pattern, names) or f"known: {and_more(sorted(names), 8)}",
                )


def narrow(
    changes: list[PlannedChange], selection: Selection, graph: Graph
) -> tuple[list[PlannedChange], tuple[str, ...]]:
    """The selected changes and everything they need, and the addresses that were pulled in for that."""
    if not selection.has("stacks"):
        return [], ()
    if not selection.objects:
        return changes, ()
    by_address = {change.address: change for change in changes}
    chosen = {change.address for change in changes if _matches(change, selection)}
    needed = _closure(chosen, by_address, graph)
    pulled = tuple(sorted(needed - chosen))
    return [change for change in changes if change.address in needed], pulled


def _matches(change: PlannedChange, selection: Selection) -> bool:
    cluster, stack, _ = change.shard.split("/")
    tests = (
        (selection.clusters, cluster),
        (selection.stacks, stack),
        (selection.tenants, change.tenant),
        (selection.systems, change.system),
    )
    return all(not patterns or _match(value, patterns) for patterns, value in tests)


def _match(value: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _any(names: Iterable[str], pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _closure(chosen: set[str], by_address: dict[str, PlannedChange], graph: Graph) -> set[str]:
    """Follow dependencies, and namespaces across stacks, as far as they are changes themselves.

    A namespace never comes without its quota, its default-deny policy and its role bindings.
    """
    objects = {item.address: item for item in graph}
    namespaces = {
        (item.shard.cluster, item.identity.name): item.address for item in graph if item.identity.kind == "Namespace"
    }
    guards: dict[tuple[str, str], list[str]] = {}
    for guard in graph:
        if guard.shard.stack == Stack.TENANTS and guard.identity.namespace and not guard.system:
            guards.setdefault((guard.shard.cluster, guard.identity.namespace), []).append(guard.address)
    by_identity = {(item.shard, item.identity): item.address for item in graph}
    todo, needed = list(chosen), set(chosen)
    while todo:
        item = objects.get(todo.pop())
        if item is None or by_address.get(item.address) is None or by_address[item.address].op is Op.DELETE:
            continue
        wanted = [by_identity.get((item.shard, other)) for other in item.depends_on]
        wanted.append(namespaces.get((item.shard.cluster, item.identity.namespace)))
        if item.identity.kind == "Namespace":
            wanted += guards.get((item.shard.cluster, item.identity.name), [])
        for address in wanted:
            if address and address in by_address and address not in needed:
                needed.add(address)
                todo.append(address)
    return needed
