"""Ways to a mover host: a pipe to a process of this machine, and a real SSH server on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from govhub.hosts.reach import Reach
from govhub.hosts.tunnel import Tunnel
from govhub.lab.hosts.cached import place
from migration.story.doors import at_home_in

# The server wants an account to shed its rights into; it gets one in a view of its own of /etc.
_START = """mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd || exit 1
mount --bind "$1/passwd" /etc/passwd || exit 1
exec "$2" -D -e -f "$1/sshd_config"
"""


class Pipe:
    """No SSH between."""

    name = "mv1"

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    def close(self) -> None:
        pass


def sshd_program() -> str | None:
    """The machine's SSH server, or the one of the lab's hosts."""
    found = [shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")]
    found += [str(path) for path in sorted(place("").glob("base-*/usr/sbin/sshd"))]
    return next((path for path in found if path), None) if os.geteuid() == 0 else None


@contextmanager
def sshd(folder: Path) -> Iterator[Reach]:
    """A real SSH server on a loopback address of its own."""
    program = sshd_program()
    assert program
    key, host = folder / "key", folder / "host"
    for path in (key, host):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    account = "sshd:x:65000:65534::/run/sshd:/usr/sbin/nologin\n"
    people = at_home_in(folder)
    (folder / "passwd").write_text(people if "\nsshd:" in people else people + account)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {key}.pub\nStrictModes no\n"
        "UsePAM no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\nPidFile none\nMaxSessions 30\n"
        "AllowTcpForwarding no\n"
    )
    known = folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(f"Port {port}\n")
    with (folder / "log").open("wb") as log:
        words = ["unshare", "-m", "--propagation", "private", "sh", "-c", _START, "sh", str(folder), program]
        server = subprocess.Popen(words, stderr=log, start_new_session=True)
    try:
        _answers(port, folder / "log")
        yield Reach("127.0.0.1", "root", str(key), str(known))
    finally:
        server.kill()
        server.wait()


class Loopback(Tunnel):
    """A tunnel to a port of its own; hosts of hubs are all at port 22."""

    def __init__(self, reach: Reach, folder: Path) -> None:
        super().__init__("mv1", reach)
        self._more = ["-F", str(folder / "config")]

    def _words(self) -> list[str]:
        return [*super()._words(), *self._more]


def _answers(port: int, log: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(log.read_text())
