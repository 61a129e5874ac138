"""State in a real PostgreSQL, and moved between there and a folder."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from faults.cli import govhub
from govhub.core.settings import Env
from govhub.engine.bucket import PostgresBucket, hub_keys
from govhub.lab.postgres import PASSWORD, Server
from govhub.ops.state import list_state, move_state

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = [pytest.mark.engine, pytest.mark.postgres]
LIMIT = 20 * 1024 * 1024
SIZES = ("100m", "110m", "120m", "130m", "140m", "150m")


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> str:
    return postgres_server.database("govhub_state")


@pytest.fixture
def hub(mini: LabHub, database: str, monkeypatch: pytest.MonkeyPatch) -> LabHub:
    monkeypatch.setenv(Env.STATE, database)
    return mini


def next_size(hub: LabHub) -> None:
    """A small change of one deployment."""
    text = (hub.folder / "systems.yaml").read_text(encoding="utf-8")
    now = next(size for size in SIZES if f"cpu: {size}, memory: 256Mi" in text)
    hub.edit("systems.yaml", f"cpu: {now}, memory: 256Mi", f"cpu: {SIZES[SIZES.index(now) + 1]}, memory: 256Mi")


def table(address: str) -> tuple[int, int]:
    """Bytes with indexes and TOAST, and rows."""
    with psycopg.connect(address) as connection:
        size = connection.execute("SELECT pg_total_relation_size('pulumi_state')").fetchone()
        rows = connection.execute("SELECT count(*) FROM pulumi_state").fetchone()
    assert size
    assert rows
    return int(size[0]), int(rows[0])


def encrypted(hub: LabHub) -> list[str]:
    """The ciphertexts in the state."""
    mark, found = "4dabf18193072939515e22adb298388d", []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if mark in value and "ciphertext" in value:
                found.append(value["ciphertext"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for raw in hub.documents().values():
        walk(json.loads(raw))
    return found


def change_one(hub: LabHub) -> None:
    """A change goes through and nothing else is made anew; the engine has read every secret to do so."""
    next_size(hub)
    result = hub.up()
    assert (result.status, result.problems) == ("done", [])
    assert result.plan.summary["update"] == sum(result.plan.summary.values()) - result.plan.summary["unchanged"] == 1
    hub.assert_converged()


def test_a_hub_is_made_in_postgresql_and_the_table_stays_small(hub: LabHub, database: str) -> None:
    result = hub.up()
    assert (result.status, result.problems) == ("done", [])
    assert result.plan.summary["create"] > 60
    hub.assert_converged()
    size, rows = table(database)
    assert 10 < rows < 200
    assert size < LIMIT
    elsewhere = (hub.home / "hubs" / "mini" / "state").rglob("*")
    assert [path.name for path in elsewhere if path.is_file() and path.name != ".bucket.lock"] == []


def test_a_second_run_changes_nothing_and_a_change_is_one_change(hub: LabHub, database: str) -> None:
    before = hub.versions()
    result = hub.up()
    assert (result.status, result.jobs) == ("unchanged", [])
    assert hub.versions() == before
    change_one(hub)
    assert table(database)[0] < LIMIT


def test_the_database_password_is_in_no_output_and_no_file(hub: LabHub, database: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    shown = []
    for args in (
        ("status", str(hub.folder)),
        ("status", str(hub.folder), "--json"),
        ("state", "list", str(hub.folder)),
        ("plan", str(hub.folder), "--out", str(plan), "--json"),
        ("up", str(hub.folder), "--yes", "--json", "--wait", "0"),
        ("drift", str(hub.folder)),
        ("doctor",),
    ):
        done = govhub(*args)
        assert done.returncode == 0, done.stderr
        shown.append(done.stdout + done.stderr)
    wrong = database.replace("/govhub_state", "/no_such_database")
    done = govhub("status", str(hub.folder), env={Env.STATE: wrong})
    assert done.returncode == 1
    assert "STA001" in done.stderr
    shown.append(done.stdout + done.stderr)
    assert any("127.0.0.1" in text and "govhub_state" in text for text in shown)
    assert [text for text in shown if PASSWORD in text] == []
    searched, found = 0, []
    for base in (hub.home, tmp_path, Path.home()):
        for path in base.rglob("*"):
            if path.is_file():
                searched += 1
                if PASSWORD.encode() in path.read_bytes():
                    found.append(str(path))
    assert found == []
    assert searched > 50


def test_a_state_moves_to_a_folder_and_the_next_run_changes_nothing(
    hub: LabHub, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets, folder = encrypted(hub), hub.home / "moved"
    assert len(secrets) >= 2
    moved = move_state(str(hub.folder), str(folder))
    assert moved["documents"] > 5
    assert PASSWORD not in json.dumps(moved)
    assert hub_keys(PostgresBucket(database), "mini") == []
    monkeypatch.setenv(Env.STATE, str(folder))
    assert encrypted(hub) == secrets
    assert list_state(str(hub.folder))["address"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    result = hub.up()
    assert (result.status, result.jobs) == ("unchanged", [])
    change_one(hub)


def test_and_back_into_an_empty_database_where_all_goes_on_to_the_end(
    hub: LabHub, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, fresh = hub.home / "moved", postgres_server.database("fresh")
    monkeypatch.setenv(Env.STATE, str(folder))
    secrets = encrypted(hub)
    move_state(str(hub.folder), fresh)
    assert hub.documents() == {}
    monkeypatch.setenv(Env.STATE, fresh)
    assert sorted(encrypted(hub)) == sorted(secrets)
    assert hub.up().status == "unchanged"
    change_one(hub)
    preview = hub.plan(engine=True).preview
    assert preview is not None
    assert preview.differences == ()
    result = hub.destroy()
    assert (result.status, result.leftovers, result.problems) == ("done", (), [])
    assert hub.live() == {}
    assert [key for key in hub_keys(PostgresBucket(fresh), "mini") if not key.endswith("last-run.json")] == []
