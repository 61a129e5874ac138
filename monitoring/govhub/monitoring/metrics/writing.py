"""The text format of Prometheus, written in bulk: what does not change of a line is put together once.

Byte for byte what ``prometheus_client`` writes (version 0.0.4 of the text format), which takes ten times as long
for the same samples: it sorts, escapes and joins the labels of every line at every scrape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, compress
from math import inf, isnan

import numpy as np

from govhub.monitoring.arithmetic.figure import Floats

_odd = re.compile(r'[\\\n"%]').search
"""What cannot stand in a line as it is."""
_EXPONENT_DIGITS = 7
"""Go's shortest form has an exponent from so many digits before the point on; Python's from seventeen."""
_EXPONENT_FROM = 10.0 ** (_EXPONENT_DIGITS - 1)


class Prefixes:
    """The labels of a run of samples as they stand before each value, in the order of the samples.

    Kept between renderings and shared by all families of the same labels: only values and the family's name are put
    in anew.
    """

    __slots__ = ("_texts",)

    def __init__(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Put labels together.

        Args:
            names: of the labels, without those of the target.
            rows: the labels' values of each sample, in the order of ``names``.

        Raises:
            ValueError: a row has not as many values as there are names.
        """
        found = list(rows)
        for row in found:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} values for {len(names)} labels")
        order = sorted(range(len(names)), key=lambda place: names[place])
        if _odd("".join(chain.from_iterable(found))):
            found = [[_doubled(escaped(value)) for value in row] for row in found]
        cells = zip(*([row[place] for row in found] for place in order), strict=True) if order else [()] * len(found)
        inner = ",".join(f'{names[place]}="%s"' for place in order)
        self._texts = list(map((f"{{{inner}}} " if inner else " ").__mod__, cells))

    def __len__(self) -> int:
        return len(self._texts)

    def lines(self, name: str, values: Floats) -> tuple[bytes, int]:
        """The samples of one family, and how many: a value that is NaN is unknown and has none.

        Raises:
            ValueError: there are not as many values as labels.
        """
        if len(values) != len(self._texts):
            raise ValueError(f"{len(values)} values for {len(self._texts)} samples of {name}")
        texts = self._texts
        unknown = np.isnan(values)
        if unknown.any():
            known = ~unknown
            texts, values = list(compress(texts, known.tolist())), values[known]
        if not texts:
            return b"", 0
        cells: list[float | str] = values.tolist()
        # Few values differ between repr() and Go: those alone go through a function.
        for place in np.flatnonzero((values >= _EXPONENT_FROM) | np.isinf(values)).tolist():
            cells[place] = go_float(values[place])
        template = f"{name}{f'%s{chr(10)}{name}'.join(texts)}%s\n"
        return (template % tuple(cells)).encode("utf-8", "replace"), len(texts)


def header(name: str, kind: str, help_text: str) -> bytes:
    """The two lines before the samples of a family."""
    told = help_text.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n".encode("utf-8", "replace")


def escaped(value: str) -> str:
    """A label's value between its quotes."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def go_float(value: float) -> str:
    """A number as Go's ``strconv.FormatFloat(v, 'g', -1, 64)`` writes it, in ``prometheus_client``'s reading of it.

    That has a point in whole numbers (``42.0``), and for negative ones Python's form: both are read as the same number.
    """
    number = float(value)
    if number == inf:
        return "+Inf"
    if number == -inf:
        return "-Inf"
    if isnan(number):
        return "NaN"
    text = repr(number)
    point = text.find(".")
    if number <= 0 or point < _EXPONENT_DIGITS:
        return text
    digits = f"{text[0]}.{text[1:point]}{text[point + 1 :]}".rstrip("0.")
    return f"{digits}e+{point - 1:02d}"


def _doubled(value: str) -> str:
    """For the lines of a family, which become one template."""
    return value.replace("%", "%%")
