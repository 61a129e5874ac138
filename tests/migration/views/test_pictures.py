"""A wave while it goes, its timeline, and pages for a pull request."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from govhub.cli import i18n
from govhub.cli.main import main
from govhub.cli.terminal import Terminal
from govhub.cli.views.timeline import timeline_svg
from govhub.cli.views.wave import duration, following, picture, size
from govhub.migration.movers.protocol import Lag, Progress
from govhub.ops.migration.following import Following, Row
from govhub.ops.migration.run import RunSystems, run_systems
from govhub.ops.migration.timeline import timeline
from migration.city import START, SYSTEM, City

SVG = "{http://www.w3.org/2000/svg}"


def shown(rows: list[Row], room: int = 40, width: int = 160) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=False).print(picture(rows, START, room))
    return out.getvalue()


def progress(**more: object) -> Progress:
    return Progress(at=START, **more)  # type: ignore[arg-type]


def test_a_row_has_phase_age_bytes_rate_time_left_and_lag() -> None:
    moves = {
        "db": progress(bytes_done=3 * 2**30, bytes_total=4 * 2**30, rate=2**20 * 80, eta=13.0, lag=Lag(bytes=2048)),
        "files": progress(bytes_done=2**30, bytes_total=2**30, eta=0.0, lag=Lag(seconds=0.5)),
    }
    text = shown([Row("register", "EnsureDatabaseCopy", "running", START - timedelta(seconds=187), 5, False, moves)])
    for word in ("register", "EnsureDatabaseCopy", "running", "3:07", "4.0 GiB / 5.0 GiB", "80.0 MiB/s", "13 s"):
        assert word in text, text
    assert "2.0 KiB 0.5 s" in text


def test_what_nobody_knows_is_left_empty() -> None:
    moves = {"db": progress(bytes_done=5), "more": progress(bytes_done=1, bytes_total=2)}
    text = shown([Row("register", "EnsureDatabaseCopy", "running", START, 5, False, moves)])
    assert "0 B" not in text
    assert "/s" not in text


def test_of_too_many_rows_the_failed_ones_come_first() -> None:
    rows = [Row(f"s{number:02}", "EnsureTarget", "done" if number < 30 else "failed") for number in range(31)]
    text = shown(rows, room=5)
    assert "s30" in text
    assert "s04" not in text
    assert "failed 1, done 30, … +26" in text


@pytest.mark.parametrize(
    ("value", "text"), [(0.26, "0.3 s"), (99, "99 s"), (187, "3:07"), (7387, "2:03:07"), (40 * 86400, "40 d 00 h")]
)
def test_durations_are_short(value: float, text: str) -> None:
    assert duration(value) == text


@pytest.mark.parametrize(("value", "text"), [(12, "12 B"), (1536, "1.5 KiB"), (812 * 2**20, "812 MiB")])
def test_sizes_are_short(value: float, text: str) -> None:
    assert size(value) == text


def test_a_wave_is_followed_through_its_events_and_its_bytes(city: City) -> None:
    with Following(str(city.hub), (SYSTEM,)) as rows:
        request = RunSystems(hub=str(city.hub), systems=(SYSTEM,), itinerary="migrate", clock=city.clock, listener=rows)
        run_systems(request)
        (row,) = rows.rows()
        assert (row.phase, row.state) == ("WaitForCutoverApproval", "waiting")
        assert row.done > 10
    with Following(str(city.hub), ()) as rows:
        (row,) = rows.rows()
        assert (row.system, row.phase, row.state) == (SYSTEM, "WaitForCutoverApproval", "waiting")


def test_bytes_of_a_copy_that_goes_on_are_seen(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    city.run("migrate")
    row = Row(SYSTEM, "EnsureFileCopy", "running")
    found = Following(str(city.hub), (SYSTEM,))
    monkeypatch.setattr(found, "_rows", {SYSTEM: row})
    (city.target / "index.txt").unlink()
    with found:
        found._stop.wait(0.01)
        deadline = datetime.now(UTC) + timedelta(seconds=20)
        while not found.rows()[0].moves and datetime.now(UTC) < deadline:
            found._stop.wait(0.1)
        papers = found.rows()[0].moves["papers"]
    assert papers.bytes_done is not None
    assert papers.bytes_total == papers.bytes_done + (city.source / "index.txt").stat().st_size


def test_programs_hear_nothing_and_logs_get_lines(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "rehearse", str(city.hub), SYSTEM, "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["summary"]["done"], err) == (1, "")
    assert main(["migrate", "rehearse", str(city.hub), SYSTEM]) == 0
    assert "EnsureFileCopy: done" in capsys.readouterr().err


def test_a_terminal_gets_a_table_that_goes_away(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    out = io.StringIO()
    terminal.err = Console(file=out, force_terminal=True, width=150, height=20, legacy_windows=False)
    monkeypatch.setattr(Terminal, "live", property(lambda _: True))
    with following(terminal, str(city.hub), (SYSTEM,), None) as listener:
        request = RunSystems(
            hub=str(city.hub), systems=(SYSTEM,), itinerary="migrate", clock=city.clock, listener=listener
        )
        run_systems(request)
    text = out.getvalue()
    assert "WaitForCutoverApproval" in text
    # Drawn over, and removed at the end.
    assert "\x1b[2K" in text


def test_the_timeline_of_a_system_has_a_bar_a_step(city: City, tmp_path: Path) -> None:
    city.run("rehearse")
    city.clock.forward(days=1)
    city.run("migrate")
    city.clock.forward(hours=3)
    document = timeline(str(city.hub), (SYSTEM,), clock=city.clock)
    steps = document["systems"][0]["steps"]
    waiting = steps[-1]
    assert (waiting["step"], waiting["ended"], len(waiting["waits"])) == ("CutoverApproval", None, 1)
    root = ElementTree.fromstring(timeline_svg(document))
    titles = [item.text or "" for item in root.iter(f"{SVG}title")]
    assert f"{SYSTEM}-migrate-1: CutoverApproval: 3:00:00 (running)" in titles
    assert sum(title.startswith(f"{SYSTEM}-rehearse-1: ") for title in titles) == len(
        [step for step in steps if step["itinerary"] == "rehearse"]
    )
    bars = [item for item in root.iter(f"{SVG}rect") if item.find(f"{SVG}title") is not None]
    ends = [float(item.attrib["x"]) + float(item.attrib["width"]) for item in bars]
    assert max(ends) <= 1255
    assert min(float(item.attrib["x"]) for item in bars) >= 250
    file = tmp_path / "t.svg"
    assert main(["migrate", "status", str(city.hub), SYSTEM, "--timeline", str(file), "--lang", "zh"]) == 0
    i18n.use("en")
    assert "核验" in file.read_text()
    assert main(["migrate", "status", str(city.hub), "--timeline", str(file)]) == 0
    assert SYSTEM in file.read_text()


def test_a_timeline_without_runs_says_so_and_names_are_escaped(city: City) -> None:
    assert "no run yet" in timeline_svg(timeline(str(city.hub), (SYSTEM,), clock=city.clock))
    step: dict[str, object] = {
        "run": "a<b",
        "itinerary": "x",
        "step": "<i>",
        "begun": "2026-03-02T01:00:00Z",
        "ended": None,
        "waits": [],
    }
    failures = [{"time": "2026-03-02T01:00:05Z", "problem": "1 < 2 & more"}]
    systems = [{"system": "a<b", "steps": [step | {"failures": failures}], "problem": None}]
    ElementTree.fromstring(timeline_svg({"hub": "h&h", "at": "2026-03-02T01:01:00Z", "systems": systems}))


def test_pages_for_a_pull_request(city: City, tmp_path: Path) -> None:
    city.run("migrate")
    page = tmp_path / "page.md"
    assert main(["migrate", "status", str(city.hub), "--markdown", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("<!-- govhub:migrate status mini -->")
    assert f"| `{SYSTEM}` |  | migrate | `WaitForCutoverApproval` | waiting |" in text
    assert main(["migrate", "status", str(city.hub), SYSTEM, "--markdown", str(page)]) == 0
    text = page.read_text()
    assert "| `EnsureFileCopy` | done |" in text
    assert "pause of writes" in text
    assert main(["migrate", "plan", str(city.hub), "--greedy", "--markdown", str(page)]) == 0
    assert f"`{SYSTEM}`" in page.read_text()
    assert "<summary>Wave 1</summary>" in page.read_text()
