"""From the text of a cell to a value of the model: Chinese spellings are understood, nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

Converter = Callable[[str], Any]

_YES = ("yes", "y", "true", "1", "是", "涉密")
_NO = ("no", "n", "false", "0", "否", "非涉密", "不涉密")
_GRADES = {word: number for number, word in enumerate("一二三四五", 1)}
_GRADE = re.compile(r"(?:第|等保)?([1-5一二三四五])级?")
_LEVELS = {
    "省": "province",
    "市": "city",
    "县": "county",
    "区": "county",
    "区县": "county",
    "县区": "county",
    "乡": "township",
    "镇": "township",
    "乡镇": "township",
    "街道": "township",
    "村": "village",
}
_SEPARATORS = re.compile(r"[,;/|\s\u3001]+")
_PLAIN_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_INTEGER = re.compile(r"[0-9]{1,18}")


def text_of(cell: object) -> str:
    """A cell as the text that a person sees: no padding, no ``.0`` that the spreadsheet program does not show."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return " ".join(str(cell).split())


def invisible(text: str) -> str:
    """The first character that nobody can see, as ``U+200B``; empty when there is none."""
    for char in text:
        # Control, format (zero width, direction) and surrogate characters hide differences between equal-looking names.
        if unicodedata.category(char) in ("Cc", "Cf", "Cs") or char in "\ufffe\uffff\ufffd":
            return f"U+{ord(char):04X}"
    return ""


def plain(text: str) -> str:
    """Full-width letters and digits as ordinary ones: input methods produce them unasked."""
    return unicodedata.normalize("NFKC", text).strip()


def title(text: str) -> str:
    """A name for people stays as it was typed."""
    return text


def integer(text: str) -> int | str:
    """A number; anything else is left to the model, which says what it wants."""
    word = plain(text)
    return int(word) if _INTEGER.fullmatch(word) else word


def grade(text: str) -> int | str:
    """``3``, ``三级`` and ``第三级`` as 3."""
    match = _GRADE.fullmatch(plain(text))
    if not match:
        return plain(text)
    return _GRADES.get(match[1]) or int(match[1])


def yes_no(text: str) -> bool:
    """``是`` and ``no`` as booleans.

    Raises:
        ValueError: it is neither yes nor no; whether a system is classified is not guessed.
    """
    word = plain(text).lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("write yes or no (是 or 否)")


def level(text: str) -> str:
    """``市级`` as city; English words pass."""
    word = plain(text).lower()
    return _LEVELS.get(word.removesuffix("级"), word)


def words(text: str) -> list[str]:
    """Several names in one cell, separated as people do: ``prod、test``."""
    return [word for word in _SEPARATORS.split(plain(text)) if word]


def cores(text: str) -> int | str:
    """CPU: a whole number stays a number in the file."""
    return integer(text)


def amount(text: str) -> str:
    """Memory or storage with its unit.

    Raises:
        ValueError: there is no unit; 64 would mean 64 bytes.
    """
    word = plain(text).replace(" ", "")
    if _PLAIN_NUMBER.fullmatch(word):
        raise ValueError(f"{word} has no unit and would mean bytes; write it like {word}Gi")
    return word
