"""A signed package mirror with just what the roles install: the lab's hosts never reach outside."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.lab.hosts.base import archive_of
from govhub.lab.hosts.cached import made_once, place
from govhub.lab.hosts.network import GATEWAY, MIRROR_PORT, Network
from govhub.lab.hosts.shell import run, spawn, spawned

Progress = Callable[[str], None]
_OFFERED = "offered"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror's folder: ``pool/``, ``dists/`` and the public key."""

    folder: Path

    @property
    def key(self) -> str:
        """The public key, armoured."""
        return (self.folder / "key.asc").read_text(encoding="ascii")

    @property
    def packages(self) -> int:
        """How many packages it has."""
        return sum(1 for _ in (self.folder / "pool").glob("*.deb"))

    def serve(self, network: Network, folder: Path) -> None:
        """Start its web server in the network, unless it runs; ``folder`` keeps its log and process number."""
        offer(folder, {name: self.folder / name for name in ("pool", "dists")})
        if _pid(folder):
            return
        words = ["nsenter", f"--net={network.path}", sys.executable, "-m", "http.server", str(MIRROR_PORT)]
        words += ["--bind", GATEWAY, "--directory", str(folder / _OFFERED)]
        spawn(f"exec {shlex.join(words)}\n", folder, "mirror")


def offer(folder: Path, files: Mapping[str, Path]) -> None:
    """Let the web server give these files and folders too, under these names."""
    offered = folder / _OFFERED
    offered.mkdir(exist_ok=True)
    for name, path in files.items():
        (offered / name).unlink(missing_ok=True)
        (offered / name).symlink_to(path)


def served(folder: Path) -> Mirror:
    """The mirror that is offered with this folder."""
    return Mirror((folder / _OFFERED / "pool").resolve().parent)


def stop_serving(folder: Path) -> None:
    """End the web server that was started with this folder."""
    if pid := _pid(folder):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while _pid(folder) and time.monotonic() < deadline:
            time.sleep(0.05)


def url() -> str:
    """Where hosts find it."""
    return f"http://{GATEWAY}:{MIRROR_PORT}"


def ensure(base: Path, packages: Iterable[str], progress: Progress) -> Mirror:
    """The mirror of ``packages`` and of all they need beyond the base tree; made when it is missing.

    Raises:
        GovhubError: a package is not known to this machine's apt, or cannot be fetched.
    """
    names = sorted(set(packages))
    recipe = hashlib.sha256("\n".join([base.name, *names]).encode()).hexdigest()[:12]
    target = place(f"mirror-{recipe}")

    def make(folder: Path) -> None:
        progress(f"making the package mirror of the lab's hosts for {len(names)} packages")
        _make(folder, base, names)
        progress(f"package mirror made: {Mirror(folder).packages} packages")

    made_once(target, make)
    return Mirror(target)


def _make(folder: Path, base: Path, names: list[str]) -> None:
    _, suite = archive_of()
    _download(folder, base, names)
    dists = folder / "dists" / suite
    binary = dists / "main" / "binary-amd64"
    binary.mkdir(parents=True)
    (binary / "Packages").write_text(run("apt-ftparchive", "packages", "pool", cwd=folder))
    options = [f"APT::FTPArchive::Release::{key}={value}" for key, value in _release(suite).items()]
    words = [word for option in options for word in ("-o", option)]
    (dists / "Release").write_text(run("apt-ftparchive", *words, "release", f"dists/{suite}", cwd=folder))
    _sign(folder, dists)


def _download(scratch: Path, base: Path, names: list[str]) -> None:
    """Fetch what apt would install on the base tree."""
    pool = scratch / "pool"
    (pool / "partial").mkdir(parents=True)
    settings = {
        "Dir::State::status": base / "var/lib/dpkg/status",
        "Dir::Cache::archives": pool,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    run("apt-get", *options, "-y", "-qq", "--download-only", "install", *names)
    # What the base has already, a role may name too: apt then wants to see it in the lists.
    shutil.rmtree(pool / "partial")
    (pool / "lock").unlink(missing_ok=True)


def _release(suite: str) -> dict[str, str]:
    return {"Origin": "govhub", "Suite": suite, "Codename": suite, "Architectures": "amd64", "Components": "main"}


def _sign(scratch: Path, dists: Path) -> None:
    # The key of this mirror alone; it is made here, used once, and only its public half stays.
    with tempfile.TemporaryDirectory(prefix="govhub-key-") as home:
        words = ("gpg", "--batch", "--quiet", "--homedir", home, "--pinentry-mode", "loopback", "--passphrase", "")
        run(*words, "--quick-generate-key", "govhub lab mirror <mirror@lab.govhub>", "ed25519", "sign", "never")
        run(*words, "--clearsign", "--output", dists / "InRelease", dists / "Release")
        (scratch / "key.asc").write_text(run(*words, "--armor", "--export"), encoding="ascii")
        with suppress(GovhubError):
            run("gpgconf", "--homedir", home, "--kill", "all")


def _pid(folder: Path) -> int | None:
    return spawned(folder, "mirror", b"http.server")
