"""The base tree of the lab's hosts: a bare Debian as an installer leaves it, built once and cached."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from govhub.core.errors import GovhubError, ToolMissing
from govhub.lab.hosts.cached import made_once, place
from govhub.lab.hosts.shell import run

Progress = Callable[[str], None]
USER = "govhub"
"""The account that an installer makes, with a key and sudo; roles take it from there."""
SECONDS = 60
PACKAGES = (
    "acl",
    "apt",
    "ca-certificates",
    "dbus",
    "iproute2",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "python3-debian",
    "sudo",
    "systemd",
    "systemd-sysv",
)
# Consoles and kernel matters that a container has not.
_MASKED = (
    "console-getty.service",
    "getty.target",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-resolved.service",
    "systemd-networkd-wait-online.service",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
    "dpkg-db-backup.timer",
)
_PREPARE = f"""
set -e
useradd --create-home --shell /bin/bash {USER}
printf '{USER} ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/{USER}
chmod 0440 /etc/sudoers.d/{USER}
systemctl enable ssh.service systemd-networkd.service
systemctl mask {" ".join(_MASKED)}
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/apt/sources.list /etc/resolv.conf
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/* /usr/share/doc/* /usr/share/man/* /usr/share/locale/*
mkdir -p /etc/systemd/network
"""


def ensure(progress: Progress) -> Path:
    """The base tree's folder; built when it is missing.

    Raises:
        ToolMissing: the tools, the rights or Debian's archive are missing.
    """
    require_root()
    archive, suite = archive_of()
    recipe = hashlib.sha256("\n".join([suite, *PACKAGES, _PREPARE]).encode()).hexdigest()[:12]
    target = place(f"base-{suite}-{recipe}")

    def build(tree: Path) -> None:
        progress(f"building the base tree of the lab's hosts, once (about {SECONDS} s)")
        started = time.monotonic()
        _build(tree, archive, suite)
        progress(f"base tree built in {time.monotonic() - started:.0f} s")

    made_once(target, build)
    return target


def require_root() -> None:
    """Hosts need mounts and network namespaces.

    Raises:
        ToolMissing: we are not root.
    """
    if os.geteuid():
        raise ToolMissing.one("LAB010", "lab hosts need root: mounts and network namespaces", hint="run it with sudo")


@cache
def archive_of() -> tuple[str, str]:
    """Address and suite of the Debian archive that this machine itself is installed from.

    Raises:
        ToolMissing: this machine's apt knows none.
    """
    lines = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)").splitlines()
    for line in lines:
        uri, release, component = line.split()
        if component == "main" and "-" not in release:
            return uri.rstrip("/"), release
    raise ToolMissing.one("LAB014", "this machine's apt has no Debian archive", hint="see /etc/apt/sources.list.d")


def _build(tree: Path, archive: str, suite: str) -> None:
    debootstrap(tree, PACKAGES, archive, suite)
    run("chroot", tree, "/bin/sh", "-c", _PREPARE)
    for name in ("proc", "sys"):
        # To delete or to copy what is mounted there would reach into this machine.
        if any((tree / name).iterdir()):
            raise GovhubError.one("LAB012", f"{tree / name} is still mounted after debootstrap")


def debootstrap(tree: Path, packages: Iterable[str], archive: str, suite: str) -> None:
    """A bare Debian in ``tree``, with these packages.

    Raises:
        GovhubError: the archive cannot be reached, or has no such package.
    """
    words = ("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", suite, tree, archive)
    # In a mount namespace of its own: what it mounts is gone when it ends, however it ends.
    run("unshare", "--mount", *words)
