"""From many names back to few patterns, and from free text to names."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from pydantic import BaseModel

from govhub.inventory.patterns import PatternError, compress, expand

MAX_PATTERN = 120
MAX_ADDRESS = 200
_NUMBERS = re.compile(r"(\d+)")
_NO_LABEL = re.compile(r"[^a-z0-9]+")
_LIST = re.compile(r"[a-z0-9.-]+")
_PARTS = re.compile(r"[0-9]+|[a-z]+|[^a-z0-9]")
_TAIL = re.compile(r"[0-9]+$")


def slug(text: str, limit: int = 40) -> str:
    """Lower-case letters, digits and hyphens; empty when nothing of the text is left.

    What is too long is cut, and ends in a digest of the whole: long names that begin alike stay apart.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    clean = _NO_LABEL.sub("-", plain).strip("-")
    if len(clean) <= limit:
        return clean
    return f"{clean[: limit - 7].rstrip('-')}-{hashlib.sha256(clean.encode()).hexdigest()[:6]}"


def short(value: Any) -> Any:
    """A number as people write it: 32 for 32.0, two digits behind the point at most; anything else as it is."""
    if not isinstance(value, float):
        return value
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def order_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys of an entry in the order in which they are written: assumptions behind what is assumed."""
    last = ("assumed", "reason")
    return (*(key for key in model.model_fields if key not in last), *last)


def natural(name: str) -> tuple[object, ...]:
    """A sort key by which r2 comes before r10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _NUMBERS.split(name) if part)


def pattern_of(names: Sequence[str], limit: int | None = None) -> str | None:
    """One pattern that stands for exactly these names in this order; None when there is none that is short.

    Each number or word that varies becomes a range or a list: ``dc/h{1..2}/r{01..04}/{01..10}``.
    """
    if not names:
        return None
    if len(names) == 1:
        return names[0]
    limit = _limit(names) if limit is None else limit
    return _product(names, limit) or _listed(names, limit)


def patterns_of(names: Iterable[str], limit: int | None = None) -> list[str]:
    """As few patterns as are easily found; all names together, each once."""
    ordered = sorted(names, key=natural)
    if limit is None:
        limit = _limit(ordered)
    if (whole := pattern_of(ordered, limit)) is not None:
        return [whole]
    # Names that count up at their end, and such runs that differ in what stands before it alone.
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for run in _runs(ordered):
        head = _TAIL.sub("", run[0])
        alike[(compress(run) or run[0]).removeprefix(head)].append(head)
    found: list[str] = []
    for tail, heads in alike.items():
        if len(heads) == len(ordered) or not all(heads):
            ends = [head + tail for head in heads]
            found += ends if "{" in tail else _lists(ends, limit)
        else:
            found += [head + tail for head in patterns_of(heads, limit - len(tail))]
    return found


def _limit(names: Sequence[str]) -> int:
    return MAX_ADDRESS if names and "/" in names[0] else MAX_PATTERN


def _runs(names: Iterable[str]) -> list[list[str]]:
    """Names that follow each other by one at their end."""
    runs: list[list[str]] = []
    for name in names:
        if runs and compress([*runs[-1][-1:], name]) is not None:
            runs[-1].append(name)
        else:
            runs.append([name])
    return runs


def _lists(names: Sequence[str], limit: int) -> list[str]:
    """Lists in braces, each as long as it may be."""
    found: list[str] = []
    rest = list(names)
    while rest:
        count = 1
        while count < len(rest) and pattern_of(rest[: count + 1], limit) is not None:
            count += 1
        found.append(pattern_of(rest[:count], limit) or rest[0])
        rest = rest[count:]
    return found


def _product(names: Sequence[str], limit: int) -> str | None:
    """The product of what varies, part by part, when the names are exactly that."""
    parts = [_PARTS.findall(name) for name in names]
    if len({len(part) for part in parts}) != 1:
        return None
    columns = [list(dict.fromkeys(column)) for column in zip(*parts, strict=True)]
    if prod(map(len, columns)) != len(names):
        return None
    return _exact("".join(map(_choice, columns)), names, limit)


def _choice(values: Sequence[str]) -> str:
    if len(values) == 1:
        return values[0]
    numbers = [int(value) for value in values if value.isdigit()]
    rising = len(numbers) == len(values) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return "{" + (f"{values[0]}..{values[-1]}" if rising else ",".join(values)) + "}"


def _listed(names: Sequence[str], limit: int) -> str | None:
    if len(set(names)) < len(names) or not all(_LIST.fullmatch(name) for name in names):
        return None
    return _exact("{" + ",".join(names) + "}", names, min(limit, MAX_PATTERN))


def _exact(pattern: str, names: Sequence[str], limit: int) -> str | None:
    try:
        return pattern if len(pattern) <= limit and expand(pattern) == list(names) else None
    except PatternError:
        return None


def paired(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """``(pattern of names, pattern of places)`` for pairs of a name and its place, in order, as few as easily found.

    The n-th name of each pattern stands at the n-th place.
    """
    if not pairs:
        return []
    ordered = sorted(pairs, key=lambda pair: natural(pair[0]))
    if (whole := _pair(ordered)) is not None:
        return [whole]
    blocks: list[list[tuple[str, str]]] = []
    for pair in ordered:
        if blocks and _follows(blocks[-1][-1], pair):
            blocks[-1].append(pair)
        else:
            blocks.append([pair])
    found: list[tuple[str, str]] = []
    for block in blocks:
        one = _pair(block)
        found += [one] if one else block
    return found


def _pair(pairs: Sequence[tuple[str, str]]) -> tuple[str, str] | None:
    names, places = pattern_of([name for name, _ in pairs]), pattern_of([place for _, place in pairs])
    if len({place for _, place in pairs}) == 1:
        places = pairs[0][1] if len(pairs) == 1 else None
    return (names, places) if names and places and len(names) <= MAX_PATTERN else None


def _follows(before: tuple[str, str], after: tuple[str, str]) -> bool:
    return all(compress([old, new]) is not None for old, new in zip(before, after, strict=True))
