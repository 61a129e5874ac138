"""The writer against prometheus-client, byte for byte."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.utils import floatToGoString

from govhub.monitoring.metrics.catalogue import KIND
from govhub.monitoring.metrics.exporter import EOF
from govhub.monitoring.metrics.writing import Prefixes, go_float, header

Samples = list[tuple[list[str], float]]
# YAML and JSON hold no lone surrogates, and neither does UTF-8.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
nasty = st.sampled_from(
    ["", '"', "\\", "\n", '\\"', "\\n", "\r", "%", "%s", "%%d", "{}", "东岳庙", "é", "\0", "😀", " ", ","]
)
values = texts | nasty
numbers = st.floats() | st.integers(-(10**18), 10**18).map(float) | st.sampled_from([1e6, 999999.5, 1e16, -0.0, 1e22])


class Collector:
    def __init__(self, name: str, help_text: str, labels: Sequence[str], samples: Samples) -> None:
        self.family = GaugeMetricFamily(name, help_text, labels=labels)
        for row, value in samples:
            self.family.add_metric(row, value)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield self.family


def oracle(name: str, help_text: str, labels: Sequence[str], samples: Samples) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(name, help_text, labels, samples))
    return generate_latest(registry)


def ours(name: str, help_text: str, labels: Sequence[str], samples: Samples) -> bytes:
    prefixes = Prefixes(labels, [row for row, _ in samples])
    return header(name, KIND, help_text) + prefixes.lines(name, np.array([value for _, value in samples]))[0]


@st.composite
def families(draw: st.DrawFn) -> tuple[str, str, list[str], Samples]:
    name = draw(st.from_regex(r"\A[a-zA-Z_:][a-zA-Z0-9_:]{0,20}\Z"))
    labels = draw(st.lists(st.from_regex(r"\A[a-zA-Z_][a-zA-Z0-9_]{0,8}\Z"), max_size=4, unique=True))
    rows = st.lists(values, min_size=len(labels), max_size=len(labels))
    known = numbers.filter(lambda number: not math.isnan(number))
    return name, draw(values), labels, draw(st.lists(st.tuples(rows, known), max_size=6))


@given(families())
@example(("a", 'x"\\\n', ["b", "a"], [(["%s", "100 %"], 1e6), (['"', "\\\n"], -math.inf), (["", "é"], math.inf)]))
def test_what_is_written_is_what_prometheus_client_writes(
    family: tuple[str, str, list[str], Samples],
) -> None:
    assert ours(*family) == oracle(*family)


@given(families())
def test_openmetrics_is_the_same_with_an_end(
    family: tuple[str, str, list[str], Samples],
) -> None:
    _, _, labels, samples = family
    name = "x"  # colons, which are for recording rules, are written otherwise there
    registry = CollectorRegistry(auto_describe=False)
    # OpenMetrics escapes quotes in help texts, the older format does not: ours have none.
    registry.register(Collector(name, "What it is.", labels, samples))
    assert ours(name, "What it is.", labels, samples) + EOF == openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]


@given(numbers)
def test_numbers_are_written_as_prometheus_client_writes_them(number: float) -> None:
    assert go_float(number) == floatToGoString(number)  # type: ignore[no-untyped-call]


@given(st.lists(st.none() | numbers.filter(lambda number: not math.isnan(number)), max_size=8))
def test_what_is_unknown_has_no_sample(found: list[float | None]) -> None:
    prefixes = Prefixes(["a"], [[str(place)] for place in range(len(found))])
    column = np.array([math.nan if value is None else value for value in found], dtype=np.float64)
    known = [([str(place)], value) for place, value in enumerate(found) if value is not None]

    text, samples = prefixes.lines("x", column)
    assert samples == len(known)
    assert header("x", KIND, "") + text == oracle("x", "", ["a"], known)


def test_labels_serve_several_families_and_renderings() -> None:
    prefixes = Prefixes(["b", "a"], [["100 %", "x"], ["y", "z"]])
    assert prefixes.lines("one", np.array([1.0, 2.5])) == (b'one{a="x",b="100 %"} 1.0\none{a="z",b="y"} 2.5\n', 2)
    assert prefixes.lines("two", np.array([math.nan, 3e7])) == (b'two{a="z",b="y"} 3e+07\n', 1)


def test_values_and_labels_have_to_fit() -> None:
    with pytest.raises(ValueError, match="2 values for 1 samples of x"):
        Prefixes(["a"], [["1"]]).lines("x", np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="1 values for 2 labels"):
        Prefixes(["a", "b"], [["1"]])
