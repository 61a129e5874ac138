"""Hundreds of broken hubs: whatever stands in the files, loading and checking never raise."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventory.hubs import BASE, HubFolder, everything

FILES = sorted(path.name for path in BASE.glob("*.yaml"))
GARBAGE: list[Any] = [
    None, True, -1, 0, 10**18, 1e308, float("inf"), "", " ", "x" * 5000, "税务", "a\0b", "../../etc", "{1..999999999}",
    "{", "r{9..1}", "99999999999999999999Ei", "0", "-5", "::/0", "2026-02-30", "0001-01-01", "9999-12-31", "internet",
    "cidr/1/999", "\u202e", "\ud7ff", "kube-system", [], {}, [[]], {"a": {"b": []}}, ["x"] * 50, [None],
]  # fmt: skip
TREE_ROUNDS = 330
TEXT_ROUNDS = 130


def _slots(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any]]:
    """``(container, key)`` of everything in a tree."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield node, key
        yield from _slots(value)


def _delete(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice(list(_slots(tree)))
    del node[key]


def _replace(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice(list(_slots(tree)))
    node[key] = copy.deepcopy(dice.choice(GARBAGE))


def _wrap(tree: Any, dice: random.Random) -> None:
    """Another type: a scalar as a list, a list as a mapping, a number as text."""
    node, key = dice.choice(list(_slots(tree)))
    value = node[key]
    node[key] = dice.choice([[value], {"value": value}, str(value), {str(value)[:20]: None}])


def _duplicate(tree: Any, dice: random.Random) -> None:
    lists = [node[key] for node, key in _slots(tree) if isinstance(node[key], list) and node[key]]
    chosen = dice.choice(lists)
    chosen.insert(0, copy.deepcopy(dice.choice(chosen)))


def _swap(tree: Any, dice: random.Random) -> None:
    slots = list(_slots(tree))
    (one, first), (two, second) = dice.choice(slots), dice.choice(slots)
    value = copy.deepcopy(two[second])
    if first in one if isinstance(one, dict) else first < len(one):
        two[second] = copy.deepcopy(one[first])
        one[first] = value


def _rename(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice([slot for slot in _slots(tree) if isinstance(slot[0], dict)])
    node[dice.choice(["税", "x", "name", "name ", key + "s", "<<"])] = node.pop(key)


TREE_MUTATIONS: tuple[Callable[[Any, random.Random], None], ...] = (
    _delete, _replace, _replace, _replace, _wrap, _duplicate, _swap, _rename,
)  # fmt: skip
BYTES = [
    b"\t",
    b"\x00",
    b"\xff",
    b"\xb2\xe2",
    b"\n---\n",
    b"&a ",
    b"*a ",
    b"? ",
    b": ",
    b"[",
    b"}",
    b"\r",
    b"!!x ",
    b"%",
    b"'",
]


def _mutate_text(raw: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(raw))
    kind = dice.randrange(5)
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[at:]
    if kind == 2:
        return raw[:at] + raw[at + dice.randint(1, 30) :]
    if kind == 3:
        return raw[:at] + dice.randbytes(dice.randint(1, 8)) + raw[at:]
    return raw[:at] + dice.choice(BYTES) + raw[at:]


def _assert_sound(folder: Path) -> None:
    for item in everything(folder):
        assert item.code
        assert item.summary
        assert len(item.summary) < 500, item.summary
        assert item.source, item
        assert item.source.file.startswith("testcity/"), item
        assert item.as_dict()["summary"].encode()


@pytest.mark.parametrize("seed", range(10))
def test_a_hub_with_a_broken_value_gives_diagnostics_or_loads(base: HubFolder, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(TREE_ROUNDS // 10):
        name = dice.choice(FILES)
        tree = yaml.load((BASE / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for _ in range(dice.choice((1, 1, 1, 3))):
            dice.choice(TREE_MUTATIONS)(tree, dice)
        (base.path / name).write_text(
            yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        _assert_sound(base.path)
        (base.path / name).write_bytes((BASE / name).read_bytes())


@pytest.mark.parametrize("seed", range(10))
def test_a_hub_with_a_broken_file_gives_diagnostics_or_loads(base: HubFolder, seed: int) -> None:
    dice = random.Random(1000 + seed)
    for _ in range(TEXT_ROUNDS // 10):
        name = dice.choice(FILES)
        raw = (BASE / name).read_bytes()
        for _ in range(dice.choice((1, 1, 2))):
            raw = _mutate_text(raw, dice) or b"\n"
        (base.path / name).write_bytes(raw)
        _assert_sound(base.path)
        (base.path / name).write_bytes((BASE / name).read_bytes())


@pytest.mark.parametrize("name", FILES)
def test_a_hub_without_one_of_its_files_gives_diagnostics_or_loads(base: HubFolder, name: str) -> None:
    (base.path / name).unlink()

    _assert_sound(base.path)
