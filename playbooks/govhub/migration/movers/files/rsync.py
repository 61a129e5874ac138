"""rsync between two folders, in shards; names are bytes and may hold anything but a slash and a zero."""

from __future__ import annotations

import base64
import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore

from govhub.migration.movers.files.relay import MARK, SHELL
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Done, Runner

PARTIAL = ".govhub-partial"
_RELAY = f"{__package__}.relay"
# Files that vanish while they are read: what an application does every minute, and no error before the freeze.
VANISHED = 24
PIECES = 16
"""Of a shard that is copied with pauses: each costs an rsync, which asks the target about every file of it anyway."""
_STALLED = re.compile(rb"^some avg10=([0-9.]+)", re.MULTILINE)
_COPY = ("-aHAXS", "--numeric-ids", f"--partial-dir={PARTIAL}", "--stats", "--no-h", "--timeout=120")
_STATS = {
    "total": re.compile(r"^Total file size: ([0-9]+)", re.MULTILINE),
    "sent": re.compile(r"^Total transferred file size: ([0-9]+)", re.MULTILINE),
    "files": re.compile(r"^Number of regular files transferred: ([0-9]+)", re.MULTILINE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder, on the host where the runner runs or, when ``login`` is given, on another one over SSH."""

    path: str
    login: str | None = None
    """``user@host``."""
    ssh: tuple[str, ...] = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
    sudo: bool = False
    """The login is not root, and becomes it: owners are carried along."""
    ours: bool = False
    """A host of the hub: between two hosts, rsync's client runs on this one."""

    def __str__(self) -> str:
        return f"{self.login}:{self.path}" if self.login else self.path

    def command(self, *arguments: str, stdin: bytes | None = None) -> Command:
        """A command on the place's host."""
        if self.login is not None:
            arguments = (*self.shell(), shlex.join(arguments))
        return Command(arguments=arguments, input=stdin)

    def shell(self) -> tuple[str, ...]:
        """What runs a command of one more word on the place's host, which is another one."""
        assert self.login is not None
        return ("ssh", *self.ssh, self.login, "--", *(("sudo", "-n") if self.sudo else ()))


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass found and carried, in bytes and files."""

    total: int
    sent: int
    files: int


def ask(runner: Runner, place: Place, *arguments: str, stdin: bytes | None = None) -> Done:
    """Run a command on a place's host.

    Raises:
        MoveFailed: it fails (MOV201).
    """
    done = runner.run(place.command(*arguments, stdin=stdin))
    if done.code:
        raise MoveFailed.one(
            "MOV201",
            f"a folder of the move cannot be read or written: {place}",
            detail=done.errors.strip()[-500:],
            hint="see its owner and mode, and that its host answers; then repeat",
        )
    return done


def sizes(runner: Runner, place: Place) -> dict[bytes, int]:
    """Entries of the folder, and of its folders, to their sizes in bytes; ``b""`` is the whole."""
    # Files come and go while it counts; what it could count is what is wanted.
    done = runner.run(place.command("du", "-0", "-a", "-b", "-d", "2", "--", place.path))
    found: dict[bytes, int] = {}
    for line in done.output.split(b"\0"):
        size, _, name = line.partition(b"\t")
        if name:
            found[name[len(place.path.encode()) :].lstrip(b"/")] = int(size)
    if b"" not in found:
        ask(runner, place, "test", "-d", place.path)
    return found


def shards(entries: dict[bytes, int], count: int) -> list[list[bytes]]:
    """At most ``count`` lists of entries of about the same size; a folder larger than a share is opened once."""
    share = entries.get(b"", 0) / max(count, 1)
    units: dict[bytes, int] = {}
    for name, size in entries.items():
        if not name or b"/" in name:
            continue
        inside = {inner: item for inner, item in entries.items() if inner.startswith(name + b"/")}
        units.update(inside if size > share and inside else {name: size})
    out: list[list[bytes]] = [[] for _ in range(max(count, 1))]
    load = [0] * len(out)
    for name in sorted(units, key=lambda item: (-units[item], item)):
        lightest = load.index(min(load))
        out[lightest].append(name)
        load[lightest] += units[name] + 4096
    return [item for item in out if item]


def waiting(runner: Runner, place: Place) -> float | None:
    """Percent of the last ten seconds in which work on the place's host waited for a disk; ours counts, too.

    Pressure stall information of the kernel (``some avg10`` of ``/proc/pressure/io``). None where it has none.

    Raises:
        MoveFailed: the host does not answer (MOV201).
    """
    done = runner.run(place.command("sh", "-c", "cat /proc/pressure/io 2>/dev/null || true"))
    if done.code:
        raise MoveFailed.one("MOV201", f"the host of {place} does not answer", detail=done.errors.strip()[-500:])
    found = _STALLED.search(done.output)
    return float(found.group(1)) if found else None


def sharded(
    runner: Runner,
    source: Place,
    target: Place,
    count: int,
    bandwidth: int | None,
    ready: Callable[[], None] | None = None,
) -> Pass:
    """One pass in up to ``count`` processes at a time; removes nothing on the target.

    Args:
        runner: Where rsync runs.
        source: What is read.
        target: What is written.
        count: Processes at a time.
        bandwidth: Bytes per second of all together.
        ready: Waits until a further piece may be begun; the pieces are smaller then.
    """
    lists = shards(sizes(runner, source), count * (PIECES if ready else 1))
    workers = max(min(len(lists), count), 1)
    limit = None if bandwidth is None else bandwidth / workers

    def one(names: Sequence[bytes]) -> Pass:
        extra = ("-r", "--from0", "--files-from=-")
        return _pass(runner, source, target, extra, limit, stdin=b"\0".join(names) + b"\0")

    slots, begun = Semaphore(workers), list[Future[Pass]]()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for names in lists:
            # Waited for here, not in the pool: who is interrupted waits for pieces that run, and begins none.
            slots.acquire()
            if any(item.done() and item.exception() for item in begun):
                break
            if ready:
                ready()
            begun.append(pool.submit(one, names))
            begun[-1].add_done_callback(lambda _: slots.release())
        passes = [item.result() for item in begun]
    return Pass(*(sum(getattr(item, name) for item in passes) for name in ("total", "sent", "files")))


def whole(runner: Runner, source: Place, target: Place, bandwidth: int | None, *, checksum: bool = False) -> Pass:
    """One pass over everything that also removes what the source no longer has, and sets links across shards."""
    extra = ["--delete", f"--exclude={PARTIAL}", *(["--checksum"] if checksum else [])]
    return _pass(runner, source, target, extra, bandwidth)


def differing(runner: Runner, source: Place, target: Place, *, checksum: bool) -> tuple[Pass, list[str]]:
    """What a further pass would carry, and names that differ, escaped; nothing is changed."""
    extra = ["--delete", "--dry-run", "--out-format=%i %n", f"--exclude={PARTIAL}"]
    done = _run(runner, source, target, [*extra, *(["--checksum"] if checksum else [])], None)
    lines = done.output.decode(errors="backslashreplace").splitlines()
    return _read(done), [line for line in lines if re.match(r"^([<>ch.*][fdLDS+?]|\*deleting)", line)]


def _pass(
    runner: Runner,
    source: Place,
    target: Place,
    extra: Sequence[str],
    bandwidth: float | None,
    stdin: bytes | None = None,
) -> Pass:
    return _read(_run(runner, source, target, extra, bandwidth, stdin))


def _run(
    runner: Runner,
    source: Place,
    target: Place,
    extra: Sequence[str],
    bandwidth: float | None,
    stdin: bytes | None = None,
) -> Done:
    limit = [] if bandwidth is None else [f"--bwlimit={max(1, round(bandwidth / 1024))}"]
    options = ("rsync", *_COPY, *extra, *limit)
    if source.login and target.login:
        done = _between(runner, source, target, options, stdin)
    else:
        remote = source if source.login else target
        shell = ["-e", shlex.join(("ssh", *remote.ssh))] if remote.login else []
        shell += ["--rsync-path=sudo -n rsync"] if remote.sudo else []
        done = runner.run(Command(arguments=(*options, *shell, f"{source}/", f"{target}/"), input=stdin))
    if done.code not in {0, VANISHED}:
        raise MoveFailed.one(
            "MOV202",
            f"rsync from {source} to {target} failed ({done.code})",
            detail=done.errors.strip()[-500:],
            hint="correct what it says, then repeat; what arrived stays",
        )
    return done


def _between(runner: Runner, source: Place, target: Place, options: Sequence[str], stdin: bytes | None) -> Done:
    """Through this machine, see :mod:`govhub.migration.movers.files.relay`."""
    near, far = (source, target) if source.ours else (target, source)
    sides = [f"far:{place.path}/" if place is far else f"{place.path}/" for place in (source, target)]
    document = {
        "near": near.shell(),
        "far": far.shell(),
        # Without it rsync's end of the pipe gives up on who writes more than it holds: `cat` does not try again.
        "client": [*options, "--blocking-io", "-e", f"sh -c '{SHELL}' sh", *sides],
        "first": base64.b64encode(stdin or b"").decode(),
        "path": f"{far.path}/",
    }
    done = runner.run(Command(arguments=(sys.executable, "-m", _RELAY), input=json.dumps(document).encode()))
    errors, _, output = done.errors.partition(f"\n{MARK}\n")
    return Done(done.code, output.encode(), errors)


def _read(done: Done) -> Pass:
    text = done.output.decode(errors="backslashreplace")
    found = {name: pattern.search(text) for name, pattern in _STATS.items()}
    return Pass(*(int(found[name].group(1)) if found[name] else 0 for name in ("total", "sent", "files")))  # type: ignore[union-attr]
