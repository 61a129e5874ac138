"""English and Simplified Chinese, request by request; message ids are the English texts."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from govhub.core.catalogues import read_catalogue
from govhub.monitoring import words

LANGUAGES = {"en": "English", "zh": "中文"}
CATALOGUE = Path(__file__).with_name("locale") / "zh_CN.po"


def tr(text: str) -> str:
    """Marks a text that is looked up later, when the reader's language is known."""
    return text


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of a language; anything but Chinese is English."""
    return read_catalogue(CATALOGUE, words.CATALOGUE) if language == "zh" else gettext.NullTranslations()


def chosen(query: str | None, cookie: str | None, accepted: str) -> str:
    """The language of a request: ``?lang``, else the cookie, else the best of ``Accept-Language``."""
    for value in (query, cookie):
        if value in LANGUAGES:
            return value
    return _accepted(accepted)


def _accepted(header: str) -> str:
    """The first known language by weight (RFC 9110, 12.5.4); English when none is."""
    weights: dict[str, float] = {}
    for part in header[:200].split(","):
        name, _, weight = part.strip().partition(";q=")
        language = name.partition("-")[0].lower()
        if language in LANGUAGES and language not in weights:
            weights[language] = _weight(weight)
    return max(weights, key=lambda language: weights[language], default="en")


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0


def titled(titles: Mapping[str, str | None] | None, language: str, name: str) -> str:
    """A title that comes in both languages; the name where there is none."""
    found = titles or {}
    return found.get(language) or found.get("en") or found.get("zh") or name
