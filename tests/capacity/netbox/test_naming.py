"""From names back to patterns: exactly these names, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govhub.inventory.merging.naming import natural, paired, pattern_of, patterns_of, slug
from govhub.inventory.patterns import expand

ADDRESSES = st.builds(
    lambda hall, row, rack, wide: f"dc/h{hall}/r{row:02d}/{rack:02d}" if wide else f"dc/h{hall}/r{row}/a{rack}",
    st.integers(1, 3),
    st.integers(1, 12),
    st.integers(1, 12),
    st.booleans(),
)
WORDS = st.from_regex(r"[a-z]{1,3}(-[a-z0-9]{1,3}){0,2}", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(st.sets(ADDRESSES, min_size=1, max_size=40) | st.sets(WORDS, min_size=1, max_size=40))
def test_patterns_stand_for_each_name_once(names: set[str]) -> None:
    found = [name for pattern in patterns_of(names) for name in expand(pattern)]

    assert sorted(found) == sorted(names)
    assert all(len(pattern) <= 200 for pattern in patterns_of(names))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(WORDS, ADDRESSES, min_size=1, max_size=30))
def test_the_nth_name_stands_at_the_nth_place(places: dict[str, str]) -> None:
    found: dict[str, str] = {}
    for names, racks in paired(list(places.items())):
        expanded = expand(names), expand(racks)
        assert len(expanded[0]) == len(expanded[1])
        found |= dict(zip(*expanded, strict=True))

    assert found == places


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("bw-{a,b}-h{01..10}-r{01..30}", 600),
        ("dongyuemiao/h{01..10}/r{01..30}/{01..36}", 10_800),
        ("jz-a/h1/{r02,r04,r05}/02", 3),
        ("x{9..12}", 4),
    ],
)
def test_what_a_person_would_write_comes_back(pattern: str, count: int) -> None:
    names = expand(pattern)

    assert len(names) == count
    assert expand(pattern_of(names) or "") == names
    assert len(patterns_of(names)) == 1


def test_patterns_stay_within_what_a_file_may_hold() -> None:
    names = [name for name in expand("bw-{a,b}-h{11..54}-r{01..40}") if "h29" not in name or name.endswith(("1", "7"))]
    patterns = patterns_of(names)

    assert sorted(found for pattern in patterns for found in expand(pattern)) == sorted(names)
    assert max(map(len, patterns)) <= 120


def test_rows_of_two_lengths_are_two_patterns() -> None:
    names = [*expand("h{1..2}/r{1..9}/{01..08}"), *expand("h3/r{1..4}/{01..06}")]

    assert len(patterns_of(names)) == 2


def test_numbers_count_as_numbers_and_slugs_are_names() -> None:
    assert sorted(["r10", "r2", "r1"], key=natural) == ["r1", "r2", "r10"]
    assert [slug(text) for text in ("Core SW_01 (north)", "一号机房", "  A ")] == ["core-sw-01-north", "", "a"]
    long = [slug(f"a-very-long-name-of-a-type-of-device-{end}") for end in ("north", "south")]
    assert len(set(long)) == 2
    assert all(len(name) <= 40 for name in long)
