"""A real sshd on loopback, for hosts that files move between: its own keys, and root or whoever runs the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from govhub.core.settings import cache
from govhub.hosts.reach import Reach
from govhub.lab.scratch import free_port


def sshd() -> str | None:
    """The server: installed, or in the tree that hosts of the lab are made of."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    trees = sorted((cache() / "hosts").glob("base-*/usr/sbin/sshd"))
    return shutil.which("sshd", path=path) or (str(trees[-1]) if trees else None)


@dataclass(frozen=True)
class Door:
    """A running sshd; many hosts may stand behind it, by addresses of loopback."""

    port: int
    folder: Path
    pid: int

    def reach(self, address: str) -> Reach:
        return Reach(address, getpass.getuser(), str(self.folder / "key"), str(self.folder / "known"))


def at_home_in(folder: Path) -> str:
    """This machine's accounts; ours has another home, for the login shell of each command would read its settings."""
    with Path("/etc/passwd").open(encoding="utf-8") as lines:
        fields = [line.rstrip("\n").split(":") for line in lines]
    return "".join(
        ":".join([*item[:5], str(folder), *item[6:]] if item[0] == getpass.getuser() else item) + "\n"
        for item in fields
    )


@contextmanager
def door(*addresses: str) -> Iterator[Door]:
    """Start it; ``addresses`` are of loopback."""
    server = sshd()
    assert server is not None
    folder = Path(tempfile.mkdtemp(prefix="govhub-sshd-"))
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = free_port()
    host = (folder / "host.pub").read_text().strip()
    (folder / "known").write_text("".join(f"[{item}]:{port} {host}\n{item} {host}\n" for item in addresses))
    lines = [
        f"Port {port}",
        *(f"ListenAddress {item}" for item in addresses),
        f"HostKey {folder / 'host'}",
        f"AuthorizedKeysFile {folder / 'key.pub'}",
        f"PidFile {folder / 'pid'}",
        "PermitRootLogin yes",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "MaxStartups 100",
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")
    # As root it drops what it can to an account of its own, which this machine need not have.
    people = folder / "passwd"
    people.write_text(at_home_in(folder) + f"sshd:x:998:65534::{folder}:/usr/sbin/nologin\n")
    begin = 'mount --bind "$1" /etc/passwd; mount -t tmpfs none /run; mkdir -m 755 /run/sshd; shift; exec "$@"'
    words = [server, "-D", "-e", "-f", str(folder / "config")]
    if os.getuid() == 0:
        words = ["unshare", "-m", "sh", "-c", begin, "sh", str(people), *words]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 20
        while not (folder / "pid").exists():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.02)
        yield Door(port, folder, process.pid)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
