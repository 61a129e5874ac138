"""Properties of digests and differences."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from govhub.core.canonical import canonical, digest, stable_bucket
from govhub.core.diff import Change, diff, dotted

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(max_size=6), TREES, max_size=5)


def shuffled(value: Any) -> Any:
    """The same content with every mapping built in the opposite order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(list(value))}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def apply(old: Any, changes: tuple[Change, ...]) -> Any:
    """``old`` after the changes; removals from lists last and backwards, as positions are those of the old list."""
    root = {"": copy.deepcopy(old)}
    removals = [change for change in changes if change.op == "remove"]
    for change in [*(one for one in changes if one.op != "remove"), *reversed(removals)]:
        *parents, last = ("", *change.path)
        place: Any = root
        for step in parents:
            place = place[step]
        if change.op == "remove":
            del place[last]
        elif isinstance(place, list) and change.op == "add":
            place.append(change.new)
        else:
            place[last] = change.new
    return root[""]


def same(left: Any, right: Any) -> bool:
    """Equal with types: 1, 1.0 and True are three values in YAML."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@given(TREES)
def test_the_digest_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    assert canonical(value) == canonical(shuffled(value))
    assert digest(value) == digest(shuffled(value))


@given(TREES)
def test_the_canonical_form_is_json_of_the_same_content_and_stable(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(json.loads(text)) == text


@given(TREES, TREES)
def test_different_content_has_a_different_digest(left: Any, right: Any) -> None:
    assert (digest(left) == digest(right)) == same(left, right)


@given(st.text(), st.integers(1, 64))
def test_a_bucket_is_in_range_and_always_the_same(text: str, buckets: int) -> None:
    assert 0 <= stable_bucket(text, buckets) < buckets
    assert stable_bucket(text, buckets) == stable_bucket(text, buckets)


def test_buckets_are_the_same_on_every_machine_and_used_evenly() -> None:
    assert [stable_bucket(name, 8) for name in ("education", "civil-affairs", "教育")] == [3, 0, 1]
    counts = [0] * 8
    for number in range(8000):
        counts[stable_bucket(f"tenant-{number}", 8)] += 1
    assert min(counts) > 850


@given(TREES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert diff(value, copy.deepcopy(value)) == ()


@given(OBJECTS, OBJECTS)
@settings(max_examples=300)
def test_applying_the_differences_to_the_old_gives_the_new(old: Any, new: Any) -> None:
    changes = diff(old, new)
    assert same(apply(old, changes), new)
    assert (changes == ()) == same(old, new)


@given(OBJECTS, OBJECTS)
def test_the_differences_backwards_mirror_those_forwards(old: Any, new: Any) -> None:
    opposite = {"add": "remove", "remove": "add", "change": "change"}
    forwards = {(change.path, change.op) for change in diff(old, new)}
    assert {(change.path, opposite[change.op]) for change in diff(new, old)} == forwards


def test_paths_read_like_code_and_quote_what_is_no_word() -> None:
    assert dotted(("spec", "containers", 0, "image")) == "spec.containers[0].image"
    assert dotted(("metadata", "labels", "govhub.io/hub")) == 'metadata.labels["govhub.io/hub"]'


def test_null_is_a_value_and_an_absent_side_is_left_out() -> None:
    assert [one.as_dict() for one in diff({"a": None}, {"b": None})] == [
        {"op": "remove", "path": "a", "old": None},
        {"op": "add", "path": "b", "new": None},
    ]
