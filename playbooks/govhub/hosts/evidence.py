"""What a host says of its own wiping: read as data from outside, field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

WIPED = ("cleared", "purged", "absent")
"""Results that leave nothing to be read; of all others it is never said."""


class Wiping(BaseModel):
    """What was done to one folder, key or disk; `playbooks/roles/wipe/files/wipe.py` says what the results mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str = Field(max_length=4096)
    type: Literal["folder", "key", "disk"]
    method: str = Field(max_length=200)
    result: Literal["cleared", "purged", "removed", "kept", "failed", "absent"]
    why: str = Field(max_length=2000)
    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    medium: str = Field(max_length=200)

    @property
    def wiped(self) -> bool:
        """Whether nothing of it can be read any more."""
        return self.result in WIPED


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Wiping] = Field(max_length=10_000)


def evidence_of(report: str) -> list[Wiping]:
    """The items of a report; nothing when it is none, and then nothing was shown to be wiped."""
    try:
        return _Report.model_validate_json(report).items
    except ValidationError:
        return []
