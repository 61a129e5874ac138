"""Listings of file trees: made on a host by ``find`` and ``sha256sum``, read here byte by byte.

A listing is a stream of records that end with NUL, so names may hold newlines and bytes of no encoding::

    govhub-tree/1
    <type> TAB <size> TAB <mode> TAB <uid> TAB <gid> TAB <mtime> TAB <path>      one for each entry, from find
    <empty>
    <path>, <target of the link>                                                 two for each symbolic link
    <empty>
    <sha256> SP SP <path>                                                        one for each file, from sha256sum
    <empty>
    <path>, <text of getfattr>                                                   two for each entry, with getfattr
    end

Without ``end`` the listing was cut off, and is refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from govhub.core.errors import InvalidInput

HEAD = b"govhub-tree/1"
# Run with the folder as working directory: sh -c "$LIST_TREE". GNU find and coreutils; getfattr if it is there.
LIST_TREE = r"""set -e
export LC_ALL=C
printf 'govhub-tree/1\0'
find . -printf '%y\t%s\t%m\t%U\t%G\t%T@\t%P\0'
printf '\0'
find . -type l -printf '%P\0%l\0'
printf '\0'
find . -type f -print0 | xargs -0 -r sha256sum --zero --
printf '\0'
if command -v getfattr >/dev/null 2>&1; then
  find . ! -type l -exec sh -c 'for entry do
    printf "%s\0" "$entry"; getfattr --absolute-names -d -m - -e hex -- "$entry" | sed -n "/^[^#]/p" | sort; printf "\0"
  done' sh {} +
else printf 'no-xattrs\0'; fi
printf 'end\0'
"""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or link; ``path`` is relative, in bytes as the file system has them."""

    path: bytes
    type: str
    size: int
    mode: str
    owner: tuple[int, int]
    mtime: str
    link: bytes | None = None
    sha256: str | None = None
    xattrs: bytes | None = None


@dataclass(slots=True)
class Listing:
    """A whole tree; ``xattrs`` says whether extended attributes were listed."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    xattrs: bool = False


def read_listing(path: Path) -> Listing:
    """The listing in a file.

    Raises:
        InvalidInput: it is none, it is damaged, or it was cut off.
    """
    with path.open("rb") as file:
        return parse_listing(_records(file), str(path))


def parse_listing(records: Iterator[bytes], name: str) -> Listing:
    """A listing from its records; see :func:`read_listing`."""
    try:
        if next(records) != HEAD:
            raise _damaged(name, "it does not begin as one")
        found = Listing()
        plain = [_entry(record) for record in _part(records)]
        links = dict(_pairs(_part(records)))
        sums = {record[66:].removeprefix(b"./"): record[:64].decode() for record in _part(records)}
        attributes: dict[bytes, bytes] = {}
        first = next(records)
        if first == b"no-xattrs":
            first = next(records)
        else:
            found.xattrs = True
            while first != b"end":
                attributes[_relative(first)] = next(records)
                first = next(records)
        if first != b"end":
            raise _damaged(name, "it was cut off")
    except StopIteration:
        raise _damaged(name, "it was cut off") from None
    except (ValueError, IndexError) as error:
        raise _damaged(name, "a record of it cannot be read") from error
    for entry in plain:
        extra = Entry(
            entry.path,
            entry.type,
            entry.size,
            entry.mode,
            entry.owner,
            entry.mtime,
            links.get(entry.path),
            sums.get(entry.path),
            attributes.get(entry.path, b"") if found.xattrs else None,
        )
        found.entries[entry.path] = extra
    return found


def _records(file: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def _part(records: Iterator[bytes]) -> Iterator[bytes]:
    """Up to the empty record; find's own folder has an empty path, but no empty record."""
    while record := next_or_cut(records):
        yield record


def next_or_cut(records: Iterator[bytes]) -> bytes:
    """The next record; ValueError where there is none, since a generator may not end with StopIteration."""
    with contextlib.suppress(StopIteration):
        return next(records)
    raise ValueError("cut off")


def _entry(record: bytes) -> Entry:
    kind, size, mode, user, group, mtime, path = record.split(b"\t", 6)
    return Entry(path, kind.decode(), int(size), mode.decode(), (int(user), int(group)), mtime.decode())


def _pairs(records: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for path in records:
        yield path, next_or_cut(records)


def _relative(path: bytes) -> bytes:
    return b"" if path == b"." else path.removeprefix(b"./")


def _damaged(name: str, why: str) -> InvalidInput:
    hint = "list the tree again with the script of the guide, and wait for its end"
    return InvalidInput.one("VER006", f"{name} is no whole listing of a tree: {why}", hint=hint)
