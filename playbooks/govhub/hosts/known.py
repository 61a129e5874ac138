"""Known host keys: whether the key of a host is on record, and letting go of it when its machine was replaced."""

from __future__ import annotations

import subprocess
from pathlib import Path

from govhub.hosts.reach import Reach


def key_is_known(reach: Reach) -> bool:
    """Whether a host key of this address is on record; False too where there is no record at all."""
    file = _file(reach)
    return file.is_file() and _keygen("-F", reach.address, "-f", str(file)) == 0


def forget_key(reach: Reach) -> bool:
    """Let go of the key on record; the next contact is refused until the new one is known. Whether there was one."""
    file = _file(reach)
    if not key_is_known(reach):
        return False
    return _keygen("-R", reach.address, "-f", str(file)) == 0


def known_keys(reach: Reach) -> list[str]:
    """The fingerprints on record for this address, as ``SHA256:…``; none where there is no record."""
    file = _file(reach)
    if not file.is_file():
        return []
    words = _printed("-l", "-F", reach.address, "-f", str(file)).split()
    return [word for word in words if word.startswith("SHA256:")]


def _file(reach: Reach) -> Path:
    return Path(reach.known_hosts) if reach.known_hosts else Path.home() / ".ssh" / "known_hosts"


def _keygen(*words: str) -> int:
    return _run(*words)[0]


def _printed(*words: str) -> str:
    return _run(*words)[1]


def _run(*words: str) -> tuple[int, str]:
    # Hashed records are only found by OpenSSH's own tool.
    try:
        command = ["ssh-keygen", *words]
        done = subprocess.run(command, capture_output=True, check=False, timeout=20, text=True)
    except FileNotFoundError:
        # Without OpenSSH no host was ever contacted from here.
        return 1, ""
    return done.returncode, done.stdout
