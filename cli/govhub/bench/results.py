"""What a benchmark measures and how it is told."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Samples of one quantity; the median is the one to quote."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "minimum": round(min(self.samples), 4),
            "median": round(self.median, 4),
            "maximum": round(max(self.samples), 4),
            "samples": [round(item, 4) for item in self.samples],
        }


@dataclass(slots=True, kw_only=True)
class Result:
    """One benchmark: our samples, the stock tool's of the same run, and the bound that was asked for.

    ``limit`` bounds the ratio when there is a stock tool, else our own median.
    """

    name: str
    unit: str
    ours: list[float] = field(default_factory=list)
    stock: list[float] = field(default_factory=list)
    limit: float | None = None
    stock_stopped: bool = False
    """The stock tool was stopped at a time-out, so its figure is a lower bound and the ratio an upper one."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over stock, pair by pair, the median of the pairs; None without a stock tool."""
        pairs = [left / right for left, right in zip(self.ours, self.stock, strict=False) if right]
        return statistics.median(pairs) if pairs else None

    @property
    def met(self) -> bool | None:
        """Whether the bound holds; None when none was asked for."""
        if self.limit is None:
            return None
        value = self.ratio if self.ratio is not None else Spread(tuple(self.ours)).median
        return value <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        ratio = self.ratio
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": round(Spread(tuple(self.ours)).median, 4),
            "stock": round(Spread(tuple(self.stock)).median, 4) if self.stock else None,
            "ratio": round(ratio, 4) if ratio is not None else None,
            "limit": self.limit,
            "met": self.met,
            "stock_stopped": self.stock_stopped,
            "runs": {
                "ours": Spread(tuple(self.ours)).as_dict(),
                "stock": Spread(tuple(self.stock)).as_dict() if self.stock else None,
            },
            "note": self.note,
        }


def timed(action: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
