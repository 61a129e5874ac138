"""Overwrite folders, keys and disks of a host that is retired, and say of each what was done and what that is worth.

Runs on the host itself, as root, with nothing but Python. Prints one JSON document:
``{"items": [{"what", "type", "method", "result", "why", "files", "bytes", "medium"}]}``. Results are

- ``cleared``: overwritten where it lay and read back as zeros (NIST SP 800-88, Clear)
- ``purged``: the drive was told to discard securely (NIST SP 800-88, Purge, as the drive promises)
- ``removed``: overwritten and deleted, but the medium may hold copies: not wiped
- ``kept``: not touched, ``why`` says for what reason: not wiped
- ``failed``: some of it is still there, ``why`` says what: not wiped
- ``absent``: there was nothing
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import glob
import json
import os
import random
import stat
import subprocess
import sys

BLOCK = 1 << 20
ZEROS = bytes(BLOCK)
SAMPLES = 64
# File systems that write where the data lie. Others write elsewhere and let go of the old blocks some day.
IN_PLACE = {"ext2", "ext3", "ext4", "vfat", "tmpfs", "ramfs"}
NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")


def main() -> None:
    """Wipe what the arguments name."""
    parser = argparse.ArgumentParser()
    for name in ("folder", "key", "disk"):
        parser.add_argument(f"--{name}", action="append", default=[])
    parser.add_argument("--all-disks", action="store_true")
    given = parser.parse_args()
    items = [wipe_path(path, "folder") for path in given.folder]
    items += [wipe_path(path, "key") for pattern in given.key for path in sorted(glob.glob(pattern)) or [pattern]]
    disks = given.disk + (all_disks() if given.all_disks else [])
    items += [wipe_disk(disk) for disk in dict.fromkeys(disks)]
    os.sync()
    json.dump({"items": items}, sys.stdout)


def item(what: str, kind: str, result: str, **more: object) -> dict:
    """One line of the evidence."""
    return {"what": what, "type": kind, "method": "", "result": result, "why": "", "files": 0, "bytes": 0} | {
        "medium": "",
        **more,
    }


# --- folders and files


def wipe_path(path: str, kind: str) -> dict:
    """Overwrite and delete everything under ``path``; links are deleted, never followed."""
    if not os.path.lexists(path):
        return item(path, kind, "absent")
    if os.path.islink(path):
        return item(path, kind, "failed", why="is a symbolic link; name the folder that it leads to")
    tally = {"files": 0, "bytes": 0}
    media: dict[str, str] = {}
    problems: list[str] = []
    for file in files_of(path):
        try:
            name, why = medium_of(file)
            media[name] = why
            tally["bytes"] += wipe_file(file)
            tally["files"] += 1
        except OSError as error:
            problems.append(f"{file}: {error.strerror}")
    left = remove_folders(path) if os.path.isdir(path) and not os.path.islink(path) else []
    problems += [f"{name}: still there" for name in left]
    doubts = sorted({why for why in media.values() if why})
    result = "failed" if problems else "removed" if doubts else "cleared"
    why = "; ".join((problems or doubts)[:3]) + (f" and {len(problems) - 3} more" if len(problems) > 3 else "")
    method = "zeros over the data, read back, deleted"
    return item(path, kind, result, method=method, why=why, medium=", ".join(sorted(media)), **tally)


def files_of(path: str) -> list[str]:
    """All that is no folder; links to folders too."""
    if not os.path.isdir(path):
        return [path]
    found = []
    for base, folders, names in os.walk(path):
        found += [os.path.join(base, name) for name in names]
        found += [os.path.join(base, name) for name in folders if os.path.islink(os.path.join(base, name))]
    return found


def wipe_file(path: str) -> int:
    """Overwrite a regular file's data and delete it; the bytes that were overwritten.

    Raises:
        OSError: it is still there, or does not read back as zeros.
    """
    if not stat.S_ISREG(os.lstat(path).st_mode):
        os.unlink(path)
        return 0
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        extents = data_extents(handle)
        for start, end in extents:
            fill(handle, start, end)
        os.fsync(handle)
        # What is read back should come from the medium, not from memory.
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        for start, end in extents:
            check(handle, start, end, path)
    finally:
        os.close(handle)
    os.unlink(path)
    return sum(end - start for start, end in extents)


def data_extents(handle: int) -> list[tuple[int, int]]:
    """Where a file has data: zeros into the holes of a sparse file would fill the disk."""
    size, found, at = os.fstat(handle).st_size, [], 0
    while at < size:
        try:
            start = os.lseek(handle, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(handle, start, os.SEEK_HOLE)
        found.append((start, at))
    return found


def fill(handle: int, start: int, end: int) -> None:
    """Zeros from ``start`` to ``end``."""
    os.lseek(handle, start, os.SEEK_SET)
    while start < end:
        start += os.write(handle, ZEROS[: min(BLOCK, end - start)])


def check(handle: int, start: int, end: int, path: str) -> None:
    """Read back, and insist on zeros.

    Raises:
        OSError: there is something else.
    """
    os.lseek(handle, start, os.SEEK_SET)
    while start < end:
        data = os.read(handle, min(BLOCK, end - start))
        if not data or data.strip(b"\0"):
            raise OSError(errno.EIO, "does not read back as zeros", path)
        start += len(data)


def remove_folders(path: str) -> list[str]:
    """Delete folders from below; those that are not empty are left and named. Mount points stay, empty."""
    left = []
    for base, _, names in os.walk(path, topdown=False):
        if names:
            left += [os.path.join(base, name) for name in names]
            continue
        with contextlib.suppress(OSError):
            if not os.path.ismount(base):
                os.rmdir(base)
    return left


def medium_of(path: str) -> tuple[str, str]:
    """``(file system, why overwriting there does not reach all copies)``; the second is empty where it does."""
    kind, options = "", ""
    longest = -1
    for _, point, name, text in mounts():
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= longest:
            longest, kind, options = len(point), name, text
    if kind == "overlay":
        return kind, "an overlay may have a copy in a layer below"
    if kind not in IN_PLACE:
        return kind, f"{kind or 'this file system'} does not write where the data lie"
    if "data=journal" in options.split(","):
        return kind, "the journal holds copies of data"
    return kind, ""


def mounts() -> list[tuple[str, str, str, str]]:
    """``(major:minor, mount point, file system, options)`` of everything that is mounted."""
    out = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            words, rest = left.split(), right.split()
            point = words[4].encode("utf-8", "surrogateescape").decode("unicode_escape")
            out.append((words[2], point, rest[0], rest[-1]))
    return out


# --- disks


def all_disks() -> list[str]:
    """Whole disks that can be opened here: a container sees the names of its machine's disks, and has no nodes."""
    found = []
    for name in sorted(os.listdir("/sys/block")) if os.path.isdir("/sys/block") else []:
        node = f"/dev/{name}"
        if not name.startswith(NO_DISKS) and os.path.exists(node) and stat.S_ISBLK(os.stat(node).st_mode):
            found.append(node)
    return found


def wipe_disk(disk: str) -> dict:
    """Discard securely where the drive can, else zeros; a disk in use is left alone."""
    try:
        if not stat.S_ISBLK(os.stat(disk).st_mode):
            return item(disk, "disk", "failed", why="is no disk")
        if why := in_use(disk):
            return item(disk, "disk", "kept", why=why)
        size = size_of(disk)
        if quiet("blkdiscard", "--secure", disk):
            return item(disk, "disk", "purged", method="secure discard", bytes=size)
        method = "zeros by the drive"
        if not quiet("blkdiscard", "--zeroout", disk):
            method = "zeros"
            zero_disk(disk, size)
        seen = read_back(disk, size)
        return item(disk, "disk", "cleared", method=f"{method}, {seen} MiB read back", bytes=size)
    except OSError as error:
        return item(disk, "disk", "failed", why=f"{error.strerror or error}")


def in_use(disk: str) -> str:
    """Why a disk must not be touched; empty when nothing uses it or a part of it."""
    base = f"/sys/block/{os.path.basename(disk)}"
    parts = [base, *(os.path.dirname(path) for path in glob.glob(f"{base}/*/partition"))]
    numbers = set()
    for part in parts:
        with open(f"{part}/dev", encoding="ascii") as file:
            numbers.add(file.read().strip())
        if os.path.isdir(f"{part}/holders") and os.listdir(f"{part}/holders"):
            return "is a part of a volume group, RAID or mapping; take that apart first"
    points = sorted(point for number, point, _, _ in mounts() if number in numbers)
    if "/" in points or any(point.startswith("/boot") for point in points):
        return "carries the running system; start a wiping system from the network, or destroy the disk"
    with open("/proc/swaps", encoding="ascii") as file:
        swaps = [line.split()[0] for line in file.read().splitlines()[1:]]
    names = [f"/dev/{os.path.basename(part)}" for part in parts]
    if points or set(swaps) & set(names):
        return f"is in use: {points[0] if points else 'swap'}"
    try:
        # The kernel's own word: it knows of users that no list above shows.
        os.close(os.open(disk, os.O_RDWR | os.O_EXCL))
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return "is in use"
    return ""


def size_of(disk: str) -> int:
    """Bytes."""
    handle = os.open(disk, os.O_RDONLY)
    try:
        return os.lseek(handle, 0, os.SEEK_END)
    finally:
        os.close(handle)


def zero_disk(disk: str, size: int) -> None:
    """Zeros over all of it; exclusive, so that nobody can mount it meanwhile."""
    handle = os.open(disk, os.O_WRONLY | os.O_EXCL)
    try:
        fill(handle, 0, size)
        os.fsync(handle)
    finally:
        os.close(handle)


def read_back(disk: str, size: int) -> int:
    """Read the ends and places in between; MiB read.

    Raises:
        OSError: there is something else than zeros.
    """
    handle = os.open(disk, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        last = max(size - BLOCK, 0)
        starts = {0, last, *(random.randint(0, last) for _ in range(SAMPLES))}  # noqa: S311 -- no secret
        for start in sorted(starts):
            check(handle, start, min(start + BLOCK, size), disk)
        return len(starts)
    finally:
        os.close(handle)


def quiet(*words: str) -> bool:
    """Whether a command succeeds; False too where there is no such command."""
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
