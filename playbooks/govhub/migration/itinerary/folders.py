"""Steps with real effects on one machine: a folder moves to another one, and a link says which of them is in use."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from govhub.core.canonical import digest
from govhub.core.files import write_atomic
from govhub.migration.itinerary.outcome import Done, Failed, Outcome
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.itinerary.trees import (
    contents,
    copy_tree,
    freeze,
    is_frozen,
    point,
    remove_tree,
    set_modes,
    sizes,
    thaw,
)
from govhub.migration.movers.protocol import Progress


@dataclass(frozen=True, slots=True)
class FolderMove:
    """One tree of files that moves."""

    name: str
    source: Path
    target: Path

    @property
    def link(self) -> Path:
        """What users open; it leads to the source until the switch."""
        return self.beside("live")

    def beside(self, word: str) -> Path:
        """A file or folder of ours next to the target."""
        return self.target.with_name(f"{self.target.name}.{word}")

    def goal(self, context: Context) -> Path:
        """Where the copy goes: a rehearsal has a folder of its own."""
        return self.beside("rehearsal") if context.rehearsal else self.target


def folder_progress(move: FolderMove, rehearsal: bool, before: Progress | None) -> Progress:
    """A moment of a folder's copy. What changed since in a file that is there already is not seen in it."""
    at, target = datetime.now(UTC), move.beside("rehearsal") if rehearsal else move.target
    if not move.source.exists():
        return Progress(at=at)
    wanted, there = sizes(move.source), sizes(target)
    done = sum(min(size, wanted[name]) for name, size in there.items() if name in wanted)
    total = sum(wanted.values())
    seconds = (at - before.at).total_seconds() if before else 0.0
    moved = done - before.bytes_done if before and before.bytes_done is not None else 0
    rate = moved / seconds if seconds > 0 and moved >= 0 else None
    left = 0.0 if done == total else (total - done) / rate if rate else None
    parts = sum(name in there for name in wanted)
    return Progress(
        at=at, bytes_done=done, bytes_total=total, parts_done=parts, parts_total=len(wanted), rate=rate, eta=left
    )


Make = Callable[[FolderMove, Context], dict[str, object]]
Look = Callable[[FolderMove, Context], str]


class FolderSteps:
    """Moves folders; see :class:`govhub.migration.itinerary.steps.Steps`."""

    def __init__(self, moves: Sequence[FolderMove]) -> None:
        self._moves = moves

    @property
    def moves(self) -> tuple[FolderMove, ...]:
        """What moves."""
        return tuple(self._moves)

    def progress(self, *, rehearsal: bool, before: Mapping[str, Progress]) -> dict[str, Progress]:
        """How much of each folder is there, by sizes alone; changes nothing."""
        return {move.name: folder_progress(move, rehearsal, before.get(move.name)) for move in self._moves}

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Do the step for every folder."""
        make = _MAKE.get(step)
        if make is None:
            return Done()
        return Done({move.name: make(move, context) for move in self._moves})

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether every folder is as the step wants it."""
        if step is Step.VERIFICATION:
            # The source is in use: what differs by now is a figure. Equality is asked for once writes have stopped.
            return Done({move.name: _seen(move, context) | {"behind": _behind(move, context)} for move in self._moves})
        look = _LOOK.get(step)
        if look is None:
            return Done()
        wrong = {move.name: why for move in self._moves if (why := look(move, context))}
        if wrong:
            return Failed("; ".join(f"{name}: {why}" for name, why in wrong.items()))
        return Done({move.name: _seen(move, context) for move in self._moves})


def _seen(move: FolderMove, context: Context) -> dict[str, object]:
    tree = contents(move.goal(context))
    return {"files": len(tree), "sha256": digest(tree)}


def _apply_for(move: FolderMove, context: Context) -> dict[str, object]:
    """Ask for the room that is needed: once, whoever repeats it."""
    paper = move.beside("applications")
    lines = paper.read_text(encoding="utf-8").splitlines() if paper.exists() else []
    size = sum(path.stat().st_size for path in move.source.rglob("*") if path.is_file())
    if not any(line.startswith(f"{context.key} ") for line in lines):
        move.target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(paper, "\n".join([*lines, f"{context.key} {size}"]) + "\n")
    return {"bytes": size}


def _make_target(move: FolderMove, context: Context) -> dict[str, object]:
    move.goal(context).mkdir(parents=True, exist_ok=True)
    if not context.rehearsal and not move.link.is_symlink():
        point(move.link, move.source)
    return {"folder": str(move.goal(context))}


def _back_up(move: FolderMove, _: Context) -> dict[str, object]:
    return _packed(move, "backup.tar", "backup.part", "w")


def _copy(move: FolderMove, context: Context) -> dict[str, object]:
    return {"written_bytes": copy_tree(move.source, move.goal(context))}


def _copy_back(move: FolderMove, _: Context) -> dict[str, object]:
    thaw(move.source, move.beside("source-modes"))
    written = copy_tree(move.target, move.source)
    set_modes(move.source, move.beside("target-modes"))
    return {"written_bytes": written}


def _freeze_source(move: FolderMove, _: Context) -> dict[str, object]:
    freeze(move.source, move.beside("source-modes"))
    return {"frozen": str(move.source)}


def _freeze_target(move: FolderMove, _: Context) -> dict[str, object]:
    freeze(move.target, move.beside("target-modes"))
    return {"frozen": str(move.target)}


def _thaw_source(move: FolderMove, _: Context) -> dict[str, object]:
    thaw(move.source, move.beside("source-modes"))
    return {"writable": str(move.source)}


def _thaw_target(move: FolderMove, _: Context) -> dict[str, object]:
    thaw(move.target, move.beside("target-modes"))
    return {"writable": str(move.target)}


def _switch(move: FolderMove, _: Context) -> dict[str, object]:
    # A copy of a frozen folder is frozen; users write to it from now on.
    set_modes(move.target, move.beside("source-modes"))
    point(move.link, move.target)
    return {"link": str(move.link), "to": str(move.target)}


def _switch_back(move: FolderMove, _: Context) -> dict[str, object]:
    point(move.link, move.source)
    thaw(move.target, move.beside("target-modes"))
    return {"link": str(move.link), "to": str(move.source)}


def _remove_target(move: FolderMove, _: Context) -> dict[str, object]:
    if move.link.is_symlink() and move.link.readlink() == move.target:
        point(move.link, move.source)
    remove_tree(move.target)
    # What is cancelled may have been a rehearsal.
    remove_tree(move.beside("rehearsal"))
    move.beside("backup.tar").unlink(missing_ok=True)
    return {"removed": str(move.target)}


def _remove_rehearsal(move: FolderMove, _: Context) -> dict[str, object]:
    remove_tree(move.beside("rehearsal"))
    return {"removed": str(move.beside("rehearsal"))}


def _archive(move: FolderMove, _: Context) -> dict[str, object]:
    return _packed(move, "archive.tar.gz", "archive.part", "w:gz")


def _packed(move: FolderMove, name: str, part: str, mode: Literal["w", "w:gz"]) -> dict[str, object]:
    """The source as one file, which is there whole or not at all."""
    archive, scratch = move.beside(name), move.beside(part)
    if not archive.exists():
        with tarfile.open(scratch, mode) as out:
            out.add(move.source, arcname=move.source.name)
        scratch.replace(archive)
    return {"archive": str(archive), "bytes": archive.stat().st_size}


def _wipe(move: FolderMove, _: Context) -> dict[str, object]:
    remove_tree(move.source)
    move.beside("source-modes").unlink(missing_ok=True)
    return {"removed": str(move.source)}


def _equal(move: FolderMove, context: Context) -> str:
    differing = _differing(move, context)
    return f"{len(differing)} files differ, first {differing[0]}" if differing else ""


def _behind(move: FolderMove, context: Context) -> int:
    return len(_differing(move, context))


def _differing(move: FolderMove, context: Context) -> list[str]:
    left, right = contents(move.source), contents(move.goal(context))
    return sorted(name for name in set(left) | set(right) if left.get(name) != right.get(name))


def _leads_to(move: FolderMove, to: Path) -> str:
    return "" if move.link.is_symlink() and move.link.readlink() == to else f"{move.link} does not lead to {to}"


_MAKE: Mapping[Step, Make] = {
    Step.APPLICATION: _apply_for,
    Step.TARGET: _make_target,
    Step.BACKUP: _back_up,
    Step.FILE_COPY: _copy,
    Step.WRITES_STOPPED: _freeze_source,
    Step.DRAINED: _copy,
    Step.SWITCHED: _switch,
    Step.REHEARSAL_REMOVED: _remove_rehearsal,
    Step.WRITES_ALLOWED: _thaw_source,
    Step.TARGET_REMOVED: _remove_target,
    Step.TARGET_WRITES_STOPPED: _freeze_target,
    Step.TARGET_WRITES_ALLOWED: _thaw_target,
    Step.REVERSE_DRAINED: _copy_back,
    Step.SWITCHED_BACK: _switch_back,
    Step.ARCHIVE: _archive,
    Step.WIPED: _wipe,
}
_LOOK: Mapping[Step, Look] = {
    Step.TARGET: lambda move, context: "" if move.goal(context).is_dir() else "the folder is not there",
    Step.BACKUP: lambda move, _: "" if tarfile.is_tarfile(move.beside("backup.tar")) else "the backup is damaged",
    Step.WRITES_STOPPED: lambda move, _: "" if is_frozen(move.source) else "the source can be written to",
    Step.TARGET_WRITES_STOPPED: lambda move, _: "" if is_frozen(move.target) else "the target can be written to",
    Step.FINAL_VERIFICATION: _equal,
    Step.REVERSE_VERIFICATION: _equal,
    Step.SWITCHED: lambda move, _: _leads_to(move, move.target),
    Step.SWITCHED_BACK: lambda move, _: _leads_to(move, move.source),
    Step.SERVICE_TEST: lambda move, context: (
        "" if context.rehearsal or any(move.link.resolve().iterdir()) else "users see an empty folder"
    ),
    Step.TARGET_REMOVED: lambda move, _: "the target is still there" if move.target.exists() else "",
    Step.REHEARSAL_REMOVED: lambda move, _: "the copy is still there" if move.beside("rehearsal").exists() else "",
    Step.ARCHIVE: lambda move, _: "" if tarfile.is_tarfile(move.beside("archive.tar.gz")) else "damaged archive",
    Step.WIPED: lambda move, _: "the source is still there" if move.source.exists() else "",
}
