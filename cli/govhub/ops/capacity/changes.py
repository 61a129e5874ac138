"""What changed between two reports of a hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

Document = dict[str, Any]
SHIFT = 7
"""Days that a date has to move: forecasts move a little every day."""


def changes(before: Document, after: Document) -> list[Document]:
    """The differences, by what they are of: halls, figures, forecasts. Each has ``what``, ``place``, before and after.

    An earlier report may lack parts that this version writes, or have them in another form; what cannot be compared is
    left out, never guessed.
    """
    found = [*_halls(before, after), *_figures(before, after), *_forecasts(before, after)]
    return sorted(found, key=lambda item: (ORDER.index(item["what"]), item["place"], item["resource"]))


ORDER = ("appeared", "gone", "status", "runs-out", "binding", "room", "figure")


def _halls(before: Document, after: Document) -> Iterator[Document]:
    for name, old, new in _pairs(before.get("halls"), after["halls"], lambda item: str(item["hall"])):
        if old is None or new is None:
            yield _change("gone" if new is None else "appeared", name, "hall", None, None)
            continue
        was, now = old.get("binding") or {}, new.get("binding") or {}
        if was.get("resource") != now.get("resource"):
            yield _change("binding", name, "", was.get("resource"), now.get("resource"))
        if was.get("servers") != now.get("servers"):
            yield _change("room", name, "servers", was.get("servers"), now.get("servers"))


def _figures(before: Document, after: Document) -> Iterator[Document]:
    earlier = before.get("figures")
    for name, new in after["figures"].items():
        old = earlier.get(name) if isinstance(earlier, dict) else None
        if not isinstance(old, dict):
            continue
        sides = [[item.get(key) for key in ("numerator", "denominator")] for item in (old, new)]
        if sides[0] != sides[1]:
            yield _change("figure", "", name, sides[0], sides[1]) | {"unit": new["unit"]}


def _forecasts(before: Document, after: Document) -> Iterator[Document]:
    for key, old, new in _pairs(before.get("forecasts"), after["forecasts"], _key):
        resource, _, place = key.partition(" ")
        if old is None or new is None:
            yield _change("gone" if new is None else "appeared", place, resource, None, None)
        elif old.get("status") != new["status"]:
            yield _change("status", place, resource, old.get("status"), new["status"]) | _dates(old, new)
        elif (days := _moved(_middle(old), _middle(new))) is not None and abs(days) >= SHIFT:
            yield _change("runs-out", place, resource, _middle(old), _middle(new)) | {"days": days}


def _key(item: Document) -> str:
    return f"{item['resource']} {item['place']}"


def _pairs(
    before: Any, after: list[Document], key: Callable[[Document], str]
) -> Iterator[tuple[str, Document | None, Document | None]]:
    earlier: dict[str, Document] = {}
    for item in before if isinstance(before, list) else []:
        try:
            earlier[key(item)] = item
        except (KeyError, TypeError):
            continue
    now = {key(item): item for item in after}
    for name in sorted({*earlier, *now}):
        yield name, earlier.get(name), now.get(name)


def _middle(item: Document) -> str | None:
    found = item.get("exhaustion")
    return found.get("p50") if isinstance(found, dict) else None


def _dates(old: Document, new: Document) -> Document:
    return {"runs_out_before": _middle(old), "runs_out": _middle(new)}


def _moved(before: str | None, after: str | None) -> int | None:
    if not isinstance(before, str) or not isinstance(after, str):
        return None
    try:
        return (date.fromisoformat(after) - date.fromisoformat(before)).days
    except ValueError:
        return None


def _change(what: str, place: str, resource: str, before: Any, after: Any) -> Document:
    return {"what": what, "place": place, "resource": resource, "before": before, "after": after}
