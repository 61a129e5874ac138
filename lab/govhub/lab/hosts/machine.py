"""One lab host: an overlay on the base tree, booted with systemd-nspawn in the lab's network namespace."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder
from govhub.lab.hosts.base import USER
from govhub.lab.hosts.network import BRIDGE, GATEWAY, OUTSIDE, Network
from govhub.lab.hosts.shell import run, spawn, spawned
from govhub.lab.nodes import LOCAL_VOLUMES, local_folder

CGROUPS = Path("/sys/fs/cgroup")
# What nspawn returns on a reboot.
_REBOOT = 133


@dataclass(frozen=True, slots=True)
class Machine:
    """A host of a hub's lab; everything it owns is under ``folder`` and in one cgroup."""

    network: Network
    name: str
    address: str
    folder: Path

    @property
    def root(self) -> Path:
        """The merged tree, mounted while the host exists."""
        return self.folder / "root"

    @property
    def host_key(self) -> str:
        """The public key that the host proves itself with: `ssh-ed25519 AAAA…`."""
        words = (self.folder / "ssh_host_ed25519_key.pub").read_text().split()
        return " ".join(words[:2])

    def create(self, trees: Iterable[Path], public_key: str) -> None:
        """Mount its tree over ``trees``, and give it what an installer gives: a name, an address, and keys."""
        private_folder(self.folder)
        for name in ("upper", "work", "root", "containerd", "kubelet"):
            (self.folder / name).mkdir(exist_ok=True)
        make_key(self.folder / "ssh_host_ed25519_key", self.name)
        lower = ":".join(map(str, trees))
        options = f"lowerdir={lower},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        if not self.root.is_mount():
            run("mount", "-t", "overlay", "overlay", "-o", options, self.root)
        for name, text in self._files(public_key).items():
            target = self.root / name
            # What the host itself has written since stays.
            if not (self.folder / "upper" / name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                # Whole or not at all: one that was killed here must not leave a host that nobody can log in to.
                scratch = target.with_name(f"{target.name}.new")
                scratch.write_text(text)
                scratch.rename(target)
        for index in range(LOCAL_VOLUMES):
            (self.root / local_folder(index).lstrip("/")).mkdir(parents=True, exist_ok=True)
        etc = self.root / "etc/ssh"
        for name, mode in (("ssh_host_ed25519_key", 0o600), ("ssh_host_ed25519_key.pub", 0o644)):
            shutil.copy(self.folder / name, etc / name)
            (etc / name).chmod(mode)
        home = self.root / "home" / USER
        owner = home.stat()
        for path in (home / ".ssh", home / ".ssh/authorized_keys"):
            os.chown(path, owner.st_uid, owner.st_gid)
            path.chmod(0o700 if path.is_dir() else 0o600)

    def _files(self, public_key: str) -> dict[str, str]:
        return {
            "etc/hostname": f"{self.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n{self.address} {self.name}\n{GATEWAY} mirror.lab.govhub\n",
            "etc/machine-id": f"{secrets.token_hex(16)}\n",
            f"home/{USER}/.ssh/authorized_keys": f"{public_key}\n",
            "etc/systemd/network/10-host0.network": (
                f"[Match]\nName=host0\n\n[Network]\nAddress={self.address}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n\n"
                f"[Route]\nDestination={OUTSIDE}/32\nGateway={GATEWAY}\n"
            ),
        }

    def start(self) -> None:
        """Boot it; returns before it answers."""
        spawn(self._script(), self.folder, "console")

    def _script(self) -> str:
        """Boots in a cgroup of its own, and again after each reboot, until it is powered off."""
        binds = [f"--bind={self.folder / name}:/var/lib/{name}" for name in ("containerd", "kubelet")]
        words = [
            "systemd-nspawn",
            "--boot --quiet --register=no --keep-unit --link-journal=no --console=pipe",
            "--resolv-conf=off --timezone=off",
            f"--machine={self.name} --directory={self.root} --network-bridge={BRIDGE}",
            "--system-call-filter=@keyring --bind=/dev/null:/dev/kmsg",
            *binds,
        ]
        return f"""for parent in {CGROUPS}/*/; do
    [ -e "$parent/cgroup.procs" ] || continue
    own="$parent/{self._cgroup}"
    mkdir -p "$own"
    if [ -e "$parent/cpuset.cpus" ]; then
        level="$parent"
        for part in {self._cgroup.replace("/", " ")}; do
            cat "$level/cpuset.cpus" >"$level/$part/cpuset.cpus"
            cat "$level/cpuset.mems" >"$level/$part/cpuset.mems"
            level="$level/$part"
        done
    fi
    echo $$ >"$own/cgroup.procs"
done
while :; do
    nsenter --net={self.network.path} {" ".join(words)}
    [ $? = {_REBOOT} ] || exit 0
done
"""

    @property
    def _cgroup(self) -> str:
        return f"{self.network.namespace}/{self.name}"

    def pid(self) -> int | None:
        """The supervising process, while it lives."""
        return spawned(self.folder, "console", str(self.folder).encode())

    def answers(self) -> bool:
        """Whether its SSH server greets."""
        try:
            with socket.create_connection((self.address, 22), timeout=1.0) as connection:
                connection.settimeout(1.0)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def memory(self) -> int | None:
        """Bytes that its processes hold, without what the kernel caches for them; None when it does not run."""
        try:
            lines = (CGROUPS / "memory" / self._cgroup / "memory.stat").read_text().splitlines()
        except OSError:
            return None
        return sum(int(line.split()[1]) for line in lines if line.startswith("total_rss "))

    def processes(self) -> list[int]:
        """All its processes, children of containers included."""
        found: set[int] = set()
        # Groups of its containers come and go while we look; this kind of walk does not mind.
        for folder, _, _ in os.walk(CGROUPS / "systemd" / self._cgroup):
            with suppress(OSError):
                found |= {int(word) for word in (Path(folder) / "cgroup.procs").read_text().split()}
        return sorted(found)

    def inits(self) -> list[int]:
        """The first process of the host: the child of nspawn, which is a child of the supervisor."""
        supervisor = self.pid()
        return [init for nspawn in _children(supervisor) for init in _children(nspawn)] if supervisor else []

    def inside(self, script: str, text: str = "") -> str:
        """Run a shell script in the host as root, without SSH; returns what it printed, without the last end of line.

        Args:
            script: What /bin/sh is given; it ends at the first command that fails.
            text: What it reads from its standard input.

        Raises:
            GovhubError: it failed, or the host does not run.
        """
        inits = self.inits()
        if not inits:
            raise GovhubError.one("LAB015", f"{self.name} does not run", hint=f"look at {self.folder}/console.log")
        # An environment of its own: what this process has set is not the host's.
        words = ["env", "-i", "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        enter = ["nsenter", "-t", str(inits[0]), "-m", "-u", "-i", "-n", "-p"]
        return run(*enter, *words, "/bin/sh", "-e", "-c", script, text=text).rstrip("\n")

    def power_cut(self) -> None:
        """End all its processes at once, as a lost feed does."""
        for _ in range(50):
            # A supervisor that has just begun is in no group yet.
            processes = sorted({*self.processes(), *filter(None, [self.pid()])})
            if not processes:
                return
            for pid in processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        raise GovhubError.one("LAB015", f"{self.name} has processes that do not end: {self.processes()[:5]}")

    def remove(self) -> None:
        """Unmount and delete everything; the host must not run."""
        if self.root.is_mount():
            run("umount", "--recursive", self.root)
        for path in CGROUPS.glob(f"*/{self._cgroup}"):
            # Some go by themselves while we look.
            for folder, _, _ in os.walk(path, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
        # nspawn does not take this away where /run is on a disk.
        with suppress(OSError):
            (Path("/run/systemd/nspawn/propagate") / self.name).rmdir()
        if self.folder.exists():
            shutil.rmtree(self.folder)


def make_key(path: Path, comment: str) -> None:
    """A key pair without a passphrase, unless it is there; half of one is made anew."""
    public = path.with_name(f"{path.name}.pub")
    # It is written last.
    if not public.exists() or not public.stat().st_size:
        path.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
