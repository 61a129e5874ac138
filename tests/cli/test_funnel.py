"""Whatever ends a command is one clear message and an exit code."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from cli.conftest import Fake
from govhub.core.errors import (
    GovhubError,
    Interrupted,
    InvalidInput,
    LockHeld,
    PolicyViolation,
    TargetUnreachable,
    ToolMissing,
)
from govhub.core.secrets import REDACTOR, Secret

CANARY = "canary-7f3e-secret"


def raising(ops: Fake, error: BaseException) -> None:
    def status(hub: str) -> dict[str, Any]:
        raise error

    ops("status", status=status)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (GovhubError, 1),
        (InvalidInput, 3),
        (PolicyViolation, 4),
        (LockHeld, 5),
        (ToolMissing, 6),
        (TargetUnreachable, 7),
        (Interrupted, 130),
    ],
)
def test_our_errors_carry_their_exit_code(ops: Fake, govhub: Any, kind: type[GovhubError], code: int) -> None:
    raising(ops, kind.one("ABC001", "what happened", detail="one\ntwo", address="clusters.main", hint="do this"))
    result = govhub("status", "jinzhou")
    assert result[:2] == (code, "")
    assert result[2] == "error[ABC001] clusters.main: what happened\n  one\n  two\n  hint: do this\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "GOV002"),
        (OSError(errno.ENOSPC, "No space left on device", "/var/x"), 1, "the disk is full: /var/x"),
        (OSError(errno.EDQUOT, "Quota exceeded"), 1, "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "Permission denied: /x"),
        (ModuleNotFoundError("No module named 'pulumi'", name="pulumi"), 6, "the Python package pulumi is missing"),
        (RuntimeError("boom"), 1, "GOV001"),
        (RecursionError("deep"), 1, "GOV001"),
        (MemoryError(), 1, "GOV001"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_other_exception_too(ops: Fake, govhub: Any, error: BaseException, code: int, said: str) -> None:
    raising(ops, error)
    result = govhub("status", "jinzhou")
    assert result[0] == code
    assert said in result[2]
    assert "Traceback" not in result[2]


def test_the_traceback_is_for_those_who_ask(ops: Fake, govhub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVHUB_DEBUG", "1")
    REDACTOR.add(Secret(CANARY))
    raising(ops, RuntimeError(f"password is {CANARY}"))
    err = govhub("status", "jinzhou")[2]
    assert "Traceback" in err
    assert CANARY not in err


def test_with_json_the_error_is_the_document(ops: Fake, govhub: Any) -> None:
    raising(ops, LockHeld.one("LCK001", "held", hint="wait"))
    code, out, err = govhub("status", "jinzhou", "--json")
    assert (code, err) == (5, "")
    assert json.loads(out) == {
        "schema": "govhub.error/1",
        "diagnostics": [{"code": "LCK001", "severity": "error", "summary": "held", "hint": "wait"}],
        "exit": 5,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing command"),
        (("plna",), "Did you mean 'plan'"),
        (("plan",), "Missing argument"),
        (("plan", "jinzhou", "--tenat", "x"), "--tenant"),
        (("plan", "--lang", "fr", "x"), "fr"),
        (("up", "jinzhou", "--workers", "0"), "workers"),
        (("up", "jinzhou", "--timeout", "soon"), "timeout"),
        (("lab",), "Missing command"),
    ],
)
def test_usage_errors_exit_with_64_and_name_the_help(govhub: Any, words: tuple[str, ...], said: str) -> None:
    code, out, err = govhub(*words)
    assert (code, out) == (64, "")
    assert err.startswith("error[USE001]")
    assert said in err
    assert "--help" in err


def test_a_usage_error_is_a_document_with_json(govhub: Any) -> None:
    code, out, _ = govhub("--json", "plan")
    assert code == json.loads(out)["exit"] == 64


def test_no_secret_and_no_escape_sequence_comes_through(ops: Fake, govhub: Any) -> None:
    REDACTOR.add(Secret(CANARY))
    raising(ops, GovhubError.one("ABC001", f"it said \x1b[2J{CANARY}\u202e", hint=CANARY))
    for words in (("status", "x"), ("status", "x", "--json")):
        _, out, err = govhub(*words)
        assert CANARY not in out + err
        assert "\x1b" not in out + err
        assert "[secret]" in out + err


def test_a_reader_that_stops_is_no_error_worth_a_word() -> None:
    done = subprocess.run(
        f"{sys.executable} -m govhub.cli schema --json | head -c 10",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == '{\n  "$sche'
    assert done.stderr == ""


def test_a_full_device_is_told(ops: Fake) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "govhub.cli", "config", "show"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        )
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
