"""From pods to watts: what the lab's machines draw.

A server's draw is taken as linear in its processors' use between idle and full, P = P_idle + (P_full - P_idle) · u, as
measured by X. Fan, W.-D. Weber and L. A. Barroso ("Power provisioning for a warehouse-sized computer", ISCA 2007,
section 3.2). ``P_full`` is the declared draw, ``P_idle`` its ``IDLE`` share, and ``u`` what the pods on it request,
times the part of requests that is in use at that hour, by the cores it offers. Values move by a little noise that is a
function of seed, name and time alone: a run can be repeated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

IDLE = 0.45
BUSY = 0.7
"""Share of requested cores that is in use, as a mean over the day."""
SWING = 0.15
"""How far that goes up by mid-afternoon and down at night."""
NOISE = 0.03
DUTY = 0.4
"""Use of machines that run no pods: control planes, storage, databases."""
SWITCH_IDLE = 0.9
"""Switches draw nearly the same whatever passes through them."""
PEAK_HOUR = 15.0
ZONE_HOURS = 8
"""China's one time zone."""
_PERIODS = (23.0, 173.0, 911.0)
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What draws power in a rack."""

    name: str
    rack: str
    watts: float
    """Declared draw."""
    cords: int
    """1 when it hangs on side A alone."""
    millicores: int = 0
    """Offered to pods; 0 when it runs none."""
    idle: float = IDLE


def busy(at: float) -> float:
    """The part of requested cores that is in use at a Unix time."""
    hour = (at / 3600 + ZONE_HOURS) % 24
    return BUSY * (1 + SWING * math.cos(2 * math.pi * (hour - PEAK_HOUR) / 24))


def noise(seed: str, name: str, at: float) -> float:
    """A factor around 1 that wanders within ``NOISE``."""
    phases = _phases(seed, name)
    waves = (math.sin(2 * math.pi * (at / period + phase)) for period, phase in zip(_PERIODS, phases, strict=True))
    return 1 + NOISE * sum(waves) / len(_PERIODS)


def used_share(machine: Machine, requested: float, at: float) -> float:
    """Use of a machine's processors, 0 to 1; ``requested`` in millicores."""
    return min(requested * busy(at) / machine.millicores, 1.0) if machine.millicores else DUTY


def drawn(machine: Machine, requested: float, at: float, seed: str) -> float:
    """W that a machine draws."""
    share = machine.idle + (1 - machine.idle) * used_share(machine, requested, at)
    return machine.watts * share * noise(seed, machine.name, at)


def sides(machine: Machine, watts: float, feeds: frozenset[str]) -> Mapping[str, float]:
    """How a machine's draw comes over its rack's feeds; supplies share a load nearly, not exactly, in halves."""
    if len(feeds) < 2 or machine.cords == 1:
        only = "a" if "a" in feeds else next(iter(feeds), "")
        return {only: watts} if only else {}
    part = 0.5 + 0.02 * (_phases("supplies", machine.name)[0] - 0.5)
    return {"a": watts * part, "b": watts * (1 - part)}


def traffic(seed: str, way: str, at: float) -> float:
    """The share of a link's speed that passes in one direction: its own level, by the hour, with noise."""
    return (0.1 + 0.4 * _phases(seed, way)[0]) * busy(at) / BUSY * noise(seed, way, at)


@lru_cache(maxsize=65536)
def _phases(seed: str, name: str) -> tuple[float, ...]:
    digest = blake2b(f"{seed}/{name}".encode(), digest_size=4 * len(_PERIODS)).digest()
    return tuple(int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, len(digest), 4))
