"""Readings are kept with time and key, stand in for sources that do not answer, and are told with their age."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import InvalidInput
from govhub.core.settings import hub_home
from govhub.hosts.fanout import Answer, Errand
from govhub.hosts.reach import Reach
from govhub.ops.migration import discovery
from govhub.ops.migration.assessing import AssessRequest, assess_portfolio
from migration.portfolio.sources import KEY, SECTIONS, moving_hub, reading, save


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub in a home of its own, whose sources nobody may contact."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_TODAY", "2026-03-03")

    def never(hosts: Mapping[str, Reach], errand: Errand) -> Iterator[Answer]:
        assert not hosts, "a source was contacted"
        return iter(())

    monkeypatch.setattr(discovery, "fan_out", never)
    return moving_hub(tmp_path)


def answering(monkeypatch: pytest.MonkeyPatch, keys: list[str], **answers: Answer | None) -> None:
    """Sources that answer with the usual sections, or as is said; `old_edu_1` is `old-edu-1`."""
    given = {name.replace("_", "-"): answer for name, answer in answers.items()}

    def asked(hosts: Mapping[str, Reach], errand: Errand) -> Iterator[Answer]:
        mark = errand.command.split()[5]
        parts = [f"{mark} begin {key}\n{text}\n\n{mark} end {key} 0" for key, text in SECTIONS.items()]
        whole = "\n".join([*parts, f"{mark} complete"])
        for name in hosts:
            yield given.get(name) or Answer(host=name, status="answered", exit=0, output=whole)

    monkeypatch.setattr(discovery, "fan_out", asked)
    monkeypatch.setattr(discovery, "known_keys", lambda reach: keys)


def document(folder: Path, *systems: str, offline: bool = False) -> dict[str, Any]:
    return assess_portfolio(AssessRequest(hub=str(folder), systems=systems, offline=offline))


def found(result: dict[str, Any]) -> set[tuple[str, str]]:
    every = [*result["findings"], *(item for system in result["systems"] for item in system["findings"])]
    return {(item["code"], item.get("source", "")) for item in every if item["code"] < "POR010"}


def test_offline_takes_what_was_saved_and_contacts_nobody(folder: Path) -> None:
    save("mini", reading())
    result = document(folder, offline=True)
    assert found(result) == {("POR002", "old-aid-1")}
    assert result["summary"]["sources_read"] == 1
    source = next(item for item in result["sources"] if item["source"] == "old-edu-1")
    assert (source["time"], source["host_key"]) == ("2026-03-02T08:00:00+00:00", KEY)
    assert source["age"] > 0
    system = next(item for item in result["systems"] if item["system"] == "school-enrolment")
    assert system["moves"][0]["found"] == 20 * 2**30
    json.dumps(result)


def test_what_was_read_is_kept_privately_with_the_proven_key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, ["SHA256:other", KEY])
    assert found(document(folder)) == set()
    path = hub_home("mini") / "sources" / "old-edu-1.json"
    saved = json.loads(path.read_text())
    assert (saved["schema"], saved["host_key"]) == ("govhub.source-reading/1", KEY)
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    again = document(folder, offline=True)
    assert found(again) == set()
    # The other source runs the same unit, and it was not asked of that.
    other = next(item for item in again["sources"] if item["source"] == "old-aid-1")
    assert (other["units"], other["folders"]) == ({}, {})


def test_a_key_that_was_not_on_record_is_not_proven(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, ["SHA256:other"])
    assert {item["host_key"] for item in document(folder)["sources"]} == {None}


def test_another_machine_behind_the_name_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save("mini", reading(), "SHA256:before")
    answering(monkeypatch, [KEY])
    assert ("POR003", "old-edu-1") in found(document(folder))
    assert ("POR003", "old-edu-1") not in found(document(folder)), "the next look knows it"


def test_only_the_sources_of_the_named_systems_are_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [KEY])
    result = document(folder, "school-*")
    assert [item["source"] for item in result["sources"]] == ["old-edu-1"]
    assert [item["system"] for item in result["systems"]] == ["school-enrolment"]
    assert [item.name for item in (hub_home("mini") / "sources").iterdir()] == ["old-edu-1.json"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(host="old-edu-1", status="unreachable", why="no route"),
        Answer(host="old-edu-1", status="slow", why="no answer within 180 s"),
        Answer(host="old-edu-1", status="answered", exit=1, output="sudo: a password is required"),
        Answer(host="old-edu-1", status="answered", exit=0, output="half an answer", cut=True),
    ],
)
def test_one_that_does_not_answer_is_told_and_the_last_reading_stands_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    answering(monkeypatch, [KEY], old_edu_1=answer)
    first = document(folder)
    assert found(first) == {("POR001", "old-edu-1")}
    verdicts = {item["system"]: item["verdict"] for item in first["systems"]}
    assert verdicts["school-enrolment"] != "ready"
    save("mini", reading())
    second = document(folder)
    assert found(second) == {("POR001", "old-edu-1")}
    assert next(item for item in second["sources"] if item["source"] == "old-edu-1")["age"] > 0


def test_a_damaged_reading_is_none(folder: Path) -> None:
    save("mini", reading()).write_text("{")
    assert ("POR002", "old-edu-1") in found(document(folder, offline=True))


def test_a_source_without_an_address_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, [KEY])
    path = folder / "migrations.yaml"
    path.write_text(path.read_text().replace(", address: 172.16.4.12", ""))
    assert found(document(folder)) == {("POR004", "old-aid-1")}


def test_a_system_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        document(folder, "scool-enrolment", offline=True)
    assert caught.value.diagnostics[0].code == "POR009"
    assert "school-enrolment" in caught.value.diagnostics[0].hint
