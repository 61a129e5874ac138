"""Files with secrets: read only when nobody else can read them, and when they are not among what is committed."""

from __future__ import annotations

import stat
from pathlib import Path

from govhub.core.errors import InvalidInput


def read_private(path: Path, hub_folder: Path | None) -> str:
    """The text of a file with a secret, without the line's end.

    Raises:
        InvalidInput: it cannot be read (SEC010), is open to others (SEC011), or stands in the hub folder (SEC012).
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.one("SEC010", f"cannot read the secret file {path}", hint="check the path") from error
    if mode & 0o077:
        raise InvalidInput.one(
            "SEC011", f"the secret file {path} is open to others (mode {mode:o})", hint=f"chmod 600 {path}"
        )
    if hub_folder and path.resolve().is_relative_to(hub_folder.resolve()):
        raise InvalidInput.one(
            "SEC012", f"the secret file {path} is inside the hub folder", hint="keep it outside of version control"
        )
    return text.rstrip("\n")
