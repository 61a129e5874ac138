"""What runs on a mover host: one command of a mover, or one look at its files.

It is sent there as text and imports nothing of govhub's others; Python 3.9 is enough. It reads one line of JSON, then
the input of the command, then signs of life; when those end or fail to come, it ends with everything that it started.
What it says are frames: a letter (``o`` output, ``e`` errors, ``x`` the result as JSON), four bytes of length, the
content.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import glob
import hashlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

RUNNING = ".running"
TIMED_OUT = 124
_BLOCK = 1 << 16
Header = dict[str, Any]


class Said:
    """Frames to whoever asked."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write, self._lock = write, threading.Lock()

    def say(self, kind: bytes, data: bytes) -> None:
        """One frame."""
        with self._lock:
            self._write(kind + struct.pack(">I", len(data)) + data)


def main() -> None:
    """Serve one header that comes on standard input."""
    if os.getpgrp() != os.getpid():
        os.setsid()
    stream: Any = sys.stdin.buffer
    stream = stream.raw
    header = json.loads(_line(stream))
    given = _exactly(stream, header.get("input", 0))
    threading.Thread(target=_watch, args=(header["lease"],), daemon=True).start()
    said = Said(_to_stdout)
    said.say(b"x", json.dumps(serve(header, given, said)).encode())


def as_job(path: str) -> None:
    """Serve one header that lies in a file; what is said goes to the log, a numbered line of base64 for each frame."""
    with open(path, "rb") as file:
        header = json.loads(zlib.decompress(file.read()))
    if header["op"] == "run":
        _confined(time.monotonic() + header["patience"])
    for host, port in header.get("servers", ()):
        _open(host, port, time.monotonic() + header["patience"])
    numbers = iter(range(sys.maxsize))

    def write(data: bytes) -> None:
        sys.stdout.buffer.write(b"%d:%s\n" % (next(numbers), base64.b64encode(data)))
        sys.stdout.buffer.flush()

    said = Said(write)
    said.say(b"x", json.dumps(serve(header, base64.b64decode(header["given"]), said)).encode())


def _open(host: str, port: int, until: float) -> None:
    """Network policies take a moment to let a new pod out; a server that stays away is the command's matter."""
    while time.monotonic() < until and not _answers(host, port):
        time.sleep(0.2)


def _confined(until: float) -> None:
    """Network policies take a moment to hold for a new pod: every pod reaches the API server until they do."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    while host and _answers(host, port):
        if time.monotonic() > until:
            sys.exit("no network policy holds for this pod: nothing is run where it could reach everybody")
        time.sleep(0.1)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True


def serve(header: Header, given: bytes, said: Said) -> Header:
    """Do what a header asks for.

    Args:
        header: ``op`` and its fields; paths are relative to the place.
        given: The command's standard input.
        said: Takes output and errors as they come.
    """
    os.umask(0o077)
    place = os.path.join(header["root"], header["place"])
    if header["op"] == "look":
        return _look(header["root"], place)
    os.makedirs(os.path.join(place, RUNNING), exist_ok=True)
    with _registered(place, header["session"]):
        if header.get("take"):
            _take_over(place, header["session"])
        return _OPERATIONS[header["op"]](place, header, given, said)


def _line(stream: Any) -> bytes:
    # Byte by byte: what follows the line belongs to others.
    found = b""
    while not found.endswith(b"\n"):
        byte = stream.read(1)
        if not byte:
            sys.exit(1)
        found += byte
    return found


def _exactly(stream: Any, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        block = stream.read(min(count - len(found), 1 << 20))
        if not block:
            sys.exit(1)
        found += block
    return bytes(found)


def _watch(lease: float) -> None:
    """A controller that was killed, or cut off, leaves nothing running behind."""
    while True:
        ready, _, _ = select.select([0], [], [], lease)
        if not ready or not os.read(0, _BLOCK):
            os.killpg(0, signal.SIGKILL)


def _to_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


# -- who runs ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _registered(place: str, session: str) -> Iterator[None]:
    """A file that is locked as long as this process lives: nobody has to trust a process number."""
    path = os.path.join(place, RUNNING, f"{session}.{os.getpid()}")
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            os.unlink(path)


def _alive(path: str) -> int:
    """The process behind a registration; 0 when it is gone, and the file with it."""
    try:
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(file.read() or 0)
            os.unlink(path)
    except FileNotFoundError:
        pass
    return 0


def _take_over(place: str, session: str) -> None:
    """End what an earlier session left: two controllers must not write into one place."""
    until = time.monotonic() + 10
    for path in glob.glob(os.path.join(glob.escape(place), RUNNING, "*")):
        while not os.path.basename(path).startswith(session + ".") and (pid := _alive(path)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            if time.monotonic() > until:
                raise SystemExit(f"process {pid} of an earlier session does not end")
            time.sleep(0.05)


def _look(root: str, place: str) -> Header:
    places = glob.glob(os.path.join(glob.escape(root), "*", "*", "*", RUNNING))
    running = [path for item in places for path in os.listdir(item) if _alive(os.path.join(item, path))]
    if not os.access(root, os.W_OK):
        sys.exit(f"{root} is not there, or cannot be written to")
    free = shutil.disk_usage(root).free
    return {"running": len(running), "places": len(places), "here": os.path.isdir(place), "free": free}


# -- commands ------------------------------------------------------------------------------------------------------


def _run(place: str, header: Header, given: bytes, said: Said) -> Header:
    for folder in header["folders"]:
        os.makedirs(os.path.join(place, folder), exist_ok=True)
    for name, content in header["files"].items():
        with open(os.path.join(place, name), "wb") as file:
            file.write(base64.b64decode(content))
    started: list[subprocess.Popen[bytes]] = []
    read, write = os.pipe()
    try:
        for index, item in enumerate(header["chain"]):
            before = started[-1].stdout if started else None
            source = before or (subprocess.PIPE if given else subprocess.DEVNULL)
            last = index == len(header["chain"]) - 1
            started.append(_start(item, source, write))
            if before:
                before.close()
            readers = [_copying(started[-1].stdout, b"o", said)] if last else []
        os.close(write)
        readers.append(_copying(os.fdopen(read, "rb", 0), b"e", said))
        if given:
            threading.Thread(target=_feed, args=(started[0].stdin, given), daemon=True).start()
        code = _await(started, header.get("timeout"))
    finally:
        if left := [process for process in started if process.poll() is None]:
            for process in left:
                process.kill()
                process.wait()
            _end_others()
    for reader in readers:
        reader.join(10)
    return {"code": code}


def _start(item: Header, source: Any, errors: int) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment.update({"LC_ALL": "C.UTF-8"}, **item["environment"])
    arguments = [_tool(item["arguments"][0]), *item["arguments"][1:]]
    leash = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "--"]
    return subprocess.Popen(
        leash + arguments, env=environment, stdin=source, stdout=subprocess.PIPE, stderr=errors, cwd="/"
    )


def _end_others() -> None:
    """End what a killed command had started itself: it would run on, and hold the streams open."""
    for _ in range(20):
        found = 0
        for path in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError):
                with open(path) as file:
                    # After the name, which may hold anything.
                    state, _, group, *_ = file.read().rpartition(")")[2].split()
                pid = int(path.split("/")[2])
                if int(group) == os.getpgrp() and pid != os.getpid() and state != "Z":
                    os.kill(pid, signal.SIGKILL)
                    found += 1
        if not found:
            return
        time.sleep(0.02)


def _tool(name: str) -> str:
    """The newest one here: what is installed elsewhere says nothing about this host."""
    name = os.path.basename(name)
    found = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
    return max(found, key=lambda path: float(path.split("/")[4])) if found else shutil.which(name) or name


def _copying(stream: Any, kind: bytes, said: Said) -> threading.Thread:
    def copy() -> None:
        while block := os.read(stream.fileno(), _BLOCK):
            said.say(kind, block)

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread


def _feed(stream: BinaryIO, given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        stream.write(given)
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def _await(started: list[subprocess.Popen[bytes]], timeout: float | None) -> int:
    until = None if timeout is None else time.monotonic() + timeout
    try:
        # The last one first: one that fails early leaves the others with a closed pipe, which is not the cause.
        codes = [
            process.wait(None if until is None else max(0.0, until - time.monotonic())) for process in started[::-1]
        ]
    except subprocess.TimeoutExpired:
        return TIMED_OUT
    return next((code for code in codes if code), 0)


# -- files ---------------------------------------------------------------------------------------------------------


def _facts(place: str, header: Header, _: bytes, __: Said) -> Header:
    path = os.path.join(place, header["path"])
    if not os.path.isfile(path):
        return {}
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": os.path.getsize(path), "sha256": digest.hexdigest()}


def _fresh(place: str, header: Header, _: bytes, __: Said) -> Header:
    path = os.path.join(place, header["path"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb"):
        return {}


def _keep(place: str, header: Header, _: bytes, __: Said) -> Header:
    path, new = os.path.join(place, header["path"]), os.path.join(place, header["new"])
    _synced(path)
    os.replace(path, new)
    _synced(os.path.dirname(new))
    return {}


def _synced(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(place: str, header: Header, _: bytes, __: Said) -> Header:
    path = os.path.join(place, header["path"])
    if os.path.isdir(path):
        shutil.rmtree(path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return {}


def _matching(place: str, header: Header, _: bytes, __: Said) -> Header:
    found = glob.glob(os.path.join(glob.escape(place), header["path"]))
    return {"paths": sorted(os.path.relpath(path, place) for path in found)}


_OPERATIONS: dict[str, Callable[[str, Header, bytes, Said], Header]] = {
    "run": _run,
    "facts": _facts,
    "fresh": _fresh,
    "keep": _keep,
    "remove": _remove,
    "matching": _matching,
}

if __name__ == "__main__":
    as_job(sys.argv[1]) if sys.argv[1:] else main()
