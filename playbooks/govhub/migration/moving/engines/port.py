"""One database of a move on both its servers, as the steps see it, whatever its engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.protocol import Mover, Progress


class End(StrEnum):
    """Where a database comes from, or where it goes."""

    SOURCE = "source"
    TARGET = "target"


class DatabaseMove(Protocol):
    """A mover, and what a run asks beyond it; errors are :class:`govhub.migration.movers.protocol.MoveFailed`."""

    suffix: str
    """Of its archives' names."""
    offline: bool
    """Whether rows are copied only when nobody writes."""

    @property
    def mover(self) -> Mover:
        """What carries the data."""

    def obstacles(self) -> tuple[list[Diagnostic], list[Diagnostic]]:
        """What has to be put right before a run may begin, and what has to be known; nothing is changed."""

    def carry(self) -> Progress:
        """One turn of a copy that was started; what this process itself carries is through when it returns."""

    def rehearse(self, timeout: float) -> bool:
        """Copy within ``timeout`` seconds what is otherwise copied in the pause; False where nothing is.

        People go on writing meanwhile.
        """

    def begun(self) -> bool:
        """Whether anything of this move is on the target."""

    def noted(self, key: str) -> Any:
        """What was noted on the target; None when nothing was, or nothing is there."""

    def note(self, key: str, value: Any) -> None:
        """Note it unless it is noted; the move has begun."""

    def forget(self, key: str) -> None:
        """Forget a note."""

    def name(self, end: End) -> str:
        """An end as people know it."""

    def size(self) -> int:
        """Bytes of the source."""

    def there(self, end: End) -> bool:
        """Whether the server has the database."""

    def closed(self, end: End) -> bool:
        """Whether nobody but the move can write to the database."""

    def try_writing(self, end: End) -> None:
        """Write something and take it back; an error when that cannot be done."""

    def sessions(self, end: End) -> int:
        """Sessions of others in the database."""

    def clock(self, end: End) -> datetime:
        """What the server's clock says."""

    def free_bytes(self) -> int | None:
        """Bytes that are free on the source's disk where the move has it keep log; None when nobody can say."""

    def held(self) -> int:
        """Bytes of log that the source keeps for the move now."""

    def allowed(self) -> int | None:
        """How many it may keep; None is no limit."""

    def allow(self, limit: int) -> None:
        """Set how many it may keep."""

    def protect(self) -> None:
        """Give up what makes the source keep more log than allowed (MOV051)."""

    def same_rows(self, table: str, keys: Sequence[Mapping[str, Any]]) -> list[bool | None]:
        """Whether rows of the target, which is written to, are those of the source, which follows.

        ``table`` and ``keys`` are as the verification's ladder names them; for each key in turn, None: nobody can say.
        """

    def uncarried(self) -> frozenset[str]:
        """Tables whose rows go over at a cutover, and stay as they were on the side that is left."""

    def archive(self, path: Path) -> dict[str, Any]:
        """Dump the source into a file and read it through; once for each ``path``."""

    def drop_source(self) -> None:
        """Remove the source's database."""

    def close(self) -> None:
        """Let go of the connections."""
