"""Sources, migrations and their moves come from tables, in Chinese or English, and what was imported validates."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.inventory.importers import What, kind_of
from importing.sheets import Desk, codes, outcomes

SOURCES = "服务器,所属部门,IP地址,账号\nold-edu-1,教育局,172.16.4.11,ops\nold-edu-2,教育局,172.16.4.12,\n"
MIGRATIONS = (
    "系统名称,迁移策略,割接日,开始时间,时长,业务高峰,最早日期,工作量(人天)\n"
    "义务教育入学报名,改造,周五、周六,9:00,120,8-15~9-05 招生; 12-20~01-10 年终决算,2026/9/1,12.5\n"
)
MOVES = (
    "系统名称,迁移项,类型,源服务器,数据量,数据库,路径,服务单元,目标\n"
    "义务教育入学报名,db,PostgreSQL,old-edu-1,20Gi,enrol,,,\n"
    "义务教育入学报名,scans,文件,old-edu-2,300Gi,,/srv/scans,,\n"
    "义务教育入学报名,web,应用,old-edu-1,,,,enrol.service,web\n"
)
THREE: tuple[What, ...] = ("sources", "migrations", "moves")


@pytest.fixture
def moving(desk: Desk) -> Desk:
    """A hub with two sources."""
    assert desk.csv(SOURCES, "sources").ok
    return desk


def test_chinese_tables_become_sources_migrations_and_moves(moving: Desk) -> None:
    assert moving.csv(MIGRATIONS, "migrations").ok
    assert outcomes(moving.csv(MOVES, "moves")) == [
        "school-enrolment/db updated",
        "school-enrolment/scans updated",
        "school-enrolment/web updated",
    ]
    assert moving.read("sources.yaml") == (
        "sources:\n  - name: old-edu-1\n    tenant: education\n    address: 172.16.4.11\n    login: ops\n"
        "  - name: old-edu-2\n    tenant: education\n    address: 172.16.4.12\n"
    )
    (migration,) = moving.hub().model.migrations
    assert (migration.system, migration.strategy, migration.effort) == ("school-enrolment", "replatform", 12.5)
    assert (migration.window.days, migration.window.start, migration.window.minutes) == (["fri", "sat"], "09:00", 120)
    assert [(busy.first, busy.last, busy.reason) for busy in migration.busy] == [
        ("08-15", "09-05", "招生"),
        ("12-20", "01-10", "年终决算"),
    ]
    assert str(migration.not_before) == "2026-09-01"
    assert [(move.name, move.kind, move.source) for move in migration.moves] == [
        ("db", "postgresql", "old-edu-1"),
        ("scans", "files", "old-edu-2"),
        ("web", "application", "old-edu-1"),
    ]


def test_dates_and_times_of_a_workbook_are_taken_as_they_are_shown(moving: Desk) -> None:
    head = ["系统", "不早于", "不晚于", "开始时间", "试运行天数"]
    row = ["school-enrolment", datetime(2026, 9, 1), date(2026, 12, 31), time(22, 30), 0.5]  # noqa: DTZ001
    assert moving.xlsx([["迁移计划"], head, row], "migrations").ok
    (migration,) = moving.hub().model.migrations
    assert (str(migration.not_before), str(migration.not_after)) == ("2026-09-01", "2026-12-31")
    assert (migration.window.start, migration.trial_days) == ("22:30", 0.5)


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("not_before", "next week", "2026-09-01"),
        ("not_before", "2026-13-01", "not_before"),
        ("busy", "in summer", "12-20~01-10"),
        ("depends_on", "open-days:call:weak", "tax:data:strong"),
        ("depends_on", "nobody:call", 'no system "nobody"'),
        ("strategy", "later", "rehost"),
        ("days", "someday", "days"),
        ("window_start", "evening", "window_start"),
        ("effort", "much", "effort"),
    ],
)
def test_cells_that_mean_nothing_are_told(moving: Desk, column: str, cell: str, words: str) -> None:
    result = moving.csv(f"system,{column}\nschool-enrolment,{cell}\n", "migrations")
    assert [row.outcome.value for row in result.rows] == ["error"]
    (problem,) = [item for row in result.rows for item in row.diagnostics]
    assert words in problem.summary + problem.hint
    assert problem.source
    assert (problem.source.line, problem.source.column) == (2, 2)


def test_moves_alone_make_the_migration_of_their_system(moving: Desk) -> None:
    assert outcomes(moving.csv(MOVES, "moves")) == [f"school-enrolment/{name} added" for name in ("db", "scans", "web")]
    (migration,) = moving.hub().model.migrations
    assert ([move.name for move in migration.moves], migration.strategy) == (["db", "scans", "web"], None)


def test_importing_again_changes_nothing_and_one_cell_changes_one_value(moving: Desk) -> None:
    moving.csv(MIGRATIONS, "migrations")
    moving.csv(MOVES, "moves")
    for text, what in ((SOURCES, THREE[0]), (MIGRATIONS, THREE[1]), (MOVES, THREE[2])):
        again = moving.csv(text, what)
        assert ({row.outcome.value for row in again.rows}, again.diff) == ({"unchanged"}, "")
    before = moving.read("migrations.yaml")
    assert outcomes(moving.csv("system,name,size\nschool-enrolment,db,30Gi\n", "moves")) == [
        "school-enrolment/db updated"
    ]
    assert moving.read("migrations.yaml") == before.replace("size: 20Gi", "size: 30Gi")


def test_a_dry_run_says_what_would_change_line_by_line(moving: Desk) -> None:
    result = moving.csv(MOVES, "moves", dry_run=True)
    assert not (moving.folder / "migrations.yaml").exists()
    assert "+++ b/testcity/migrations.yaml" in result.diff
    line = "+      - {name: scans, kind: files, source: old-edu-2, size: 300Gi, path: /srv/scans}"
    assert line in result.diff.splitlines()


@pytest.mark.parametrize(
    ("row", "code", "summary", "column"),
    [
        ("school-enrolment,db,mysql,old-edu-1,enrol,,", "IMP021", "kind", 3),
        ("school-enrolment,db,postgresql,old-edu-1,,/srv,", "IMP021", "has `database`", 1),
        ("school-enrolment,db,postgresql,nowhere,enrol,,", "REF001", 'no source "nowhere"', 4),
        ("school-enrolment,db,postgresql,old-edu-1,enrol,,nowhere", "REF001", 'no database server "nowhere"', 7),
        ("not-there,db,postgresql,old-edu-1,enrol,,", "REF001", 'no system "not-there"', 1),
        ("没有,db,postgresql,old-edu-1,enrol,,", "IMP021", "no system has the title", 1),
        ("school-enrolment,db,postgresql,old-edu-1,enrol;drop,,", "IMP021", "does not have the right form", 5),
    ],
)
def test_a_wrong_row_is_told_at_its_cell(moving: Desk, row: str, code: str, summary: str, column: int) -> None:
    head = "system,name,kind,source,database,path,to"
    good = "school-enrolment,scans,files,old-edu-2,,/srv/scans,"
    result = moving.csv(f"{head}\n{good}\n{row}\n", "moves")
    assert [item.value for item in (row.outcome for row in result.rows)] == ["skipped", "error"]
    problem = next(item for item in result.all_diagnostics if item.code == code)
    assert summary in problem.summary
    assert problem.source
    assert (problem.source.line, problem.source.column) == (3, column)
    assert not (moving.folder / "migrations.yaml").exists()
    assert outcomes(moving.csv(f"{head}\n{row}\n{good}\n", "moves", partial=True))[1] == "school-enrolment/scans added"
    assert [move.name for move in moving.hub().model.migrations[0].moves] == ["scans"]


def test_one_move_twice_is_refused_when_the_rows_disagree(moving: Desk) -> None:
    head = "system,name,kind,source,database"
    row = "school-enrolment,db,postgresql,old-edu-1"
    assert codes(moving.csv(f"{head}\n{row},a\n{row},b\n", "moves")).count("IMP023") == 2
    assert codes(moving.csv(f"{head}\n{row},a\n{row},a\n", "moves")) == ["IMP023"]


def test_what_people_wrote_stays(moving: Desk) -> None:
    (moving.folder / "migrations.yaml").write_text(
        "migrations:\n  # Agreed on 3 March.\n  - system: school-enrolment\n    strategy: rehost   # by the bureau\n"
    )
    assert moving.csv(MOVES, "moves").ok
    text = moving.read("migrations.yaml")
    assert "# Agreed on 3 March." in text
    assert "strategy: rehost   # by the bureau" in text


@pytest.mark.parametrize(
    ("text", "what"), [(SOURCES, "sources"), (MIGRATIONS, "migrations"), (MOVES, "moves")], ids=THREE
)
def test_the_headings_tell_which_table_it_is(tmp_path: Path, text: str, what: What) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f"某市迁移台账\n{text}", encoding="gb18030")
    assert kind_of(path, THREE) == what
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput) as caught:
        kind_of(path, THREE)
    assert caught.value.diagnostics[0].code == "IMP013"
