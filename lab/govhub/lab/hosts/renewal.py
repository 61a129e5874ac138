"""The base tree at the versions of the mirror: what is newer there is installed once, in a layer over the base.

The base is made of the archive's last point release, and the mirror later, with security updates. Hosts booted from the
base alone would be behind from their first minute, and every audit of a fresh host would say so.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from govhub.lab.hosts.base import archive_of
from govhub.lab.hosts.cached import made_once, place
from govhub.lab.hosts.mirror import Mirror
from govhub.lab.hosts.shell import run

Progress = Callable[[str], None]
_TREE = "tree"
# Runs in a mount namespace of its own: nothing stays mounted when it ends, however it ends.
_SCRIPT = """
set -e
cd {scratch}
mount -t overlay overlay -o lowerdir={base},upperdir={scratch}/tree,workdir={scratch}/work root
mount --bind {mirror} root/mnt
mount -t proc proc root/proc
echo 'deb [trusted=yes] file:/mnt {suite} main' >root/etc/apt/sources.list.d/renewal.list
printf '#!/bin/sh\\nexit 101\\n' >root/usr/sbin/policy-rc.d
chmod 755 root/usr/sbin/policy-rc.d
apt="chroot root apt-get -qq -o APT::Sandbox::User=root -o Dpkg::Options::=--force-confold"
$apt update
$apt -y dist-upgrade
rm -f root/usr/sbin/policy-rc.d root/etc/apt/sources.list.d/renewal.list root/etc/resolv.conf
rm -rf root/var/lib/apt/lists/* root/var/cache/apt/*.bin root/var/cache/apt/archives/*.deb
rm -rf root/var/log/apt/* root/var/log/dpkg.log root/usr/share/doc/* root/usr/share/man/* root/usr/share/locale/*
"""


def ensure(base: Path, stock: Mirror, progress: Progress) -> tuple[Path, ...]:
    """The trees that a host's own one is laid over, topmost first; the layer is made when it is missing.

    Raises:
        GovhubError: a package of the mirror cannot be installed.
    """
    target = place(f"renewal-{stock.folder.name.removeprefix('mirror-')}")

    def make(folder: Path) -> None:
        progress("bringing the base tree of the lab's hosts to the versions of their mirror, once")
        for name in (_TREE, "work", "root"):
            (folder / name).mkdir()
        (folder / _TREE).chmod(0o755)
        parts = {"scratch": folder, "base": base, "mirror": stock.folder}
        words = {key: shlex.quote(str(path)) for key, path in parts.items()}
        run("unshare", "--mount", "/bin/sh", "-c", _SCRIPT.format(**words, suite=archive_of()[1]))
        for name in ("work", "root"):
            run("rm", "-rf", folder / name)

    made_once(target, make)
    return (target / _TREE, base)
