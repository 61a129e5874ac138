"""Name patterns: ``r{01..12}`` stands for r01 to r12, ``{a,b}{1..2}`` for a1, a2, b1, b2."""

from __future__ import annotations

import itertools
import re

LIMIT = 1_000_000
_GROUP = re.compile(r"\{([^{}]*)\}")
_NUMBERED = re.compile(r"([^{}]*?)(\d{1,9})")
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")


class PatternError(ValueError):
    """The pattern cannot be expanded; the message says why."""


def expand(pattern: str, limit: int = LIMIT) -> list[str]:
    """All names that ``pattern`` stands for, in order; numbers are padded as wide as the range's first.

    Raises:
        PatternError: unbalanced braces, an empty or falling range, or more than ``limit`` names.
    """
    parts: list[list[str]] = []
    position, total = 0, 1
    for match in _GROUP.finditer(pattern):
        parts.append([pattern[position : match.start()]])
        choices = _choices(match[1], pattern, limit)
        total *= len(choices)
        if total > limit:
            raise PatternError(f'"{pattern[:60]}" stands for more than {limit:,} names')
        parts.append(choices)
        position = match.end()
    parts.append([pattern[position:]])
    if any("{" in text or "}" in text for part in parts for text in part):
        raise PatternError(f'"{pattern[:60]}" has a brace without its partner')
    return ["".join(names) for names in itertools.product(*parts)]


def _choices(body: str, pattern: str, limit: int) -> list[str]:
    if match := _RANGE.fullmatch(body):
        first, last = int(match[1]), int(match[2])
        if last < first:
            raise PatternError(f'"{pattern[:60]}": the range {body} falls; write the smaller number first')
        if last - first >= limit:
            raise PatternError(f'"{pattern[:60]}" stands for more than {limit:,} names')
        width = len(match[1])
        return [f"{number:0{width}d}" for number in range(first, last + 1)]
    choices = [choice.strip() for choice in body.split(",")]
    if len(choices) < 2 or not all(choices):
        raise PatternError(f'"{pattern[:60]}": write a range like {{01..12}} or a list like {{a,b}}')
    return choices


def compress(names: list[str]) -> str | None:
    """The pattern with one range that stands for exactly these names in this order; None when there is none.

    A single name is its own pattern.
    """
    if len(names) == 1:
        return names[0]
    parts = [_NUMBERED.fullmatch(name) for name in names]
    if not names or not all(parts):
        return None
    first, last = parts[0], parts[-1]
    assert first
    assert last
    pattern = f"{first[1]}{{{first[2]}..{last[2]}}}"
    try:
        return pattern if expand(pattern) == names else None
    except PatternError:
        return None
