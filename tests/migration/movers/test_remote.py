"""Commands of movers on a mover host: what comes back, what is seen there, and what is left when somebody is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from govhub.core.secrets import Secret
from govhub.migration.movers.packing import Packing
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.remote import Shell, SshRunner
from govhub.migration.movers.runner import Command, FileFacts
from migration.movers.shells import Loopback, Pipe, sshd, sshd_program

PLACE = "mini/school/register"
Make = Callable[..., SshRunner]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Over a real SSH server where one can be started, else over a pipe."""
    if sshd_program() is None:
        yield Pipe()
        return
    folder = tmp_path_factory.mktemp("sshd")
    with sshd(folder) as reach:
        tunnel = Loopback(reach, folder)
        yield tunnel
        tunnel.close()


@pytest.fixture
def make(shell: Shell, tmp_path: Path) -> Make:
    root, local = tmp_path / "far", tmp_path / "near"
    root.mkdir(mode=0o700)
    local.mkdir()

    def one(place: str = PLACE, **more: object) -> SshRunner:
        return SshRunner(shell, str(root), place, local, **more)  # type: ignore[arg-type]

    return one


def script(text: str, *words: str, **more: object) -> Command:
    return Command(arguments=("sh", "-c", text, "sh", *words), **more)  # type: ignore[arg-type]


def processes(word: str) -> list[int]:
    """Who has the word among its arguments, this process aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes().split(b"\0") and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def until(found: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return reached


def controller(tmp_path: Path, word: str, lease: float = 25, place: str = PLACE) -> subprocess.Popen[bytes]:
    """A controller in a process of its own, whose command runs by now."""
    words = [str(tmp_path / "far"), place, str(tmp_path / "near"), str(lease), "sh", "-c", "sleep 300", word]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-m", "migration.movers.far", *words], env=environment)
    assert until(lambda: bool(set(processes(word)) - {process.pid}), 20)
    return process


def test_output_errors_and_code_come_back_byte_by_byte(make: Make) -> None:
    blob = bytes(range(256)) * 20_000
    done = make().run(script("cat; echo trouble >&2; exit 7", input=blob))
    assert (done.code, done.output, done.errors) == (7, blob, "trouble\n")


def test_a_pipeline_ends_with_the_code_of_the_first_that_failed(make: Make) -> None:
    runner = make()
    counted = script("printf 'abc'; exit 0", then=Command(arguments=("wc", "-c")))
    assert (runner.run(counted).code, runner.run(counted).output.strip()) == (0, b"3")
    broken = script("printf 'abc'; exit 5", then=Command(arguments=("wc", "-c")))
    assert runner.run(broken).code == 5


def test_a_command_that_takes_too_long_is_ended(make: Make) -> None:
    started = time.monotonic()
    assert make().run(Command(arguments=("sleep", "301"), timeout=0.5)).code == 124
    assert time.monotonic() - started < 8
    assert processes("301") == []


def test_a_tool_that_is_missing_is_a_code_and_not_a_lost_connection(make: Make) -> None:
    done = make().run(Command(arguments=("no-such-tool",)))
    assert done.code != 0
    assert "no-such-tool" in done.errors


def test_secrets_are_in_the_commands_environment_and_in_no_argument(make: Make, tmp_path: Path) -> None:
    word, runner = "s3cret-of-the-move", make()
    command = script('echo "$WORD"; sleep 302', secrets={"WORD": Secret(word)}, timeout=3)
    thread = threading.Thread(target=runner.run, args=(command,))
    thread.start()
    try:
        assert until(lambda: bool(processes("302")))
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with path.open("rb") as file:
                assert word.encode() not in file.read()
        for pid in processes("302"):
            assert Path(f"/proc/{pid}/environ").stat().st_mode & 0o077 == 0
    finally:
        thread.join()
    assert processes("302") == [], "what a command that took too long has started ends with it"
    assert not [path for path in (tmp_path / "far").rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def test_what_the_controller_writes_into_a_folder_is_there_and_private(make: Make, tmp_path: Path) -> None:
    runner = make()
    folder = runner.folder("lists")
    (folder / "wanted").write_bytes(b"one\n")
    out = runner.run(script('cat "$1"; stat -c %a "$1" "$2"', str(folder / "wanted"), str(folder))).output
    assert out.split() == [b"one", b"600", b"700"]
    runner.run(script('echo there >"$1"/made', str(folder)))
    # Another controller finds what is there; the dump stays on the host.
    again = make()
    assert again.run(Command(arguments=("cat", f"{again.folder('lists')}/made"))).output == b"there\n"
    assert not (folder / "made").exists()
    again.forget("lists")
    assert not folder.exists()
    assert again.run(Command(arguments=("ls", str(tmp_path / "far" / PLACE / "work")))).output == b""


def test_files_that_commands_wrote_are_known_by_size_and_digest(make: Make, tmp_path: Path) -> None:
    runner, near = make(), tmp_path / "near"
    part, whole = near / "a-register-backup.part", near / "a-register-backup.dump"
    assert runner.facts(part) is None
    runner.fresh(part)
    runner.run(script('printf abc >"$1"', str(part)))
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert runner.facts(part) == FileFacts(3, digest)
    runner.keep(part, whole)
    assert runner.matching(near, "a-register-backup.*") == [whole]
    assert (tmp_path / "far" / PLACE / whole.name).stat().st_mode & 0o777 == 0o600
    runner.remove(whole)
    assert runner.matching(near, "*backup*") == []
    assert list(near.iterdir()) == []


def test_a_brake_goes_along_to_where_govhub_is_not_installed(make: Make) -> None:
    brake = (sys.executable, "-m", "govhub.migration.movers.throttle", "1000000")
    done = make().run(script("head -c 300000 /dev/zero", then=Command(arguments=brake)))
    assert (done.code, len(done.output)) == (0, 300_000), done.errors


def test_tools_are_the_newest_ones_there_and_not_those_of_this_machine(make: Make) -> None:
    done = make().run(Command(arguments=("/usr/lib/postgresql/99/bin/env", "true")))
    assert done.code == 0, done.errors


def test_servers_are_named_as_the_host_reaches_them(make: Make, tmp_path: Path) -> None:
    routes = {("/tmp/socket", 5432): ("10.1.2.3", 5433)}
    runner = make(routes=lambda: routes)
    show = script('echo "$PGHOST $PGPORT"', environment={"PGHOST": "/tmp/socket", "PGPORT": "5432"})
    assert runner.run(show).output == b"10.1.2.3 5433\n"
    other = script('echo "$PGHOST $PGPORT"', environment={"PGHOST": "old.example", "PGPORT": "5432"})
    assert runner.run(other).output == b"old.example 5432\n"
    folder = runner.folder("maria")
    (folder / "x.cnf").write_text("[client]\nhost=/tmp/socket\nport=5432\nprotocol=tcp\nuser=u\n")
    shown = runner.run(Command(arguments=("cat", f"{folder}/x.cnf"))).output
    assert b"host=10.1.2.3\nport=5433\nprotocol=tcp\nuser=u" in shown


def test_a_host_says_how_much_it_has_to_do(make: Make, tmp_path: Path) -> None:
    runner = make()
    assert (runner.look().running, runner.look().places, runner.look().here) == (0, 0, False)
    held = controller(tmp_path, "busy-303", place="mini/other/files")
    try:
        found = runner.look()
        assert (found.running, found.places, found.here) == (1, 1, False)
        assert found.free
    finally:
        held.kill()
        held.wait()
    assert until(lambda: runner.look().running == 0)
    runner.fresh(tmp_path / "near" / "x")
    assert runner.look().here


def test_nothing_runs_on_when_the_controller_is_killed(make: Make, tmp_path: Path) -> None:
    process = controller(tmp_path, "killed-304")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert until(lambda: processes("killed-304") == [], 5)


def test_nothing_runs_on_when_the_controller_falls_silent(make: Make, tmp_path: Path) -> None:
    process = controller(tmp_path, "silent-305", lease=5)
    process.send_signal(signal.SIGSTOP)
    try:
        assert until(lambda: set(processes("silent-305")) == {process.pid}, 12)
    finally:
        process.kill()
        process.wait()


def test_a_long_command_outlives_its_lease_while_the_controller_lives(make: Make) -> None:
    assert make(lease=5.0).run(Command(arguments=("sleep", "7"))).code == 0


def test_who_takes_a_place_over_finds_nobody_at_work_there(make: Make, tmp_path: Path) -> None:
    process = controller(tmp_path, "earlier-306")
    other = controller(tmp_path, "elsewhere-307", place="mini/other/files")
    process.send_signal(signal.SIGSTOP)
    try:
        assert make().run(Command(arguments=("true",))).code == 0
        assert set(processes("earlier-306")) == {process.pid}
        assert len(processes("elsewhere-307")) > 1, "another move is left alone"
    finally:
        for item in (process, other):
            item.kill()
            item.wait()


def test_a_lost_connection_is_no_result(make: Make) -> None:
    runner = make()
    errors: list[MoveFailed] = []

    def run() -> None:
        try:
            runner.run(script("sleep 308", "lost-308"))
        except MoveFailed as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert until(lambda: bool(processes("lost-308")))
    (agent,) = {os.getpgid(pid) for pid in processes("lost-308")}
    os.kill(agent, signal.SIGKILL)
    thread.join(10)
    (error,) = errors
    assert error.diagnostics[0].code == "MOV401"
    assert until(lambda: processes("lost-308") == [])


def test_a_host_without_the_folder_is_said_to_be_so(shell: Shell, tmp_path: Path) -> None:
    with pytest.raises(MoveFailed) as caught:
        SshRunner(shell, str(tmp_path / "nothing"), PLACE, tmp_path).look()
    assert caught.value.diagnostics[0].code == "MOV402"


def test_paths_outside_of_the_place_are_a_mistake_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not in the subpath"):
        Packing(tmp_path / "near").relative(tmp_path / "far" / "x")
