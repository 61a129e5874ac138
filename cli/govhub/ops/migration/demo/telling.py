"""``demo migrate`` as a use case: the place is made, the story told, everything taken down again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from govhub.core.settings import home
from govhub.ops.migration.demo.place import HUB, place
from govhub.ops.migration.demo.story import Story, Told


def demo_migrate(say: Callable[[str], None], listener: Callable[[Told], None]) -> dict[str, Any]:
    """Tell the story in the lab of this machine; only the dossiers stay.

    Args:
        say: Told what goes on within a step.
        listener: Told each step that is through.

    Raises:
        ToolMissing: not root, or the lab's tools are not installed.
        GovhubError: the story went otherwise (DEM001), or a step failed; everything is taken down.
    """
    base = home() / "demo"
    papers = base / "dossiers"
    with place(base / "migrate") as found:
        shutil.rmtree(papers, ignore_errors=True)
        story = Story(found, papers, say, listener)
        story.tell()
        begun = time.monotonic()
    story.steps.append(Told(step="down", seconds=time.monotonic() - begun))
    listener(story.steps[-1])
    return document_of(story.steps, papers)


def document_of(steps: Sequence[Told], papers: Path) -> dict[str, Any]:
    """The JSON form of a story that is told; the dossiers stay in ``papers``."""
    return {
        "schema": "govhub.demo-migrate/1",
        "hub": HUB,
        "steps": [
            {"step": item.step, "about": item.about, "seconds": round(item.seconds, 2), "facts": item.facts}
            for item in steps
        ],
        "seconds": round(sum(item.seconds for item in steps), 2),
        "dossiers": str(papers),
    }
