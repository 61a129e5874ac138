"""The terminal: one object owns both output streams, and knows what they can show."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from govhub.cli import i18n
from govhub.core.secrets import REDACTOR

if TYPE_CHECKING:
    from rich.console import Console

# Nothing is folded in logs and pipes: tables are as wide as what they hold, the same on every machine.
LOG_WIDTH = 1000


class Scrubbed:
    """A text stream that passes on nothing secret, and nothing that the stream's encoding cannot hold."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write ``text`` without secrets."""
        clean = REDACTOR(text)
        self._stream.write(clean.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person may be reading."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor, for the window's size."""
        return self._stream.fileno()


@dataclass
class Terminal:
    """What was asked of the output as a whole, decided before anything can fail."""

    json: bool = False
    verbose: bool = False
    plain: bool = False
    """No colour and no other escape sequence."""
    program: str = "govhub"

    @classmethod
    def of(cls, arguments: Sequence[str], environ: Mapping[str, str]) -> Terminal:
        """Look at the command line without parsing it: even a usage error must come out in the right form."""
        words = list(arguments)
        words = words[: words.index("--")] if "--" in words else words
        i18n.use(i18n.chosen(_value_of("--lang", words)))
        return cls(
            json="--json" in words,
            verbose="--verbose" in words or "-v" in words,
            plain="--no-color" in words or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb",
            program=_program(),
        )

    @cached_property
    def out(self) -> Console:
        """Data."""
        return self._console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """Messages, questions and progress."""
        return self._console(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether there is somebody to ask: a question on stderr, an answer on stdin."""
        return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())

    @property
    def live(self) -> bool:
        """Whether lines on stderr may be drawn over."""
        return self.err.is_terminal and not self.err.is_dumb_terminal and not self.plain

    def _console(self, stream: TextIO) -> Console:
        from govhub.cli.views.console import CalmConsole

        return CalmConsole(
            file=Scrubbed(stream),  # type: ignore[arg-type]  # rich only writes, flushes and asks for the terminal
            color_system=None if self.plain else "auto",
            width=None if stream.isatty() else LOG_WIDTH,
            highlight=False,
            markup=False,
            emoji=False,
        )


def _value_of(flag: str, words: Sequence[str]) -> str | None:
    for index, word in enumerate(words):
        if word == flag and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


def _program() -> str:
    """What to type to run us again: from a checkout nothing is on PATH."""
    return "./hub" if sys.argv and sys.argv[0].endswith("__main__.py") else "govhub"
