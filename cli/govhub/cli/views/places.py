"""Where a diagnostic's file is in the repository: code hosts want paths from its root."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from govhub.core import settings


def repository_path(file: str, hubs: Iterable[str]) -> str:
    """``file`` (relative to the hub's parent folder) as a path from the working folder, when it is below it."""
    parents = [Path(hub).parent for hub in hubs if os.sep in hub or Path(hub).is_dir()]
    here = Path.cwd()
    for parent in [*parents, settings.inventories()]:
        path = (parent / file).absolute()
        if path.is_file() and path.is_relative_to(here):
            return path.relative_to(here).as_posix()
    return file
