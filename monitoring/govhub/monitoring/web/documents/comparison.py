"""What differs between two reviews: figures, what binds each hall, and what departments ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from govhub.core.errors import InvalidInput
from govhub.core.text import minute_of
from govhub.monitoring.web.source import SCHEMA, Document

MAX_CHANGES = 5000
_Values = dict[tuple[str, str], tuple[float | str | None, str]]
"""By place and figure: the value and its unit."""


class _Part(BaseModel):
    # A review may say more than is compared; what is compared has to be of the right kind.
    model_config = ConfigDict(extra="ignore", strict=True)


class _Figure(_Part):
    numerator: float | None
    denominator: float | None
    unit: str = Field(max_length=40)


class _Binding(_Part):
    resource: str = Field(max_length=80)
    servers: int


class _Hall(_Part):
    hall: str = Field(max_length=200)
    binding: _Binding | None
    figures: dict[str, _Figure] = Field(max_length=200)


class _Department(_Part):
    tenant: str = Field(max_length=200)
    quota_cores: float
    requests: _Figure


class Review(_Part):
    """The part of an overview that is compared."""

    schema_: str = Field(alias="schema")
    hub: str = Field(max_length=200)
    as_of: float | None = None
    halls: list[_Hall] = Field(max_length=2000)
    figures: dict[str, _Figure] = Field(max_length=200)
    departments: list[_Department] = Field(default=[], max_length=20_000)


def review_of(document: Any, which: str) -> Review:
    """A document as a review.

    Raises:
        InvalidInput: it is none.
    """
    try:
        found = Review.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))[:120]
        text = f"the {which} document is no review of this schema: {where or 'it'}: {first['msg']}"
        raise InvalidInput.one(
            "WEB020", text, hint="save one with `capacity show HUB --json`, or on the page"
        ) from error
    if found.schema_ != SCHEMA:
        text = f"the {which} document is of schema {found.schema_[:40]!r}, not {SCHEMA!r}"
        raise InvalidInput.one("WEB020", text, hint="compare reviews of the same version of govhub")
    return found


def comparison(before: Document, after: Document, names: tuple[str, str] | None = None) -> Document:
    """What differs, place by place; a value that is unknown on one side has no difference.

    Raises:
        InvalidInput: one of them is no review, or they are of two hubs.
    """
    old, new = review_of(before, "first"), review_of(after, "second")
    if old.hub != new.hub:
        hint = "compare reviews of one hub"
        raise InvalidInput.one("WEB021", f"the reviews are of two hubs: {old.hub} and {new.hub}", hint=hint)
    left, right = dict(_values(old)), dict(_values(new))
    changes = []
    for key in sorted(left.keys() | right.keys()):
        was, unit = left.get(key, (None, right.get(key, (None, ""))[1]))
        now, _ = right.get(key, (None, unit))
        if was != now:
            missing = [side for side, values in (("before", left), ("after", right)) if key not in values]
            sides = {"before": was, "after": now, "missing": missing, "delta": _delta(was, now)}
            changes.append({"place": key[0], "figure": key[1], "unit": unit, **sides})
    told = names or (_when(old), _when(new))
    return {
        "schema": SCHEMA,
        "hub": new.hub,
        "before": told[0],
        "after": told[1],
        "count": len(changes),
        "changes": changes[:MAX_CHANGES],
    }


def _values(review: Review) -> Iterator[tuple[tuple[str, str], tuple[float | str | None, str]]]:
    yield from _figures("", review.figures)
    for hall in review.halls:
        binding = hall.binding
        yield (hall.hall, "binding"), (binding.resource if binding else None, "resource")
        yield (hall.hall, "servers"), (binding.servers if binding else None, "servers")
        yield from _figures(hall.hall, hall.figures)
    for item in review.departments:
        yield (item.tenant, "quota"), (item.quota_cores, "cores")
        yield (item.tenant, "requests"), (item.requests.numerator, "cores")


def _figures(place: str, figures: dict[str, _Figure]) -> Iterator[tuple[tuple[str, str], tuple[float | None, str]]]:
    for name, figure in figures.items():
        yield (place, f"{name}|used"), (figure.numerator, figure.unit)
        yield (place, f"{name}|limit"), (figure.denominator, figure.unit)


def _delta(was: float | str | None, now: float | str | None) -> float | None:
    if isinstance(was, str) or isinstance(now, str) or was is None or now is None:
        return None
    return round(now - was, 3)


def _when(review: Review) -> str:
    if review.as_of is None:
        return review.hub
    try:
        return minute_of(review.as_of)
    except (OverflowError, ValueError, OSError):
        return review.hub
