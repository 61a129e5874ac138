"""Hub folders for tests: the base hub is small and valid, and each test breaks a copy of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from govhub.core.diagnostics import Diagnostic
from govhub.inventory.checks import check_hub
from govhub.inventory.loader import Hub, load

HERE = Path(__file__).parent
BASE = HERE / "base"
TODAY = date(2026, 1, 15)


@dataclass(frozen=True)
class HubFolder:
    """A hub folder that a test may edit."""

    path: Path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace ``old``, which must stand there exactly once."""
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (self.path / file).write_text(text.replace(old, new), encoding="utf-8")

    def hub(self) -> Hub:
        """The loaded hub; the test fails when it does not load."""
        loaded = load(self.path)
        assert loaded.hub is not None, [f"{item.source} {item.summary}" for item in loaded.problems]
        return loaded.hub

    def check(self, today: date = TODAY) -> list[Diagnostic]:
        """What the checks find."""
        return check_hub(self.hub(), today)

    def everything(self) -> list[Diagnostic]:
        """What loading finds and, when the hub loads, what the checks find."""
        return everything(self.path)

    def line(self, diagnostic: Diagnostic) -> str:
        """The text of the line that a diagnostic points at."""
        assert diagnostic.source is not None, diagnostic
        file = self.path.parent / diagnostic.source.file
        return file.read_text(encoding="utf-8").splitlines()[diagnostic.source.line - 1].strip()


def everything(folder: Path) -> list[Diagnostic]:
    """All diagnostics of the hub in ``folder``."""
    loaded = load(folder)
    return [*loaded.problems, *(check_hub(loaded.hub, TODAY) if loaded.hub else [])]
