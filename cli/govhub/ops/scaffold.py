"""``init``: a new hub that validates."""

from __future__ import annotations

from pathlib import Path

from govhub.core.settings import inventories
from govhub.inventory import scaffold


def init_hub(name: str, folder: Path | None = None) -> list[Path]:
    """Write a small hub under the inventories folder, or into ``folder``.

    Raises:
        InvalidInput: the name is not usable, or the folder is not empty.
    """
    return scaffold.init_hub(folder or inventories() / name, name)
