"""English and Simplified Chinese: message ids are the English texts, looked up through gettext.

Translated are the fixed words of the human views. Identifiers, diagnostics, JSON and exit codes stay as they
are: scripts and search engines read those.
"""

from __future__ import annotations

import contextlib
import gettext
import os
from pathlib import Path

from govhub.core.catalogues import read_catalogue
from govhub.core.errors import GovhubError
from govhub.core.settings import Env, value_of
from govhub.monitoring import words

LANGUAGES = ("en", "zh")
CATALOGUE = Path(__file__).with_name("locale") / "zh_CN.po"


class _Current:
    """The catalogue in use; one process speaks one language."""

    catalogue = gettext.NullTranslations()
    language = "en"


def use(language: str) -> None:
    """Speak ``language`` from now on; anything but Chinese is English."""
    _Current.catalogue = gettext.NullTranslations()
    _Current.language = language if language in LANGUAGES else "en"
    if language == "zh":
        # Rather English than nothing: a broken installation must not keep anybody from `up`.
        with contextlib.suppress(ImportError, OSError):
            _Current.catalogue = read_catalogue(CATALOGUE, words.CATALOGUE)


def language() -> str:
    """The language in use, for texts that come in both."""
    return _Current.language


def tr(text: str) -> str:
    """``text`` in the language in use."""
    return _Current.catalogue.gettext(text)


def trn(one: str, many: str, count: int) -> str:
    """The form for ``count``, with ``{count}`` filled in."""
    return _Current.catalogue.ngettext(one, many, count).format(count=f"{count:,}")


def chosen(flag: str | None) -> str:
    """The language: ``--lang``, else GOVHUB_LANG or the user file, else the locale variables in POSIX order."""
    value = flag or ""
    # A damaged user file is reported by the command that needs it, in whatever language there is.
    with contextlib.suppress(GovhubError):
        value = value or value_of(Env.LANG)
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    value = value or next((found for name in names if (found := os.environ.get(name))), "")
    return "zh" if value.lower().startswith("zh") else "en"
