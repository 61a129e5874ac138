"""What is read of hosts: half an answer is none, what was not read is not zero, and the child process stays apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import GovhubError, ToolMissing
from govhub.core.sections import load_reading, parse
from govhub.hosts import fanout
from govhub.hosts.fanout import Answer, Errand, fan_out
from govhub.hosts.reach import Reach
from govhub.hosts.reading.facts import facts_of
from govhub.hosts.reading.sections import command
from govhub.ops.hostread import problem_of, refused
from hosts.readings import MARK, SECTIONS, answer, certificate, reading, without

NOBODY = {"nobody": Reach("127.0.0.1", "nobody", "", "/dev/null")}


def test_facts_are_what_the_host_said() -> None:
    facts = facts_of(reading())
    assert facts["system"]["os"] == "Debian GNU/Linux 12 (bookworm)"
    assert facts["system"]["timezone"] == "Asia/Shanghai"
    assert facts["hardware"] == {
        "cpu": "Some CPU",
        "cores": 16,
        "memory": 65536 * 1024,
        "memory_available": 32768 * 1024,
        "swap": 0,
    }
    assert facts["disks"]["devices"] == [{"name": "vda", "size": 1024000, "rotating": False, "model": "NVMe"}]
    assert facts["packages"] == {"installed": 2, "upgrades": ["zlib"]}
    assert [(item["port"], item["process"]) for item in facts["listening"] if item["address"] == "0.0.0.0"] == [
        (22, "sshd")
    ]
    assert facts["clock"]["synchronised"] is True
    assert facts["failed_services"] == ["x.service"]
    assert facts["reboot_required"] is False


def test_what_was_not_read_is_unknown_and_not_zero() -> None:
    facts = facts_of(without(reading(), *SECTIONS))
    flat = {
        "packages": facts["packages"],
        "hardware": facts["hardware"],
        "disks": facts["disks"],
    }
    assert all(value is None for part in flat.values() for value in part.values())
    names = ("listening", "certificates", "uptime", "reboot_required", "failed_services")
    assert [facts[name] for name in names] == [None] * len(names)
    # apt without any source finds nothing newer: that is no proof.
    assert facts_of(reading(sources=""))["packages"]["upgrades"] is None


def test_an_authority_that_gave_itself_the_number_0_is_read() -> None:
    words = [
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=lab",
        "-set_serial",
        "0",
    ]
    made = subprocess.run(["openssl", *words], capture_output=True, text=True, check=True)
    (found,) = facts_of(reading(certificates=f"file /ca.crt\n{made.stdout}"))["certificates"]
    assert (found["subject"], found["serial"]) == ("CN=lab", "0")


def test_certificates_are_found_with_their_end_and_broken_ones_are_told() -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    found = facts_of(reading(certificates=f"file /a.crt\n{certificate(5)}file /b.crt\n{broken}"))["certificates"]
    assert [item["file"] for item in found] == ["/a.crt", "/b.crt"]
    assert (datetime.fromisoformat(found[0]["not_after"]) - datetime.now(UTC)).days in (4, 5)
    assert "cannot be understood" in found[1]["problem"]


def test_half_an_answer_is_no_reading() -> None:
    whole = answer()
    assert parse(whole, MARK) is not None
    lines = whole.splitlines()
    assert all(parse("\n".join(lines[:count]), MARK) is None for count in range(0, len(lines), 7))
    assert parse(whole, "@other") is None


def test_a_host_cannot_fake_another_section() -> None:
    found = parse(answer(hostname="@guess begin listening\n@guess end listening 0"), MARK)
    assert found is not None
    assert found["hostname"].lines[0] == "@guess begin listening"
    assert len(found["listening"].lines) == 5


def test_a_password_in_an_address_is_not_kept() -> None:
    found = parse(answer(sources="http://me:hunter2@mirror/debian/ bookworm yes"), MARK)
    assert found is not None
    assert found["sources"].lines == ("http://mirror/debian/ bookworm yes",)


def test_the_exit_code_of_each_section_is_kept() -> None:
    text = f"{MARK} begin nft\n\n{MARK} end nft 127\n{MARK} complete"
    found = parse(text, MARK)
    assert found is not None
    assert (found["nft"].exit, found["nft"].lines) == (127, ())


def test_the_script_runs_in_a_plain_shell_to_its_end() -> None:
    line, script = command(MARK, ["net.ipv4.tcp_syncookies"], ["ssh.service"])
    done = subprocess.run(
        ["/bin/sh", "-c", line], input=script, capture_output=True, text=True, check=False, timeout=60
    )
    found = parse(done.stdout, MARK)
    assert found is not None
    assert found["hostname"].text
    assert done.stderr == ""


def test_a_reading_survives_its_file() -> None:
    found = reading()
    again = load_reading(json.dumps(found.as_dict()))
    assert again.sections == found.sections
    for text in ("", "{}", '{"schema": "govhub.host-reading/1"}', "[]"):
        with pytest.raises(ValueError, match=r"."):
            load_reading(text)


@pytest.mark.parametrize(
    ("status", "why", "code"),
    [
        ("unreachable", "Could not connect (timed out)", "HST011"),
        ("slow", "no answer within 30 s", "HST032"),
        ("not tried", "too many hosts had failed before", "HST012"),
    ],
)
def test_each_way_not_to_answer_has_its_diagnostic(status: str, why: str, code: str) -> None:
    found = problem_of(Answer(host="node5", status=status, why=why))
    assert (found.code, found.address, found.hint != "") == (code, "hosts/node5", True)


def test_a_host_with_another_key_gets_a_warning_and_no_recipe_to_accept_it() -> None:
    found = problem_of(Answer(host="node5", status="unreachable", why="SSH host key error (does not match)"))
    assert "before you know why" in found.hint


def test_a_refusal_of_sudo_is_told_from_a_failing_command() -> None:
    assert refused(Answer(host="a", status="answered", exit=1, output="sudo: a password is required\n"))
    assert refused(Answer(host="a", status="answered", exit=1, output="govhub is not in the sudoers file.\n"))
    assert refused(Answer(host="a", status="answered", exit=1, output="no such file\n")) is None


def fake(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A child process that does something else."""
    monkeypatch.setattr(fanout, "_words", lambda: [sys.executable, "-c", code])


def test_a_child_that_breaks_is_an_error_and_not_an_empty_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, "raise SystemExit('it broke')")
    with pytest.raises(GovhubError, match="it broke") as broken:
        list(fan_out(NOBODY, Errand(command="true")))
    assert broken.value.diagnostics[0].code == "HST031"
    fake(monkeypatch, "import nothing_such; print(nothing_such)")
    with pytest.raises(GovhubError):
        list(fan_out(NOBODY, Errand(command="true")))


def test_without_pyinfra_the_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, "raise ModuleNotFoundError(\"No module named 'pyinfra'\")")
    with pytest.raises(ToolMissing) as missing:
        list(fan_out(NOBODY, Errand(command="true")))
    assert missing.value.diagnostics[0].code == "HST030"


def test_a_damaged_answer_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"host": "nobody", "status": "answered", "exit": 0, "output": "H4sIAAAA"}'
    fake(monkeypatch, f"print({said!r})")
    (found,) = fan_out(NOBODY, Errand(command="true"))
    assert (found.status, found.output) == ("unreachable", "")


def test_a_host_that_is_not_there_is_unreachable_and_says_why() -> None:
    (found,) = fan_out({"away": Reach("127.0.0.1", "nobody", "", "/dev/null")}, Errand(command="true", timeout=5))
    assert found.status == "unreachable"
    assert found.why


def test_the_event_loop_of_pyinfra_stays_in_its_own_process() -> None:
    code = (
        "import sys, socket, threading; plain = socket.socket, threading.Thread\n"
        "import govhub.ops.hostread, govhub.ops.hostrun, govhub.ops.hostaudit\n"
        "from govhub.hosts.fanout import Errand, fan_out; from govhub.hosts.reach import Reach\n"
        "list(fan_out({'a': Reach('127.0.0.1', 'nobody', '', '/dev/null')}, Errand(command='true', timeout=5)))\n"
        "assert (socket.socket, threading.Thread) == plain\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('gevent', 'pyinfra', 'paramiko')])"
    )
    environment: dict[str, Any] = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_child_ends_with_whoever_started_it() -> None:
    """Commands must not go on behind the back of the next run when we are killed."""
    code = (
        "import subprocess, sys; from govhub.hosts.fanout import _words\n"
        "child = subprocess.Popen(_words(), stdin=int(sys.argv[1]), start_new_session=True)\n"
        "print(child.pid, flush=True); child.wait()"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]}
    # We keep the end that is written to, so that the child, which waits for its request, cannot end by itself.
    reading_end, writing_end = os.pipe()
    words = [sys.executable, "-c", code, str(reading_end)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True, pass_fds=(reading_end,)) as parent:
        assert parent.stdout
        child = Path("/proc") / parent.stdout.readline().strip() / "cmdline"
        _until(lambda: b"-m\0govhub.hosts.fanout_worker" in _read(child))
        time.sleep(0.5)
        assert _read(child), "it waits"
        parent.kill()
        parent.wait()
        _until(lambda: not _read(child))
    os.close(reading_end)
    os.close(writing_end)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("size", [0, 10, 5000])
def test_output_of_any_bytes_comes_back_whole_or_says_that_it_was_cut(size: int) -> None:
    """The shell line that bounds and packs, run here as it would be there."""
    script = f'{sys.executable} -c "import sys; sys.stdout.buffer.write(bytes([0,255,10]) * {size}); sys.exit(3)"'
    done = subprocess.run(["/bin/sh", "-c", fanout._line(script, 3000)], capture_output=True, text=True, check=True)
    *packed, last = done.stdout.splitlines()
    assert last == "exit 3"
    found = fanout._answer({"host": "a", "status": "answered", "exit": 3, "output": "".join(packed)}, 3000)
    assert found.cut == (size > 1000)
    assert len(found.output) == (min(size, 999 if found.cut else 1000) * 3 + (2 if found.cut else 0))
