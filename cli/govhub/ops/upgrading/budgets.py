"""How many hosts may be away together: what each takes from every department, and an order in which they fit.

Nothing here asks a cluster or a host. A department's budget is how many of its pods on one cluster may be away at
once. All ready pods of a host count as away from the moment it is started until it is well again, whether or not
they run elsewhere by then; pods that are not ready count too, wherever they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

Account = tuple[str, str]
"""A cluster and a department: who loses pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One host as a schedule sees it."""

    host: str
    away: Mapping[Account, int] = field(default_factory=dict)
    """Ready pods that have to go, by whose they are."""
    groups: frozenset[str] = frozenset()
    """Hosts that stand in for each other: pairs, quorums, node pools, and what cannot be asked."""
    needs: frozenset[str] = frozenset()
    """Hosts that have to be there while this one is worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one department may lose on one cluster; counts of pods."""

    pods: int = 0
    """All that run or should run."""
    allowed: int = 0
    """That may be away at once."""
    gone: int = 0
    """That are not ready as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What no set of hosts in work may exceed."""

    at_once: int = 1
    budgets: Mapping[Account, Budget] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    """Hosts at once of each group; one where none is given."""
    confirmed: frozenset[str] = frozenset()
    """Departments that may lose more than their budget to a host that is their only one in work."""

    def of(self, account: Account) -> Budget:
        """A budget; one that is not known allows nothing."""
        return self.budgets.get(account, Budget())

    def settled(self) -> Limits:
        """As they will be when all pods are ready that are not now."""
        return replace(self, budgets={account: replace(item, gone=0) for account, item in self.budgets.items()})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a host does not fit beside others; ``tenant`` only when a department's budget does not allow it."""

    text: str
    tenant: str = ""


def allowed_of(share: str, count: int) -> int:
    """What ``3`` or ``25%`` allows of ``count``, rounded up as in a PodDisruptionBudget."""
    return -(-count * int(share[:-1]) // 100) if share.endswith("%") else int(share)


def obstacles(load: Load, others: Iterable[Load], limits: Limits) -> Iterator[Obstacle]:
    """Everything that speaks against taking a host while ``others`` are in work; nothing when it fits."""
    others = tuple(others)
    if len(others) >= limits.at_once:
        yield Obstacle(f"{len(others)} hosts are in work already")
    for other in others:
        if other.host in load.needs or load.host in other.needs:
            yield Obstacle(f"{other.host} is in work, and one needs the other")
    for group in sorted(load.groups):
        together = sum(group in other.groups for other in others)
        if together >= limits.groups.get(group, 1):
            yield Obstacle(f"{group}: {together} in work already")
    for account, count in sorted(load.away.items()):
        if count > 0 and (found := _over(account, count, others, limits)):
            yield found


def _over(account: Account, count: int, others: tuple[Load, ...], limits: Limits) -> Obstacle | None:
    cluster, tenant = account
    budget = limits.of(account)
    besides = sum(other.away.get(account, 0) for other in others)
    if budget.gone + besides + count <= budget.allowed or (tenant in limits.confirmed and not besides):
        return None
    text = f"{tenant} would lose {count} of {budget.pods} pods on {cluster}, and {budget.allowed} may be away at once"
    already = [f"{budget.gone} not ready"] * bool(budget.gone) + [f"{besides} on hosts in work"] * bool(besides)
    return Obstacle(text + (f" ({', '.join(already)})" if already else ""), tenant)


def rounds(loads: Iterable[Load], limits: Limits) -> list[list[Load]]:
    """Hosts that may be away together, in few rounds.

    Args:
        loads: Hosts that fit by themselves, in the order of the hub.
        limits: What no round may exceed.

    Returns:
        Each host in exactly one round. Rounds and their hosts keep the hub's order as far as they can. To find the
        fewest rounds is bin packing; the best of three orders by first fit is what is taken.
    """
    loads = tuple(loads)
    place = {load.host: index for index, load in enumerate(loads)}
    heavy = sorted(loads, key=lambda load: (-_weight(load, limits), place[load.host]))
    sizes = Counter(group for load in loads for group in load.groups)
    # The members of a large group need many rounds: the others are fitted in beside them.
    needed = {group: size / limits.groups.get(group, 1) for group, size in sizes.items()}
    crowded = sorted(loads, key=lambda load: (-max((needed[it] for it in load.groups), default=0), place[load.host]))
    found = min((_first_fit(order, limits) for order in (loads, heavy, crowded)), key=len)
    ordered = [sorted(part, key=lambda load: place[load.host]) for part in found]
    return sorted(ordered, key=lambda part: place[part[0].host])


def _first_fit(loads: Iterable[Load], limits: Limits) -> list[list[Load]]:
    found: list[list[Load]] = []
    room: list[list[Load]] = []
    for load in loads:
        part = next((part for part in room if not any(obstacles(load, part, limits))), None)
        if part is None:
            part = []
            found.append(part)
            room.append(part)
        part.append(load)
        if len(part) >= limits.at_once:
            # Not by equality: rounds of hosts that look alike are still two.
            room = [other for other in room if other is not part]
    return found


def _weight(load: Load, limits: Limits) -> float:
    """The largest part of a budget that it takes."""
    parts = (
        count / max(limits.of(account).allowed - limits.of(account).gone, 1) for account, count in load.away.items()
    )
    return max(parts, default=0.0)
