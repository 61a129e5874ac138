"""File trees move with every name, link and byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from govhub.core.diagnostics import Diagnostic
from govhub.migration.cutover.sequence import cut_over, roll_back
from govhub.migration.movers.files.mover import FileMover, Options
from govhub.migration.movers.files.rsync import Place, shards, waiting
from govhub.migration.movers.protocol import Direction, Limits, MoveFailed, Mover, Stage
from govhub.migration.movers.runner import Command, Done, LocalRunner

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
ODD = (b"plain", b"two\nlines", b"\xff\xfe not UTF-8", "局 文件".encode(), b" leading", b"*", b"-rf", b"a'b\"c")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "old"
    for index, name in enumerate(ODD):
        folder = os.fsencode(root) + b"/" + name
        os.makedirs(folder + b"/inner/" + name)  # noqa: PTH103 - names are bytes
        for number in range(4):
            Path(os.fsdecode(folder + b"/inner/" + name + b"%d" % number)).write_bytes(
                bytes([index]) * 5000 * (index + 1)
            )
    Path(root / "loose").write_bytes(os.urandom(300_000))
    os.link(root / "loose", root / "plain" / "linked")
    (root / "plain" / "symbolic").symlink_to("../loose")
    (root / "plain" / "mode").write_text("x")
    (root / "plain" / "mode").chmod(0o640)
    (root / "empty").mkdir()
    return root


def mover_of(tree: Path, options: Options | None = None) -> FileMover:
    return FileMover("files", Place(path=str(tree)), Place(path=str(tree.parent / "new")), LocalRunner(), options)


def listing(root: Path) -> list[tuple[bytes, int, int, bytes]]:
    out = []
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in [b"", *names]:
            path = os.path.join(folder, name)  # noqa: PTH118 - names are bytes
            found = os.lstat(path)
            content = b"" if os.path.isdir(path) or os.path.islink(path) else Path(os.fsdecode(path)).read_bytes()  # noqa: PTH112, PTH114
            out.append((path[len(os.fsencode(root)) :], found.st_mode, found.st_nlink, content))
    return sorted(out)


class Quiet:
    def stop_writes(self, direction: Direction) -> None: ...

    def verify(self, direction: Direction) -> list[Diagnostic]:
        return []

    def switch(self, direction: Direction) -> None: ...

    def resume_writes(self, direction: Direction) -> None: ...


def test_a_tree_moves_and_comes_back_with_what_was_written_meanwhile(tree: Path) -> None:
    mover: Mover = mover_of(tree)
    new = tree.parent / "new"
    mover.prepare()
    mover.start()
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    assert mover.caught_up()
    assert mover.lag().bytes == 0
    (tree / "late").write_text("written during the move")
    (tree / "plain" / "mode").unlink()
    assert mover.lag().bytes == 23
    assert cut_over(mover, Quiet()).done
    assert listing(new) == listing(tree)
    assert new.joinpath("loose").stat().st_nlink == 2
    (new / "on target").write_text("kept")
    assert mover.lag(Direction.BACK).bytes == 4
    assert mover.progress().stage is Stage.MOVED
    assert roll_back(mover, Quiet()).done
    assert (tree / "on target").read_text() == "kept"
    assert listing(new) == listing(tree)


def test_a_file_that_changed_without_a_trace_is_found_by_its_contents(tree: Path) -> None:
    mover = mover_of(tree)
    mover.prepare()
    mover.start()
    mover.advance()
    there = tree.parent / "new" / "loose"
    stamp = there.stat()
    there.write_bytes(b"y" * stamp.st_size)
    os.utime(there, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    assert there.read_bytes() == (tree / "loose").read_bytes()


def test_whoever_still_writes_after_the_stop_sends_everything_back(tree: Path) -> None:
    mover = mover_of(tree, Options(checksum_in_pause=True))
    mover.prepare()
    mover.start()
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    ended = threading.Event()

    def write() -> None:
        with (tree / "loose").open("ab", buffering=0) as file:
            # It grows: whatever was copied is never the same as what is there a moment later.
            while not ended.is_set():
                file.write(os.urandom(1000))
                time.sleep(0.0005)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        outcome = cut_over(mover, Quiet())
    finally:
        ended.set()
        thread.join()
    assert outcome.returned
    # rsync itself may be the first to see that a file changes under it.
    assert [item.code for item in outcome.problems] in (["MOV202"], ["MOV203"])


def test_a_killed_pass_is_gone_on_with_by_the_next_controller(tree: Path) -> None:
    (tree / "large").write_bytes(os.urandom(6_000_000))
    script = (
        "import sys; from govhub.migration.movers.files.mover import *; from govhub.migration.movers.runner import *\n"
        "m = FileMover('files', Place(path=sys.argv[1]), Place(path=sys.argv[2]), LocalRunner(), "
        "Options(limits=Limits(bandwidth=2 << 20)))\n"
        "m.prepare(); m.start(); m.advance()"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tree), str(tree.parent / "new")])
    time.sleep(1.8)
    process.kill()
    assert process.wait() == -9
    time.sleep(0.3)
    left = subprocess.run(["pgrep", "-f", f"rsync.*{tree}"], capture_output=True, check=False).stdout
    assert left == b""
    mover = mover_of(tree)
    mover.prepare()
    mover.start()
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    assert cut_over(mover, Quiet()).done
    assert listing(tree.parent / "new") == listing(tree)


def test_bandwidth_is_kept_and_cancelling_leaves_nothing(tree: Path) -> None:
    (tree / "large").write_bytes(os.urandom(3_000_000))
    before = listing(tree)
    mover = mover_of(tree, Options(limits=Limits(bandwidth=1 << 20, parallel=2)))
    mover.prepare()
    mover.start()
    began = time.monotonic()
    mover.advance()
    assert time.monotonic() - began > 2
    mover.cancel()
    assert sorted(path.name for path in tree.parent.iterdir()) == ["old"]
    assert listing(tree) == before


class Pressed(LocalRunner):
    """A host whose kernel says how much work waits for its disk; all else is real."""

    def __init__(self, says: bytes | None) -> None:
        self.says = says
        self.begun: list[float] = []

    def run(self, command: Command) -> Done:
        if any("/proc/pressure/io" in word for word in command.arguments):
            assert super().run(command).code == 0
            return Done(0, self.says, "") if self.says is not None else Done(255, b"", "no route to host")
        if "--files-from=-" in command.arguments:
            self.begun.append(time.monotonic())
        return super().run(command)


def stalled(percent: float) -> bytes:
    return (
        b"some avg10=%.2f avg60=9.00 avg300=0.00 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=1\n" % percent
    )


def test_pieces_of_a_tree_wait_while_work_on_its_host_waits_for_the_disk(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("govhub.migration.movers.files.mover.LOOK", 0.05)
    runner = Pressed(stalled(80.0))
    source, target = Place(path=str(tree)), Place(path=str(tree.parent / "new"))
    mover = FileMover("files", source, target, runner, Options(limits=Limits(pressure=20.0)))
    mover.prepare()
    mover.start()
    first = threading.Thread(target=mover.advance)
    first.start()
    time.sleep(1.0)
    assert runner.begun == [], "nothing is read of a host that is busy"
    runner.says = stalled(19.9)
    first.join(timeout=60)
    assert len(runner.begun) > 2, "in more pieces than without a limit"
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    assert listing(tree) == listing(Path(target.path))


@pytest.mark.parametrize("says", [b"", b"no such thing", stalled(20.0)])
def test_a_kernel_that_does_not_know_or_is_at_the_limit_holds_nothing_up(tree: Path, says: bytes) -> None:
    source, target = Place(path=str(tree)), Place(path=str(tree.parent / "new"))
    mover = FileMover("files", source, target, Pressed(says), Options(limits=Limits(pressure=20.0)))
    mover.prepare()
    mover.start()
    while mover.advance().stage is not Stage.FOLLOWING:
        pass
    assert listing(tree) == listing(Path(target.path))


def test_how_much_waits_is_read_of_the_real_kernel(tree: Path) -> None:
    found = waiting(LocalRunner(), Place(path=str(tree)))
    if Path("/proc/pressure/io").exists():
        assert found is not None
        assert 0 <= found <= 100
    else:
        assert found is None
    with pytest.raises(MoveFailed, match="does not answer"):
        waiting(Pressed(None), Place(path=str(tree)))


def test_a_folder_with_something_in_it_is_never_taken(tree: Path) -> None:
    (tree.parent / "new").mkdir()
    (tree.parent / "new" / "theirs").write_text("x")
    with pytest.raises(MoveFailed, match="not empty"):
        mover_of(tree).prepare()
    missing = FileMover("files", Place(path="/nowhere/at/all"), Place(path=str(tree.parent / "n")), LocalRunner())
    assert [item.code for item in missing.assess()] == ["MOV201"]


def test_shards_are_of_about_the_same_size_and_open_a_folder_that_is_too_large() -> None:
    entries = {b"": 100, b"big": 80, b"big/a": 40, b"big/b": 40, b"c": 10, b"d": 10}
    assert sorted(map(sorted, shards(entries, 2))) == [[b"big/a", b"c"], [b"big/b", b"d"]]
    assert shards({b"": 0}, 3) == []


def test_a_command_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    done = LocalRunner(tmp_path).run(
        Command(arguments=("sh", "-c", 'sleep 60 & echo $! >"$1"; wait', "sh", str(told)), timeout=0.5)
    )
    assert done.code == 124
    child = Path(f"/proc/{told.read_text().strip()}")
    end = time.monotonic() + 5
    while child.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not child.exists()
