"""Samples of one family with the same labels: what the pages are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.metrics.catalogue import FAMILIES, KIND
from govhub.monitoring.metrics.writing import Prefixes, header


@dataclass(frozen=True, slots=True)
class Block:
    """Samples of one family; NaN is unknown."""

    family: str
    prefixes: Prefixes
    values: Floats


@dataclass(frozen=True, slots=True)
class Lines:
    """The same as text, without the family's header."""

    family: str
    text: bytes
    samples: int


def block(family: str, samples: Mapping[tuple[str, ...], float | None]) -> Block:
    """A block from values by labels, in the order of the family's labels; None is unknown.

    Raises:
        KeyError: there is no such family.
        ValueError: labels do not fit the family.
    """
    values = np.array([np.nan if value is None else value for value in samples.values()], dtype=np.float64)
    return Block(family, Prefixes(FAMILIES[family].labels, samples), values)


def written(item: Block) -> Lines:
    """A block as lines."""
    text, samples = item.prefixes.lines(item.family, item.values)
    return Lines(item.family, text, samples)


def head(family: str) -> bytes:
    """The lines before a family's samples."""
    return header(family, KIND, FAMILIES[family].help)
