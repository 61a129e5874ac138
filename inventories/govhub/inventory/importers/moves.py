"""From the text of a cell to a value of a migration: dates, days, ties between systems."""

from __future__ import annotations

import re
from typing import Any

from govhub.inventory.importers.values import plain, words

_STRATEGIES = {
    "rehost": ("平移", "直接迁移", "重新托管", "整机迁移"),
    "replatform": ("改造", "平台改造", "适配改造", "云化改造"),
    "retain": ("保留", "不迁移", "暂不迁移"),
    "retire": ("下线", "退役", "停用", "关停"),
}
_KINDS = {
    "postgresql": ("postgres", "pg"),
    "files": ("文件", "目录", "文件目录", "file"),
    "application": ("应用", "应用程序", "app"),
}
_TIES = {"data": ("数据",), "server": ("服务器", "主机"), "call": ("调用", "接口")}
_STRONG = ("strong", "强")
_DAYS = dict(zip("一二三四五六日", ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), strict=True)) | {"天": "sun"}
_DAY = re.compile(r"(?:周|星期|礼拜)([一二三四五六日天])")
_DATE = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:T00:00:00)?")
_SPAN = re.compile(
    r"([0-9]{1,2})[-/.月]([0-9]{1,2})日?\s*(?:~|至|到|–|—)\s*([0-9]{1,2})[-/.月]([0-9]{1,2})日?\s+(\S.*)"
)
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


def strategy(text: str) -> str:
    """``平移`` as rehost; English words pass."""
    return _word(text, _STRATEGIES)


def kind(text: str) -> str:
    """``文件`` as files; MySQL is left to the model, which says that it is none of ours."""
    return _word(text, _KINDS)


def days(text: str) -> list[str]:
    """``周五、周六`` as fri and sat."""
    return [_DAYS[found[1]] if (found := _DAY.fullmatch(word)) else word.lower()[:3] for word in words(text)]


def day(text: str) -> str:
    """A date as ISO 8601, from what spreadsheets show.

    Raises:
        ValueError: it is no date with a year.
    """
    if found := _DATE.fullmatch(plain(text)):
        return f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}"
    raise ValueError("write the date like 2026-09-01")


def clock(text: str) -> str:
    """A time of day with two digits for the hour; a spreadsheet's seconds are dropped."""
    found = _CLOCK.fullmatch(plain(text))
    return f"{int(found[1]):02d}:{found[2]}" if found else plain(text)


def number(text: str) -> float | int | str:
    """A number; anything else is left to the model."""
    word = plain(text)
    if not _NUMBER.fullmatch(word):
        return word
    value = float(word)
    return int(value) if value.is_integer() else value


def busy(text: str) -> list[dict[str, str]]:
    """``12-20~01-10 年终决算; 08-15~09-05 招生``.

    Raises:
        ValueError: a part is no span of days with a reason.
    """
    out = []
    for part in filter(None, (part.strip() for part in re.split(r"[;；]", text))):
        found = _SPAN.fullmatch(plain(part))
        if not found:
            raise ValueError(f'"{part[:40]}" is not like 12-20~01-10 year-end closing')
        first, last = (f"{int(found[at]):02d}-{int(found[at + 1]):02d}" for at in (1, 3))
        out.append({"first": first, "last": last, "reason": found[5]})
    return out


def dependencies(text: str) -> list[dict[str, Any]]:
    """``welfare:call、tax:data:strong`` as ties; a name alone is a call."""
    out: list[dict[str, Any]] = []
    for item in words(text):
        system, *more = item.split(":")
        tie: dict[str, Any] = {"system": system, "kind": _word(more[0], _TIES) if more else "call"}
        if len(more) > 1:
            if more[1].lower() not in _STRONG or more[2:]:
                raise ValueError(f'"{item[:60]}" is not like tax:data:strong')
            tie["strong"] = True
        out.append(tie)
    return out


def _word(text: str, known: dict[str, tuple[str, ...]]) -> str:
    word = plain(text).lower()
    return next((name for name, spellings in known.items() if word in spellings), word)
