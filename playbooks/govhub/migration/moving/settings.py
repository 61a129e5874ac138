"""The text of an application's settings file: which database server it names, and the same text naming another one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govhub.core.errors import InvalidInput

_HINT = "the file has to have the key in exactly one line such as KEY=value or key: value; comments do not count"


def values(text: str, keys: Mapping[str, str], where: str) -> dict[str, str]:
    """What is set now, by the names of ``keys``.

    Args:
        text: The file's content.
        keys: Keys of the file by what they stand for: ``host`` and ``port``.
        where: The file, for messages.

    Raises:
        InvalidInput: a key is not there, or more than once (RUN030).
    """
    return {name: _line(text, key, where)["value"] for name, key in keys.items()}


def with_values(text: str, keys: Mapping[str, str], wanted: Mapping[str, str], where: str) -> str:
    """The same text with other values; everything else stays as it was, quotes and comments too.

    Raises:
        InvalidInput: a key is not there, or more than once (RUN030).
    """
    for name, key in keys.items():
        found = _line(text, key, where)
        text = text[: found.start("value")] + wanted[name] + text[found.end("value") :]
    return text


def _line(text: str, key: str, where: str) -> re.Match[str]:
    pattern = (
        rf"^[ \t]*(?:export[ \t]+)?(?P<key_quote>[\"']?){re.escape(key)}(?P=key_quote)[ \t]*[=:][ \t]*"
        r"(?P<quote>[\"']?)(?P<value>[^\"'\s#,;]*)(?P=quote)(?=[ \t\r]*[,;]?[ \t\r]*(?:#.*)?$)"
    )
    found = list(re.finditer(pattern, text, re.MULTILINE))
    if len(found) != 1:
        how_often = f"{len(found)} times" if found else "nowhere"
        raise InvalidInput.one("RUN030", f"{where} sets {key} {how_often}", hint=_HINT)
    return found[0]
