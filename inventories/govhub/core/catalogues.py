"""Catalogues of translations: .po files, read as they are."""

from __future__ import annotations

import gettext
import io
from pathlib import Path


def read_catalogue(path: Path, *behind: Path) -> gettext.NullTranslations:
    """The translations of a .po file of Simplified Chinese; what it does not have is looked for in those ``behind`` it.

    Raises:
        OSError: a file is not there.
    """
    found = _read(path)
    for other in behind:
        found.add_fallback(_read(other))
    return found


def _read(path: Path) -> gettext.NullTranslations:
    # Compiled in memory: a compiled file in the tree would have to be kept in step by hand.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
