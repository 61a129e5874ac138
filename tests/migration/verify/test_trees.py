"""File trees: listings that the script makes of real folders, with names that no terminal should see."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import InvalidInput
from govhub.migration.verify.listing import LIST_TREE, read_listing
from govhub.migration.verify.trees import compare_listings, shown

NASTY = [
    b"plain",
    b"two\nlines",
    b"not utf-8 \xff\xfe",
    b"tab\there",
    b"back\\slash",
    b"-rf",
    "财政.txt".encode(),
    b"end",
    b" ",
]


def tree(root: Path) -> Path:
    root.mkdir()
    for name in NASTY:
        (Path(os.fsdecode(bytes(root) + b"/" + name))).write_bytes(b"content of " + name)
    (root / "folder").mkdir()
    (root / "folder" / "empty").touch()
    (root / "link").symlink_to("two\nlines")
    (root / "dangling").symlink_to("nowhere")
    return root


def listing(root: Path) -> Path:
    out = root.with_suffix(".listing")
    with out.open("wb") as file:
        subprocess.run(["sh", "-c", LIST_TREE], cwd=root, stdout=file, check=True, timeout=60)
    return out


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    source = tree(tmp_path / "source")
    shutil.copytree(source, tmp_path / "target", symlinks=True)
    return source, tmp_path / "target"


def compared(trees: tuple[Path, Path], **options: Any) -> dict[str, Any]:
    return compare_listings(listing(trees[0]), listing(trees[1]), **options)


def what(document: dict[str, Any]) -> dict[str, Any]:
    return {item["path"]: (item["kind"], item["what"]) for item in document["differences"]}


def test_equal_trees_pass_with_every_name(trees: tuple[Path, Path]) -> None:
    document = compared(trees)
    assert document["verdict"] == "pass"
    entries = read_listing(listing(trees[0])).entries
    assert set(NASTY) < set(entries)
    assert entries[b"link"].link == b"two\nlines"
    assert all(item.sha256 for item in entries.values() if item.type == "f")
    assert document["coverage"] == {
        "entries": 14,
        "files": 10,
        "files_with_digest": 10,
        "bytes": document["coverage"]["bytes"],
    }


def test_every_kind_of_difference_is_found(trees: tuple[Path, Path]) -> None:
    target = os.fsencode(trees[1])
    Path(os.fsdecode(target + b"/two\nlines")).write_bytes(b"Content of two\nlines")
    Path(os.fsdecode(target + b"/not utf-8 \xff\xfe")).unlink()
    (trees[1] / "plain").chmod(0o600)
    (trees[1] / "dangling").unlink()
    (trees[1] / "dangling").symlink_to("elsewhere")
    (trees[1] / "folder" / "empty").unlink()
    (trees[1] / "folder" / "empty").mkdir()
    (trees[1] / "new").touch()
    document = compared(trees)
    assert document["verdict"] == "differs"
    assert what(document) == {
        "two\\x0alines": ("changed", ["sha256"]),
        "not utf-8 \\xff\\xfe": ("missing", []),
        "plain": ("changed", ["mode"]),
        "dangling": ("changed", ["link", "size"]),
        "folder/empty": ("changed", ["mode", "sha256", "type"]),
        "new": ("extra", []),
    }
    assert document["found"] == {"changed": 4, "missing": 1, "extra": 1}


def test_times_count_when_asked_for(trees: tuple[Path, Path]) -> None:
    os.utime(trees[1] / "plain", (1, 1))
    assert compared(trees)["verdict"] == "pass"
    assert what(compared(trees, times=True)) == {"plain": ("changed", ["mtime"])}


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_owners_are_compared(trees: tuple[Path, Path]) -> None:
    os.chown(trees[1] / "plain", 1234, 0)
    assert what(compared(trees)) == {"plain": ("changed", ["owner"])}


def test_a_listing_that_was_cut_off_is_refused_wherever_it_was_cut(trees: tuple[Path, Path], tmp_path: Path) -> None:
    whole = listing(trees[0]).read_bytes()
    cut = tmp_path / "cut"
    for end in [*range(0, len(whole) - 1, 37), len(whole) - 1]:
        cut.write_bytes(whole[:end])
        with pytest.raises(InvalidInput, match="no whole listing"):
            read_listing(cut)


def test_a_file_without_a_digest_and_an_empty_tree_are_no_pass(trees: tuple[Path, Path], tmp_path: Path) -> None:
    path = listing(trees[0])
    content = path.read_bytes()
    start = content.index(b"  ./plain\0") - 64
    path.write_bytes(content[:start] + content[start + 64 + len(b"  ./plain\0") :])
    assert compare_listings(path, path)["verdict"] == "could not verify"
    (tmp_path / "none").mkdir()
    assert compared((tmp_path / "none", tmp_path / "none"))["verdict"] == "could not verify"


def test_a_shown_path_can_be_told_apart_from_every_other() -> None:
    assert shown(b"a\\x0ab") != shown(b"a\nb")
    assert shown(b"") == "."
