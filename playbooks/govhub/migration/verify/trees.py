"""Two file trees by their listings: every path with its type, size, mode, owner, link, attributes and content."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.migration.verify.listing import Entry, Listing, read_listing
from govhub.migration.verify.result import SCHEMA, Verdict, sealed


def compare_listings(source: Path, target: Path, *, times: bool = False, named: int = 100) -> dict[str, Any]:
    """The document ``govhub.verification/1`` of two listings.

    Args:
        source: A file with the source's listing.
        target: The target's.
        times: Compare times of modification too, of files and links.
        named: Differing paths to name at most.

    Raises:
        InvalidInput: one of them is no whole listing.
    """
    started = datetime.now(UTC)
    left, right = read_listing(source), read_listing(target)
    found, counts = compare(left, right, times=times, named=named)
    unread = sum(1 for side in (left, right) for item in side.entries.values() if item.type == "f" and not item.sha256)
    reasons = [f"{unread:,} files have no digest: they could not be read"] if unread else []
    if len(left.entries) <= 1:
        reasons.append("the source's tree is empty: there is nothing to verify")
    verdict = Verdict.DIFFERS if counts else Verdict.UNVERIFIED if reasons else Verdict.PASS
    not_covered = [] if times else ["times of modification"]
    if not (left.xattrs and right.xattrs):
        not_covered.append("extended attributes and access lists: getfattr is not on both hosts")
    files = [item for item in left.entries.values() if item.type == "f"]
    return sealed(
        {
            "schema": SCHEMA,
            "verdict": verdict.value,
            "kind": "files",
            "source": {"listing": source.name, "entries": len(left.entries)},
            "target": {"listing": target.name, "entries": len(right.entries)},
            "started": started.isoformat(timespec="milliseconds"),
            "found": counts,
            "differences": found,
            "reasons": reasons,
            "coverage": {
                "entries": len(left.entries),
                "files": len(files),
                "files_with_digest": sum(1 for item in files if item.sha256),
                "bytes": sum(item.size for item in files),
            },
            "not_covered": not_covered,
        }
    )


def compare(
    source: Listing, target: Listing, *, times: bool, named: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The first ``named`` differences in the order of the paths, and how many there are of each kind."""
    found: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    attributes = source.xattrs and target.xattrs
    for path in sorted(source.entries.keys() | target.entries.keys()):
        left, right = source.entries.get(path), target.entries.get(path)
        what: list[str] = []
        if left is None or right is None:
            kind = "missing" if right is None else "extra"
        else:
            what, kind = _differing(left, right, times=times, attributes=attributes), "changed"
            if not what:
                continue
        counts[kind] = counts.get(kind, 0) + 1
        if len(found) < named:
            found.append({"kind": kind, "path": shown(path), "what": what})
    return found, counts


def shown(path: bytes) -> str:
    r"""A path that can be printed and turned back: bytes of no UTF-8, controls and backslashes as ``\xNN``."""
    text = path.decode("utf-8", "surrogateescape")
    out = []
    for letter in text:
        if 0xDC80 <= ord(letter) <= 0xDCFF:
            out.append(f"\\x{ord(letter) - 0xDC00:02x}")
        elif letter == "\\" or not letter.isprintable():
            out += [f"\\x{byte:02x}" for byte in letter.encode()]
        else:
            out.append(letter)
    return "".join(out) or "."


def _differing(left: Entry, right: Entry, *, times: bool, attributes: bool) -> list[str]:
    fields = ["type", "mode", "owner", "link", "sha256"]
    # A folder's size is the file system's own affair.
    fields += ["size"] if "d" not in (left.type, right.type) else []
    fields += ["xattrs"] if attributes else []
    fields += ["mtime"] if times and left.type != "d" else []
    # Nothing depends on the mode of a link, and file systems differ in what they say.
    fields = [name for name in fields if name != "mode" or left.type != "l"]
    return sorted(name for name in fields if getattr(left, name) != getattr(right, name))
