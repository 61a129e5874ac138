"""English and Simplified Chinese: message ids are the English texts, looked up through gettext.

Translated are the fixed words of the human views. Identifiers, diagnostics, JSON and exit codes stay as they
are: scripts and search engines read those.
"""

from __future__ import annotations

import gettext
import io
import os
from pathlib import Path

from govhub.core.settings import Env

LANGUAGES = ("en", "zh")
CATALOGUE = Path(__file__).with_name("locale") / "zh_CN.po"


class _Current:
    """The catalogue in use; one process speaks one language."""

    language = "en"
    catalogue = gettext.NullTranslations()


def use(language: str) -> None:
    """Speak ``language`` from now on; anything but Chinese is English."""
    _Current.language = "zh" if language == "zh" else "en"
    _Current.catalogue = _load(CATALOGUE) if _Current.language == "zh" else gettext.NullTranslations()


def tr(text: str) -> str:
    """``text`` in the language in use."""
    return _Current.catalogue.gettext(text)


def trn(one: str, many: str, count: int) -> str:
    """The form for ``count``, with ``{count}`` filled in."""
    return _Current.catalogue.ngettext(one, many, count).format(count=f"{count:,}")


def chosen(flag: str | None) -> str:
    """The language: ``--lang``, else GOVHUB_LANG, else what the locale variables say in POSIX order."""
    names = (Env.LANG, "LC_ALL", "LC_MESSAGES", "LANG")
    value = flag or next((found for name in names if (found := os.environ.get(name))), "")
    return "zh" if value.lower().startswith("zh") else "en"


def _load(path: Path) -> gettext.NullTranslations:
    # Compiled in memory: a compiled file in the tree would have to be kept in step by hand.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
