"""Digests that are remembered: never longer than the file is the one that was read."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from govhub.core.settings import Env
from govhub.lab.hosts import digests
from govhub.lab.hosts.digests import digest_of

REMEMBERED = "0" * 64


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(Env.CACHE, str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "SETTLED", 0.02)
    path = tmp_path / "program"
    path.write_bytes(b"one")
    time.sleep(0.1)
    return path


def note(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache" / "hosts" / "digests").iterdir()
    return found


def told(path: Path) -> bool:
    """Whether the digest is that of what the file holds."""
    return digest_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def _same_size_and_time(path: Path) -> None:
    former = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(former.st_atime_ns, former.st_mtime_ns))


def _replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"two")
    former = path.stat()
    os.utime(other, ns=(former.st_atime_ns, former.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize(
    "change", [_same_size_and_time, _replaced, lambda path: path.write_bytes(b"three")], ids=["time", "place", "size"]
)
def test_a_changed_file_is_read_again(file: Path, tmp_path: Path, change: Callable[[Path], object]) -> None:
    assert told(file)
    found = json.loads(note(tmp_path).read_text())
    note(tmp_path).write_text(json.dumps(found | {"sha256": REMEMBERED}))
    assert digest_of(file) == REMEMBERED, "the same file is not read again"
    change(file)
    assert told(file)
    assert told(file)


def test_a_file_that_was_just_written_is_not_trusted_to_stay(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "SETTLED", 60.0)
    assert told(file)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"mark": 1}', "\xff"])
def test_a_damaged_note_is_none(file: Path, tmp_path: Path, text: str) -> None:
    assert told(file)
    note(tmp_path).write_text(text, encoding="latin-1")
    assert told(file)


def test_a_file_at_the_end_of_a_link_counts(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    assert told(link)
    other = tmp_path / "other"
    other.write_bytes(b"two")
    link.unlink()
    link.symlink_to(other)
    assert told(link)
