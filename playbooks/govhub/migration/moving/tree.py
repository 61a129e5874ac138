"""One file tree of a system on two hosts: its mover, its listings and its archives, for the functions of the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from govhub.migration.movers.files import rsync
from govhub.migration.movers.files.mover import FileMover, Options
from govhub.migration.movers.files.notes import Notes
from govhub.migration.movers.files.rsync import Place
from govhub.migration.movers.protocol import UNLIMITED, Limits
from govhub.migration.movers.runner import Command, Runner
from govhub.migration.moving import archive
from govhub.migration.moving.part import STOPPED
from govhub.migration.verify.listing import LIST_TREE
from govhub.migration.verify.trees import compare_listings

Places = Callable[[], tuple[Place, Place]]
HOW = "tar with owners, access lists and attributes, compressed and read through to its end"
# 1 is "a file changed as it was read": what a tree in use does.
_PACK = 'cd "$2" && tar --numeric-owner --acls --xattrs -cf - . || { code=$?; [ "$code" = "$1" ] || exit "$code"; }'


class Tree:
    """Nothing is contacted before it is needed."""

    def __init__(
        self,
        move: str,
        name: str,
        places: Places,
        archives: Path,
        runner: Runner,
        close: Callable[[], None],
        limits: Limits = UNLIMITED,
    ) -> None:
        """Remember what the move needs.

        Args:
            move: As the hub's files call it; evidence stands under this name.
            name: As the target's host is to call it.
            places: The source and the target, reached when it is called.
            archives: A private folder on this machine.
            runner: Where rsync is started, or led through.
            close: Lets go of both hosts.
            limits: What may be taken of the source.
        """
        self._limits = limits
        self.move, self._name, self._places, self.archives, self.runner = move, name, places, archives, runner
        self._close = close
        self._notes: dict[bool, Notes] = {}

    def mover(self, *, rehearsal: bool) -> FileMover:
        """What carries the files; a rehearsal has a folder of its own beside the target."""
        source, target = self._places()
        if rehearsal:
            target = replace(target, path=f"{target.path}.rehearsal")
        name = f"{self._name}-r" if rehearsal else self._name
        if rehearsal not in self._notes:
            self._notes[rehearsal] = Notes(name, target, self.runner, kept=True)
        return FileMover(name, source, target, self.runner, Options(limits=self._limits), notes=self._notes[rehearsal])

    def begin(self) -> None:
        """A step begins: what is noted on the target is read anew, and once."""
        self._notes.clear()

    def file(self, word: str, run: str) -> Path:
        """An archive of one run."""
        return self.archives / f"{run}-{self.move}-{word}.tar.gz"

    def size(self) -> int:
        """Bytes of the source."""
        return rsync.sizes(self.runner, self._places()[0])[b""]

    def there(self) -> bool:
        """Whether the source's folder is there.

        Raises:
            MoveFailed: its host does not answer (MOV201).
        """
        source, _ = self._places()
        said = rsync.ask(self.runner, source, "sh", "-c", 'test -d "$1" && echo yes || echo no', "sh", source.path)
        return said.output.strip() == b"yes"

    def remove_source(self) -> None:
        """Remove the source's folder with all that is in it."""
        source, _ = self._places()
        rsync.ask(self.runner, source, "rm", "-rf", "--one-file-system", source.path)

    def compare(self, *, back: bool) -> dict[str, Any]:
        """The document of a verification by listings of both sides, contents included; ``back``: the other way."""
        folder = self.runner.folder(f"{self._name}-listings")
        try:
            found = []
            for name, place in zip(("source", "target"), self._places(), strict=True):
                path = folder / name
                command = place.command("sh", "-c", f'cd "$1"\n{LIST_TREE}', "sh", place.path)
                archive.run(self.runner, _into(command, path, "cat"))
                found.append(self.runner.brought(path))
            return compare_listings(*(reversed(found) if back else found), times=True)
        finally:
            self.runner.forget(f"{self._name}-listings")

    def archive(self, path: Path, *, in_use: bool) -> dict[str, Any]:
        """Pack the source into a file on this machine and read it through; once for each ``path``."""
        source, _ = self._places()

        def write(scratch: Path) -> dict[str, Any]:
            command = source.command("sh", "-c", _PACK, "sh", "1" if in_use else "0", source.path)
            archive.run(self.runner, _into(command, scratch, "gzip -1"))
            return {"entries": self._entries(scratch)}

        return archive.make(self.runner, path, HOW, write)

    def stopped_since(self) -> datetime | None:
        """When writes were stopped for a cutover that is not through."""
        self.begin()
        mover = self.mover(rehearsal=False)
        if not mover.begun() or mover.moved():
            return None
        found = mover.noted(STOPPED)
        return datetime.fromisoformat(found) if found else None

    def _entries(self, path: Path) -> int:
        listed = Command(arguments=("tar", "-tzf", str(path)), then=Command(arguments=("wc", "-l")))
        return int(archive.run(self.runner, listed))

    def close(self) -> None:
        """Let go of both hosts."""
        self._close()


def _into(command: Command, path: Path, how: str) -> Command:
    then = Command(arguments=("sh", "-c", f'exec {how} > "$1"', "sh", str(path)))
    return replace(command, then=then)
