"""What servers that run for a while have in common: a free port, and an account that is not root."""

from __future__ import annotations

import os
import pwd
import socket
from contextlib import suppress
from pathlib import Path


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def other_user(name: str, folder: Path | None = None) -> pwd.struct_passwd | None:
    """The account ``name``, else nobody, for servers that refuse root; it gets ``folder``. None when we are no root."""
    if os.getuid():
        return None
    user = pwd.getpwnam("nobody")
    with suppress(KeyError):
        user = pwd.getpwnam(name)
    if folder is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return user
