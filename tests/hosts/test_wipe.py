"""The program that wipes, on real file systems and disks: what it calls cleared is gone from the image below."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "playbooks" / "roles" / "wipe" / "files" / "wipe.py"
MARK = b"CONFIDENTIAL-" + b"0123456789abcdef" * 4
MIB = 1 << 20


def wipe(*words: str | Path) -> dict[str, dict[str, Any]]:
    """What the program says, by what was wiped."""
    done = subprocess.run([sys.executable, PROGRAM, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return {item["what"]: item for item in json.loads(done.stdout)["items"]}


@contextmanager
def loop(image: Path) -> Iterator[Path]:
    """An image as a disk."""
    done = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no loop device: {done.stderr.strip()}")
    disk = done.stdout.strip()
    try:
        yield Path(disk)
    finally:
        subprocess.run(["losetup", "--detach", disk], check=True)


@contextmanager
def mounted(disk: Path, point: Path) -> Iterator[Path]:
    point.mkdir()
    subprocess.run(["mount", disk, point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", point], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    if os.geteuid():
        pytest.skip("disks need root")
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(32 * MIB)
    return path


def marked(image: Path) -> int:
    os.sync()
    return image.read_bytes().count(MARK)


def test_files_on_a_file_system_that_writes_in_place_are_gone_from_the_disk(image: Path, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with loop(image) as disk, mounted(disk, tmp_path / "point") as point:
        data = point / "data"
        (data / "deep" / "er").mkdir(parents=True)
        for number in range(20):
            (data / "deep" / "er" / f"{number}.db").write_bytes(MARK * 500)
        (data / "empty").touch()
        (data / "link").symlink_to("/etc/passwd")
        os.mkfifo(data / "pipe")
        with (data / "sparse").open("wb") as file:
            file.truncate(200 * MIB)
            file.seek(100 * MIB)
            file.write(MARK)
        os.sync()
        assert marked(image) >= 20 * 500
        found = wipe("--folder", data)[str(data)]
        assert not data.exists()
    assert (found["result"], found["medium"], found["why"], found["files"]) == ("cleared", "ext4", "", 24)
    assert 20 * 500 * len(MARK) <= found["bytes"] < 3 * MIB, "the holes of the sparse file stay holes"
    assert marked(image) == 0
    assert Path("/etc/passwd").stat().st_size > 0, "links are not followed"


def test_a_disk_is_zeros_afterwards(image: Path) -> None:
    # An odd number of sectors: the last ones count too.
    image.write_bytes((MARK * 500_000)[: 31 * MIB + 5 * 512])
    with loop(image) as disk:
        found = wipe("--disk", disk)[str(disk)]
    assert (found["result"], found["bytes"] // MIB) in (("cleared", 31), ("purged", 31))
    assert "read back" in found["method"] or found["result"] == "purged"
    assert not image.read_bytes().strip(b"\0")


def test_a_disk_in_use_is_not_touched(image: Path, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with loop(image) as disk, mounted(disk, tmp_path / "point") as point:
        (point / "file").write_bytes(MARK)
        found = wipe("--disk", disk)[str(disk)]
        assert (point / "file").read_bytes() == MARK
    assert (found["result"], found["why"]) == ("kept", f"is in use: {tmp_path / 'point'}")


def test_a_disk_that_somebody_holds_is_not_touched(image: Path) -> None:
    image.write_bytes(MARK * 100_000)
    with loop(image) as disk:
        handle = os.open(disk, os.O_RDWR | os.O_EXCL)
        try:
            found = wipe("--disk", disk)[str(disk)]
        finally:
            os.close(handle)
    assert (found["result"], found["why"]) == ("kept", "is in use")
    assert marked(image) == 100_000


def test_a_file_system_that_writes_elsewhere_is_not_called_cleared(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("mounting needs root")
    lower, upper, work, merged = (tmp_path / name for name in ("lower", "upper", "work", "merged"))
    for path in (lower, upper, work, merged):
        path.mkdir()
    (lower / "old").write_bytes(MARK)
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, merged], check=True)
    try:
        folder = merged / "data"
        folder.mkdir()
        (folder / "new").write_bytes(MARK)
        found = wipe("--folder", folder, "--key", merged / "o*")
    finally:
        subprocess.run(["umount", merged], check=True)
    assert {item["result"] for item in found.values()} == {"removed"}
    assert found[str(merged / "old")]["why"] == "an overlay may have a copy in a layer below"
    assert (lower / "old").read_bytes() == MARK, "which is why"


def test_what_is_not_there_is_absent_and_what_stays_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("no disk")
    found = wipe(
        "--folder", "/nowhere", "--key", "/nowhere/*.key", "--folder", tmp_path / "link", "--disk", tmp_path / "file"
    )
    results = {Path(what).name: item["result"] for what, item in found.items()}
    assert results == {"nowhere": "absent", "*.key": "absent", "link": "failed", "file": "failed"}
    assert all(item["why"] for item in found.values() if item["result"] == "failed")
    assert (tmp_path / "file").read_text() == "no disk"


def test_a_file_that_cannot_be_deleted_is_a_failure(image: Path, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    with loop(image) as disk, mounted(disk, tmp_path / "point") as point:
        (point / "data").mkdir()
        (point / "data" / "kept").write_bytes(MARK)
        subprocess.run(["chattr", "+i", point / "data" / "kept"], check=True)
        found = wipe("--folder", point / "data")[str(point / "data")]
        subprocess.run(["chattr", "-i", point / "data" / "kept"], check=True)
    assert (found["result"], found["files"]) == ("failed", 0)
    assert "Operation not permitted" in found["why"]
