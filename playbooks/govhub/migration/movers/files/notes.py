"""What has to be remembered of a move of files: a file beside the target, where the next controller finds it."""

from __future__ import annotations

import json
from typing import Any

from govhub.migration.movers.files import rsync
from govhub.migration.movers.files.rsync import Place
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Runner

_WRITE = 'cat > "$1.new" && mv "$1.new" "$1"'


class Notes:
    """Keys and values (JSON) of one move."""

    def __init__(self, move: str, target: Place, runner: Runner, *, kept: bool = False) -> None:
        """Nothing is contacted yet.

        Args:
            move: The move's name; notes of another one are never taken for its own.
            target: The folder.
            runner: What reaches it.
            kept: Read the file once until :meth:`afresh`. For one step of one worker, which alone writes then: a look
                at it is a command on the target's host, and a step needs the notes many times.
        """
        self._move, self._target, self._runner, self._kept = move, target, runner, kept
        self._read: dict[str, Any] | None = None

    def all(self) -> dict[str, Any]:
        """What is noted; empty when nothing is.

        Raises:
            MoveFailed: the folder belongs to another move (MOV204), or its host does not answer (MOV201).
        """
        if self._read is None or not self._kept:
            self._read = self._look()
        return self._read

    def set(self, **changes: Any) -> None:
        """Note something beside what is noted."""
        state = {"move": self._move, **self.all(), **changes}
        # Whether it was written is unknown when that fails.
        self._read = None
        rsync.ask(self._runner, self._target, "sh", "-c", _WRITE, "sh", self._file, stdin=json.dumps(state).encode())
        self._read = state

    def remove(self) -> None:
        """Forget everything."""
        self._read = None
        rsync.ask(self._runner, self._target, "rm", "-f", self._file)

    def afresh(self) -> None:
        """Look again the next time."""
        self._read = None

    @property
    def _file(self) -> str:
        """Beside the folder, on the target: in it, it would be one of its files."""
        parent, _, name = self._target.path.rpartition("/")
        return f"{parent}/.{name}.govhub-move"

    def _look(self) -> dict[str, Any]:
        done = self._runner.run(self._target.command("cat", self._file))
        if done.code:
            rsync.ask(self._runner, self._target, "test", "!", "-e", self._file)
            return {}
        state: dict[str, Any] = json.loads(done.output)
        if state["move"] != self._move:
            raise MoveFailed.one(
                "MOV204", f"the folder {self._target} belongs to the move {state['move']}", hint="name another folder"
            )
        return state
