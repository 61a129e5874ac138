"""``up`` and ``destroy``: questions, interrupts, progress and outcome."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli import samples
from cli.conftest import Fake
from cli.samples import matches
from govhub.cli.terminal import Terminal
from govhub.cli.views.progress import Watch, announcement
from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.events import EventLog, first_broken_link, read_events
from govhub.core.exits import Exit
from govhub.ops.requests import RunRequest, RunResult

Body = Callable[[RunRequest], RunResult]


class Tty(io.StringIO):
    """A terminal with somebody in front of it."""

    def isatty(self) -> bool:
        return True


def serve(ops: Fake, status: str = "done", body: Body | None = None) -> list[RunRequest]:
    asked: list[RunRequest] = []

    def up(request: RunRequest) -> RunResult:
        asked.append(request)
        if body:
            return body(request)
        result = samples.run_result(status)
        if status != "unchanged" and request.approve and not request.approve(result.plan):
            result.status = "declined"
        return result

    ops("up", up=up)
    ops("destroy", destroy=up)
    return asked


@pytest.fixture
def tty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Tty]:
    """Sit somebody in front of the terminal, who answers; gives what is on stderr."""

    def sit(answer: str) -> Tty:
        err = Tty()
        monkeypatch.setattr(sys, "stdin", Tty(answer))
        monkeypatch.setattr(sys, "stderr", err)
        return err

    return sit


def test_a_good_run_ends_with_layers_readiness_and_the_next_command(ops: Fake, govhub: Any) -> None:
    serve(ops)
    code, out, _ = govhub("up", "jinzhou", "--yes")
    assert code == 0
    assert matches("up.txt", out)


def test_a_failed_run_tells_what_failed_and_how_to_go_on(ops: Fake, govhub: Any) -> None:
    serve(ops, "failed")
    code, out, _ = govhub("up", "jinzhou", "--yes", "--lang", "zh")
    assert code == 1
    assert matches("up-failed.zh.txt", out)


def test_json_is_one_document_and_the_plan_goes_to_stderr(ops: Fake, govhub: Any) -> None:
    serve(ops)
    code, out, err = govhub("up", "jinzhou", "--yes", "--json")
    assert code == 0
    assert json.loads(out)["schema"] == "govhub.run/1"
    assert "5 to create" in err


def test_the_flags_become_a_request(ops: Fake, govhub: Any) -> None:
    asked = serve(ops)
    words = "up jinzhou --yes --confirm finance --confirm health --timeout 60 --wait 0 --workers 4 --tenant finance"
    govhub(*words.split(), "--plan", "p.json")
    request = asked[0]
    assert request.confirm == ("finance", "health")
    assert (request.timeout, request.wait, request.workers) == (60, 0, 4)
    assert request.plan_file == Path("p.json")
    assert request.selection.tenants == ("finance",)


def test_without_a_terminal_and_without_yes_it_is_a_usage_error(ops: Fake, govhub: Any) -> None:
    serve(ops)
    code, _, err = govhub("up", "jinzhou")
    assert code == 64
    assert "--yes" in err


def test_no_changes_means_no_question(ops: Fake, govhub: Any) -> None:
    serve(ops, "unchanged")
    code, out, _ = govhub("up", "jinzhou")
    assert code == 0
    assert "nothing to do; 140 objects are as declared" in out


@pytest.mark.parametrize(
    ("answer", "status"), [("y\n", "done"), ("是\n", "done"), ("n\n", "declined"), ("\n", "declined"), ("", "declined")]
)
def test_the_question_is_answered(ops: Fake, govhub: Any, tty: Callable[[str], Tty], answer: str, status: str) -> None:
    serve(ops)
    err = tty(answer)
    code, out, _ = govhub("up", "jinzhou")
    assert code == 0
    assert "Make these changes? [y/N]" in err.getvalue()
    assert f"jinzhou: {status}" in out


def test_destroy_says_that_nothing_is_left(ops: Fake, govhub: Any) -> None:
    serve(ops)
    code, out, _ = govhub("destroy", "jinzhou", "--yes", "--confirm", "jinzhou")
    assert code == 0
    assert "Nothing is left" in out


def test_destroy_says_that_hosts_were_left_alone(ops: Fake, govhub: Any) -> None:
    result = samples.run_result("done")
    result.untouched = ("ht-c01", "ht-c02")
    serve(ops, body=lambda _: result)
    out = govhub("destroy", "jinzhou", "--yes", "--confirm", "jinzhou")[1]
    assert "Hosts were left alone, with all that is on them: 2 hosts" in out
    assert "To take them out: govhub hosts retire jinzhou HOST…" in out
    document = json.loads(govhub("destroy", "jinzhou", "--yes", "--confirm", "jinzhou", "--json")[1])
    assert document["untouched_hosts"] == ["ht-c01", "ht-c02"]


def test_destroy_passes_on_a_narrowing_so_that_its_refusal_explains(ops: Fake, govhub: Any) -> None:
    asked = serve(ops)
    govhub("destroy", "jinzhou", "--yes", "--tenant", "finance")
    assert asked[0].selection.tenants == ("finance",)


def test_side_files_of_a_run(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    log = EventLog()

    def body(request: RunRequest) -> RunResult:
        assert request.listener
        log.listen(request.listener)
        log.emit("run-started", run="r1", hub="jinzhou")
        log.emit("shard-finished", shard="main/tenants/0", status="done", seconds=1.0, counts={"create": 2})
        return samples.run_result()

    serve(ops, body=body)
    code, _, err = govhub(
        "up", "jinzhou", "--yes", "--events", str(tmp_path / "e"), "--markdown", str(tmp_path / "m.md")
    )
    assert code == 1
    assert "done  main/tenants/0  create 2  1.00 s" in err
    assert [event["kind"] for event in read_events(tmp_path / "e")] == ["version", "run-started", "shard-finished"]
    assert first_broken_link(tmp_path / "e") is None
    assert matches("up.md", (tmp_path / "m.md").read_text(encoding="utf-8"))


def test_a_refused_run_is_in_the_side_files_too(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    def body(request: RunRequest) -> RunResult:
        raise PolicyViolation.one("BUD001", "too many deletions")

    serve(ops, body=body)
    code, _, _ = govhub("up", "jinzhou", "--yes", "--markdown", str(tmp_path / "m.md"), "--events", str(tmp_path / "e"))
    assert code == 4
    text = (tmp_path / "m.md").read_text(encoding="utf-8")
    assert text.startswith("<!-- govhub:up jinzhou -->")
    assert "BUD001" in text
    assert [event["kind"] for event in read_events(tmp_path / "e")][-1] == "command-failed"


def test_a_page_that_cannot_be_written_does_not_hide_the_result(ops: Fake, govhub: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    serve(ops)
    code, out, err = govhub("up", "jinzhou", "--yes", "--markdown", str(tmp_path / "file" / "m.md"))
    assert code == 1
    assert "jinzhou: done" in out
    assert "GOV004" in err


def test_ctrl_c_stops_gently_then_at_once_then_leaves(ops: Fake, govhub: Any) -> None:
    calls: list[int] = []

    def body(request: RunRequest) -> RunResult:
        assert request.on_start
        request.on_start(lambda: calls.append(1))
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        result = samples.run_result()
        result.status = "interrupted"
        return result

    serve(ops, body=body)
    before = signal.getsignal(signal.SIGINT)
    code, out, err = govhub("up", "jinzhou", "--yes")
    assert code == 130
    assert len(calls) == 2
    assert err.index("Stopping") < err.index("Ending the engines")
    assert "To go on from here: govhub up jinzhou" in out
    assert signal.getsignal(signal.SIGINT) is before


def test_a_third_ctrl_c_does_not_wait(ops: Fake, govhub: Any) -> None:
    def body(request: RunRequest) -> RunResult:
        assert request.on_start
        request.on_start(lambda: None)
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError

    serve(ops, body=body)
    code, _, err = govhub("up", "jinzhou", "--yes")
    assert code == 130
    assert "GOV002" in err


def test_sigterm_is_a_gentle_stop_however_often_it_comes(ops: Fake, govhub: Any) -> None:
    calls: list[int] = []

    def body(request: RunRequest) -> RunResult:
        assert request.on_start
        request.on_start(lambda: calls.append(1))
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        return samples.run_result("done")

    serve(ops, body=body)
    assert govhub("up", "jinzhou", "--yes")[0] == 0
    assert len(calls) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_anything_runs_an_interrupt_ends_the_command(ops: Fake, govhub: Any, number: int) -> None:
    def body(request: RunRequest) -> RunResult:
        os.kill(os.getpid(), number)
        raise AssertionError

    serve(ops, body=body)
    code, _, err = govhub("up", "jinzhou", "--yes")
    assert code == 130
    assert "interrupted" in err


def test_an_unreachable_cluster_decides_the_exit_code(ops: Fake, govhub: Any) -> None:
    def body(request: RunRequest) -> RunResult:
        result = samples.run_result()
        result.failed_exit = Exit.UNREACHABLE
        return result

    serve(ops, body=body)
    code, out, _ = govhub("up", "jinzhou", "--yes")
    assert code == 7
    assert "govhub status jinzhou   govhub up jinzhou" in out


def test_progress_on_a_terminal_draws_bars_and_leaves_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    err = Tty()
    monkeypatch.setattr(sys, "stderr", err)
    watch = Watch(Terminal())
    log = EventLog()
    log.listen(watch)
    log.emit("shard-started", shard="main/tenants/0", objects=2, operation="up")
    log.emit("step", shard="main/tenants/0", urn="u", op="create", failed=False)
    log.emit("shard-finished", shard="main/tenants/0", status="failed", seconds=2.0, counts={}, failures={"u": "x"})
    watch.stop()
    assert "1 / 2" in err.getvalue() or "main/tenants/0" in err.getvalue()
    assert "failed  main/tenants/0  unchanged  1 failure  2.00 s" in err.getvalue()
    assert "\x1b[" in err.getvalue()


def test_a_terminal_that_goes_away_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    log = EventLog()
    log.listen(Watch(Terminal()))
    log.emit("run-started", run="r1")


def test_events_of_another_version_are_shown_as_far_as_they_go() -> None:
    assert announcement("lock-taken-over", {"reason": "its process has ended"}).endswith("?: its process has ended")
    assert announcement("something-new", {}) == ""


def test_an_invalid_saved_plan(ops: Fake, govhub: Any) -> None:
    def body(request: RunRequest) -> RunResult:
        raise InvalidInput.one("PLN003", "the plan is older than 12 hours", hint="plan again")

    serve(ops, body=body)
    code, _, err = govhub("up", "jinzhou", "--plan", "p.json")
    assert code == 3
    assert "PLN003" in err
