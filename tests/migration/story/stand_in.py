"""Stands in for OpenSSH, sudo and systemd on a machine without hosts: commands run here, as what they are called by.

Arguments and their meaning are those of the real ones as far as the tunnel uses them; what OpenSSH itself does is not
proven with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

_READ = "my_print_defaults --mysqld"
PLACE = Path(os.environ.get("STAND_IN", "."))


def ssh(words: list[str]) -> None:
    control = words[words.index("-S") + 1]
    if "-M" in words:
        lead = words[words.index("-L") + 1] if "-L" in words else ""
        if lead:
            here, _, there = lead.partition(":")
            threading.Thread(target=_forward, args=(here, there), daemon=True).start()
        Path(control).touch()
        threading.Event().wait()
    assert Path(control).exists()
    command = words[words.index("--") + 1]
    sys.exit(subprocess.run(["sh", "-c", command], check=False).returncode)


def sudo(words: list[str]) -> None:
    if words[1] == "-u":
        environment = os.environ | {"PGHOST": "127.0.0.1", "PGUSER": "govhub", "PGPASSWORD": os.environ["WORD"]}
        sys.exit(subprocess.run(words[3:], env=environment, check=False).returncode)
    # The settings of this machine's own servers are not to be touched, nor is one asked what it would read.
    own = [word.replace("/etc/mysql", f"{PLACE}/mysql").replace(_READ, 'echo "--$2=$3"') for word in words]
    sys.exit(subprocess.run(own[1:], check=False).returncode)


def systemctl(words: list[str]) -> None:
    verb, unit = words
    file = PLACE / unit
    with (PLACE / "log").open("a") as log:
        if not verb.startswith("is-"):
            log.write(f"{verb} ")
        if verb in ("stop", "start"):
            file.write_text({"stop": "inactive", "start": "active"}[verb])
    boot = PLACE / f"{unit}.boot"
    if verb in ("enable", "disable"):
        boot.write_text(f"{verb}d")
    if verb == "is-enabled":
        sys.stdout.write((boot.read_text() if boot.exists() else "enabled") + "\n")
        return
    sys.stdout.write(file.read_text() + "\n")


def _forward(here: str, there: str) -> None:
    host, _, port = there.partition(":")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(here)
        listener.listen()
        while True:
            near, _ = listener.accept()
            far = socket.create_connection((host, int(port)))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    finally:
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def install(folder: Path) -> None:
    """Make the commands in a folder, which is to come first on the PATH."""
    folder.mkdir()
    for name in ("ssh", "sudo", "systemctl"):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
        path.chmod(0o755)


if __name__ == "__main__":
    {"ssh": ssh, "sudo": sudo, "systemctl": systemctl}[sys.argv[1]](sys.argv[2:])
