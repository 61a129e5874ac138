"""What stands against a move is found with its reasons; what people decided stands, and is contradicted in the open."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from govhub.inventory.model.migration import Strategy
from govhub.inventory.model.tenancy import System
from govhub.migration.portfolio.assess import Assessment, Verdict, assess
from govhub.migration.portfolio.finding import Weight
from govhub.migration.portfolio.strategy import decided, suggest
from migration.portfolio.sources import (
    MIGRATIONS,
    inside,
    listed,
    loaded,
    maria,
    moving_hub,
    portfolio,
    reading,
    settings,
    without,
)

TODAY = date(2026, 3, 3)
Change = tuple[str, str]


def assessed(place: Path, *changes: Change, **sections: Any) -> Assessment:
    """The one system that moves, with these changes of the hub and of what was read."""
    hub = loaded(moving_hub(place, MIGRATIONS, *changes))
    found, _ = assess(portfolio(hub, reading(**sections)), TODAY)
    return next(item for item in found if item.system == "school-enrolment")


def codes(item: Assessment, *weights: Weight) -> list[str]:
    return [found.code for found in item.findings if not weights or found.weight in weights]


def test_a_system_that_nothing_stands_against_is_ready(tmp_path: Path) -> None:
    item = assessed(tmp_path)
    assert (codes(item), item.verdict) == ([], Verdict.READY)
    assert (item.decided, item.suggestion.strategy) == (None, "replatform")
    assert item.suggestion.reasons == (
        "its application becomes a workload in containers: web",
        "its databases go to servers that the cloud runs: my-main, pg-main",
    )
    assert item.estimate
    assert (item.estimate.bytes, item.estimate.online) == (22 * 2**30, True)


B, U, R, N = Weight.BLOCKER, Weight.UNKNOWN, Weight.RISK, Weight.NOTE
CASES: list[tuple[str, Weight, str, list[Change], dict[str, Any]]] = [
    ("POR010", B, "the database enrol does not exist on old-edu-1", [], listed(name="other")),
    ("POR014", B, "no mariadb server answers on port 3306", [], {"mariadb": ""}),
    ("POR012", B, "there is no unit enrol.service", [], {"unit__enrol.service": "LoadState=not-found"}),
    ("POR013", R, "enrol.service is failed", [], {"unit__enrol.service": "LoadState=loaded\nActiveState=failed"}),
    ("POR015", R, "20.0 GiB are declared, 60.0 GiB were found", [], listed(size=60 * 2**30)),
    ("POR015", N, "20.0 GiB are declared, 2.0 GiB were found", [], listed(size=2 * 2**30)),
    ("POR016", R, "the mariadb database aid is not declared", [("database: aid, size: 2Gi", "database: b")], {}),
    ("POR024", R, "no security updates since 2024-06-30", [], {"release": 'ID="centos"\nVERSION_ID="7"'}),
    ("POR030", R, "2 tables have no primary key", [], inside(keyless=2, keyless_names=["log", "old.log"])),
    ("POR030", U, "whether all tables of enrol have a primary key", [], {"postgresql__5432__database__enrol": None}),
    ("POR031", B, "do not have the extensions that enrol uses", [], inside(extensions={"postgis": "3.3"})),
    ("POR038", R, "enrol reaches for data elsewhere", [], inside(extensions={"dblink": "1.2"})),
    ("POR038", R, "3 unlogged tables are not replicated", [], inside(unlogged=3)),
    ("POR037", N, "9 large objects are not replicated", [], inside(large_objects=9, large_bytes=900)),
    ("POR032", B, "the database enrol has no character set", [], listed(encoding="SQL_ASCII")),
    ("POR032", R, "change from EUC_CN to UTF8", [], listed(encoding="EUC_CN")),
    ("POR039", N, "texts sort by zh_CN.UTF-8", [], listed(collation="zh_CN.UTF-8")),
    ("POR032", R, "2 tables of aid not in utf8mb4", [], {"mariadb__charsets": "aid\tgbk_chinese_ci\t2"}),
    ("POR038", R, "3 tables of aid without transactions", [], {"mariadb__engines": "aid\tMyISAM\t3\naid\tInnoDB\t3"}),
    ("POR033", B, "newer than the cloud's postgresql 15", [], settings(server_version="16.2")),
    ("POR033", R, "9.6.24 cannot replicate to 15", [], settings(server_version="9.6.24")),
    ("POR033", B, "newer than the cloud's mariadb 10.11", [], maria(version="11.4.2-MariaDB")),
    ("POR034", R, "the server is MySQL", [], maria(version="5.7.44", version_comment="MySQL")),
    (
        "POR034",
        B,
        "Oracle runs on old-edu-1",
        [],
        {"listening": 'tcp LISTEN 0 9 0.0.0.0:1521 0.0.0.0:* users:(("tnslsnr",pid=1,fd=1))'},
    ),
    ("POR035", R, "does not log what an online move needs", [], settings(wal_level="replica")),
    ("POR035", R, "does not log what an online move needs", [], settings(max_replication_slots="0")),
    ("POR035", R, "does not log what an online move needs", [], maria(log_bin="OFF")),
    ("POR040", R, "it is not declared where db moves to", [(", to: pg-main", "")], {}),
    ("POR041", B, "pg-main has no database enrol for education", [("database: enrol}]", "database: x}]")], {}),
    ("POR043", B, "pg-main has 2.0 TiB; what moves there needs 2.6 TiB", [], listed(size=2 * 2**40)),
    ("POR044", B, "its quota of storage is", [(", to: pg-main", "")], listed(size=50 * 2**40)),
    (
        "POR045",
        R,
        "a pod of web may use 512Mi",
        [],
        {"unit__enrol.service": "LoadState=loaded\nActiveState=active\nMemoryCurrent=3221225472"},
    ),
    ("POR050", U, "how large db is, is not known", [(", size: 20Gi", "")], {"postgresql__5432__databases": None}),
    (
        "POR051",
        B,
        "/var/lib/postgresql of old-edu-1 has 1.0 GiB free",
        [],
        {"disks": "F 1 U A C M\n/dev/a 99999999 1 99999999 1% /\n/dev/b 1048576000 1 1048576 99% /var/lib/postgresql"},
    ),
    (
        "POR051",
        B,
        "100.0 GiB free",
        [],
        {
            "postgresql__5432__later": '{"position": 4001000000, "time": 104.0}',
            "disks": "F 1 U A C M\n/dev/a 204857600 1 104857600 1% /",
        },
    ),
    ("POR051", U, "how fast the log of old-edu-1 grows", [], {"postgresql__5432__later": None}),
    ("POR051", U, "how fast the log of old-edu-1 grows", [], {"mariadb__later": None}),
    ("POR051", U, "how much room old-edu-1 has for logs", [], {"disks": None}),
    ("POR052", B, "`write_pause_seconds` allows 2 min", [], inside(keyless=1)),
    ("POR052", B, "the window allows 60 s", [("moves:", "window: {minutes: 1}\n    moves:")], inside(keyless=1)),
    ("POR053", R, "more than half of a wave", [("link_mbps: 1000", "link_mbps: 1, wave_days: 1")], {}),
    ("POR005", U, "not all of old-edu-1 could be read", [], {"services": None}),
    (
        "POR021",
        R,
        "people decided rehost; the assessment suggests replatform",
        [("moves:", "strategy: rehost\n    moves:")],
        {},
    ),
]


@pytest.mark.parametrize(("code", "weight", "words", "changes", "sections"), CASES, ids=lambda case: str(case)[:40])
def test_each_rule_finds_its_case(
    tmp_path: Path, code: str, weight: Weight, words: str, changes: list[Change], sections: dict[str, Any]
) -> None:
    item = assessed(tmp_path, *changes, **sections)
    mine = [found for found in item.findings if found.code == code]
    assert {found.weight for found in mine} == {weight}, codes(item)
    assert words in mine[0].summary
    assert mine[0].evidence
    assert mine[0].way_out
    expected = {B: Verdict.BLOCKED, U: Verdict.UNKNOWN, R: Verdict.RISKS, N: Verdict.READY}
    worst = min((found.weight for found in item.findings), key=lambda found: found.rank)
    assert item.verdict == expected[worst]


def test_every_rule_about_a_move_names_it(tmp_path: Path) -> None:
    item = assessed(tmp_path, **inside(keyless=1, keyless_names=["log"]))
    (found,) = (found for found in item.findings if found.code == "POR030")
    assert found.as_dict() == {
        "code": "POR030",
        "weight": "risk",
        "system": "school-enrolment",
        "source": "old-edu-1",
        "move": "db",
        "summary": "1 table has no primary key: no copying while people write",
        "evidence": "log",
        "way_out": found.way_out,
    }


def test_a_source_that_was_not_read_makes_a_system_unknown_not_ready(tmp_path: Path) -> None:
    hub = loaded(moving_hub(tmp_path))
    found, _ = assess(portfolio(hub), TODAY)
    item = next(item for item in found if item.system == "school-enrolment")
    assert item.estimate
    assert item.estimate.online is None
    assert item.verdict is not Verdict.READY


def test_a_decision_that_a_system_stays_is_kept_and_its_moves_are_not_held_against_it(tmp_path: Path) -> None:
    item = assessed(tmp_path, ("moves:", "strategy: retain\n    moves:"), **inside(keyless=5))
    assert (item.decided, item.suggestion.strategy, codes(item)) == ("retain", "replatform", ["POR021"])
    assert (item.verdict, item.estimate) == (Verdict.RISKS, None)


def test_what_may_not_move_is_to_stay(tmp_path: Path) -> None:
    """A hub with such systems is not valid; whoever assesses one in parts gets the same answer."""
    hub = loaded(moving_hub(tmp_path))
    whole = portfolio(hub, reading())
    secret = hub.model.systems[0].model_copy(update={"classified": True, "protection_level": 4})
    suggestion = suggest(whole, secret)
    assert suggestion.strategy == "retain"
    assert suggestion.reasons == ("it is classified", "its protection level is 4; this cloud carries 3")
    (found,) = decided(secret, whole.migrations[secret.name], suggestion)
    assert (found.code, found.weight) == ("POR020", Weight.BLOCKER)
    kept = whole.migrations[secret.name].model_copy(update={"strategy": Strategy.RETAIN})
    assert list(decided(secret, kept, suggestion)) == []


def test_what_nobody_uses_is_to_end(tmp_path: Path) -> None:
    quiet = {
        "unit__enrol.service": "LoadState=loaded\nActiveState=inactive",
        "postgresql__5432__sessions": "",
        "mariadb__sessions": "",
    }
    assert assessed(tmp_path, **quiet).suggestion.strategy == "retire"
    hub = loaded(tmp_path / "mini")
    system: System = hub.model.systems[0]
    for missing in ("unit enrol.service", "postgresql 5432 sessions"):
        half = portfolio(hub, without(reading(**quiet), missing))
        assert suggest(half, system).strategy == "replatform", "what was not seen is no reason to end it"
    still = portfolio(hub, reading(**quiet | {"mariadb__sessions": "aid\tclerk\t172.16.4.99\t1"}))
    assert suggest(still, system).strategy == "replatform"
    empty = system.model_copy(update={"users": 0})
    assert suggest(portfolio(hub, reading()), empty).strategy == "retire"


def test_what_runs_as_it_is_is_rehosted_once_that_was_seen(tmp_path: Path) -> None:
    hub = loaded(
        moving_hub(
            tmp_path, MIGRATIONS.replace(", to: pg-main", "").replace(", to: my-main", "").replace(", to: web", "")
        )
    )
    system = hub.model.systems[0]
    assert suggest(portfolio(hub, reading()), system).strategy == "rehost"
    unread = suggest(portfolio(hub), system)
    assert (unread.strategy, unread.reasons) == (None, ("not read: old-edu-1",))


TWO = (
    MIGRATIONS
    + """  - system: social-aid
    moves: [{name: my, kind: mariadb, source: old-aid-1, database: aid}]
"""
)


def partners(place: Path, lines: str, text: str = TWO, **more: Any) -> list[tuple[str, str, str]]:
    hub = loaded(moving_hub(place, text))
    found, left = assess(portfolio(hub, reading(connections=lines, **more)), TODAY)
    every = {item for one in found for item in one.findings} | set(left)
    return sorted((item.code, item.summary, item.evidence) for item in every if item.code in ("POR017", "POR018"))


def test_a_partner_that_nobody_declared_is_told_with_evidence(tmp_path: Path) -> None:
    lines = (
        '0 0 172.16.4.11:5432 172.16.4.12:41000 users:(("postgres",pid=9,fd=4))\n'
        '0 0 172.16.4.11:50000 172.16.7.7:1521 users:(("java",pid=7,fd=4))\n'
        "0 0 172.16.4.11:50000 172.16.0.5:53"
    )
    sessions = {"database": "enrol", "user": "aid", "address": "172.16.4.12", "application": "x", "count": 3}
    found = partners(tmp_path, lines, postgresql__5432__sessions=json.dumps(sessions))
    other = "old-aid-1 with social-aid"
    assert found == [
        (
            "POR017",
            f"172.16.4.12 connects to port 5432 of old-edu-1, which is {other}: no dependency is declared",
            "1 connections of postgres; 3 sessions of aid on postgresql database enrol; read 2026-03-02T08:00:00+00:00",
        ),
        (
            "POR018",
            "old-edu-1 connects to 172.16.7.7:1521: nobody declared this partner",
            "1 connections of java; read 2026-03-02T08:00:00+00:00",
        ),
    ]


def test_a_declared_dependency_explains_a_partner_in_either_direction(tmp_path: Path) -> None:
    line = "0 0 172.16.4.11:5432 172.16.4.12:41000"
    for number, system in enumerate(("school-enrolment", "social-aid")):
        other = {"school-enrolment": "social-aid", "social-aid": "school-enrolment"}[system]
        text = TWO.replace(
            f"system: {system}\n", f"system: {system}\n    depends_on: [{{system: {other}, kind: data}}]\n"
        )
        place = tmp_path / str(number)
        place.mkdir()
        assert partners(place, line, text) == []
