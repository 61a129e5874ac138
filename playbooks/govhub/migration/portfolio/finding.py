"""What the assessment has to say: a blocker, a risk, a note, or that something is not known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Weight(StrEnum):
    """How much a finding weighs, most first."""

    BLOCKER = "blocker"
    """The migration as declared cannot be done."""
    UNKNOWN = "unknown"
    """Nobody knows; it may be a blocker."""
    RISK = "risk"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for what weighs most."""
        return list(Weight).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found, on what grounds, and the way out."""

    code: str
    weight: Weight
    summary: str
    evidence: str = ""
    way_out: str = ""
    system: str = ""
    """Empty when it is about a source alone."""
    source: str = ""
    move: str = ""

    @property
    def order(self) -> tuple[int, str, str, str, str, str]:
        """What weighs most first, then by place."""
        return (self.weight.rank, self.system, self.source, self.move, self.code, self.summary)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; what is empty is left out."""
        values = {
            "code": self.code,
            "weight": self.weight.value,
            "system": self.system,
            "source": self.source,
            "move": self.move,
            "summary": self.summary,
            "evidence": self.evidence,
            "way_out": self.way_out,
        }
        return {key: value for key, value in values.items() if value}
