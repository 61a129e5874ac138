"""Saved plans: a hash, an age, and no way to change one unnoticed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from govhub.core.canonical import digest
from govhub.core.diff import Change
from govhub.core.errors import InvalidInput
from govhub.core.plan import VALID_FOR, Basis, Op, Plan, PlannedChange, read_saved
from govhub.core.secrets import MASK, Secret

CHANGES = (
    PlannedChange(
        op=Op.UPDATE,
        address="main/systems/Deployment/education-prod/web",
        reason="spec differs",
        diff=(Change("change", ("spec", "replicas"), 1, 2),),
        shard="main/systems/0",
    ),
    PlannedChange(op=Op.CREATE, address="main/tenants/Namespace/教育", reason="declared", shard="main/tenants/0"),
)


def plan(**more: Any) -> Plan:
    basis = Basis(inputs="a" * 64, serials={"main/systems/0": "1f"}, targets={"main": "uid-1"})
    return Plan(hub="mini", basis=basis, changes=CHANGES, unchanged=3, selection=("--tenant education",), **more)


def text_of(document: Plan | dict[str, Any]) -> str:
    return json.dumps(document.as_dict() if isinstance(document, Plan) else document, ensure_ascii=False, indent=1)


def code_of(text: str, now: datetime | None = None) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_saved(text, now)
    assert int(caught.value.exit) == 3
    return caught.value.diagnostics[0].code


def test_what_was_saved_is_read_back() -> None:
    saved = read_saved(text_of(plan()))
    assert (saved.hub, saved.selection, saved.basis) == ("mini", ("--tenant education",), plan().basis)
    assert saved.changes == tuple((change.op.value, change.address) for change in CHANGES)
    assert saved.hash == plan(created=saved.created.isoformat(timespec="seconds")).as_dict()["hash"]


def test_a_plan_expires_after_its_time_and_not_before() -> None:
    text = text_of(plan())
    made = read_saved(text).created
    assert read_saved(text, made + VALID_FOR).hub == "mini"
    assert code_of(text, made + VALID_FOR + timedelta(seconds=1)) == "PLN003"


def test_no_changed_byte_is_accepted_with_another_meaning() -> None:
    raw = text_of(plan()).encode()
    original, refused = json.loads(raw), 0
    codes: set[str] = set()
    for position in range(len(raw)):
        for flip in (1, 2, 32):
            changed = bytearray(raw)
            changed[position] ^= flip
            try:
                text = changed.decode()
            except UnicodeDecodeError:
                continue
            try:
                read_saved(text)
            except InvalidInput as error:
                refused += 1
                codes.add(error.diagnostics[0].code)
            else:
                assert json.loads(text) == original, f"byte {position}"
    assert refused > len(raw)
    assert codes <= {"PLN001", "PLN002"}


@pytest.mark.parametrize("length", [0, 1, 10, 200, -2])
def test_a_torn_file_is_no_plan(length: int) -> None:
    assert code_of(text_of(plan())[:length]) == "PLN001"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        '"plan"',
        "{}",
        '{"hash": 1}',
        "{" * 200,
        "[" * 100_000,
        "1" * 10_000,
        text_of(plan()).replace('"mini"', '"\\ud800"'),
        text_of(plan()).replace('"basis": {', '"basis": {"more": 1, '),
        text_of(plan()).replace('"created": "2', '"created": "x2'),
    ],
)
def test_what_is_no_plan_is_refused_with_one_message(text: str) -> None:
    assert code_of(text) == "PLN001"


def forged(**change: Any) -> dict[str, Any]:
    """A plan changed by somebody who also computed its hash anew."""
    document = plan().as_dict()
    document.pop("hash")
    document |= change
    return document | {"hash": digest(document)}


def test_a_new_hash_does_not_help_with_another_schema_or_a_date_that_cannot_be_compared() -> None:
    assert code_of(text_of(forged(schema="govhub.plan/2"))) == "PLN001"
    assert code_of(text_of(forged(created="2026-01-01T00:00:00"))) == "PLN001"
    assert code_of(text_of(forged(created=7))) == "PLN001"


def test_the_age_counts_in_every_time_zone() -> None:
    made = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    text = text_of(forged(created="2026-03-02T16:00:00+08:00"))
    assert read_saved(text, made + VALID_FOR).created == made
    assert code_of(text, made + VALID_FOR + timedelta(minutes=1)) == "PLN003"


def test_a_plan_masks_secrets_by_type() -> None:
    change = PlannedChange(
        op=Op.UPDATE,
        address="main/systems/Secret/a/b",
        reason="x",
        diff=(Change("change", ("data", "value"), Secret("old-canary"), Secret("new-canary")),),
    )
    text = text_of(Plan(hub="mini", basis=Basis(inputs=""), changes=(change,), unchanged=0))
    assert "canary" not in text
    assert text.count(MASK) == 2
    assert read_saved(text).hub == "mini"


def test_the_summary_names_every_operation_and_the_hash_covers_everything() -> None:
    assert plan().summary == {"create": 1, "update": 1, "replace": 0, "delete": 0, "repair": 0, "unchanged": 3}
    created = "2026-03-02T08:00:00+00:00"
    variants = [
        plan(created=created),
        plan(created=created, pulled_in=("x",)),
        plan(created=created, against="main"),
        Plan(hub="mini", basis=plan().basis, changes=CHANGES[:1], unchanged=3, created=created),
    ]
    assert len({one.as_dict()["hash"] for one in variants}) == len(variants)
