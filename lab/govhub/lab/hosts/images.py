"""Container images made without internet: a Go program alone, or a Debian tree with an application in it.

As ``docker-archive`` files, which registries' tools read. What an image holds decides its name in the cache.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from govhub.core.settings import content
from govhub.lab.hosts.base import archive_of, debootstrap
from govhub.lab.hosts.cached import made_once, place
from govhub.lab.hosts.digests import digest_of
from govhub.lab.hosts.shell import run

Progress = Callable[[str], None]
USER = 10001
"""The account that pods run as; programs such as PostgreSQL want it to have a name."""
PACKAGES = ("postgresql-15", "python3", "python3-psycopg2")
MOVING = ("postgresql-client-15", "mariadb-client", "mydumper", "rsync", "python3")
"""What movers need, and no server: a tree of their own, for clients of MariaDB bring Perl along."""
_SLIM = (
    f"useradd --uid {USER} --user-group --no-create-home --shell /usr/sbin/nologin app; "
    "rm -rf /var/cache/apt/* /var/lib/apt/lists/* /usr/share/doc/* /usr/share/man/* /usr/share/locale/* /var/log/*.log "
    "/var/lib/postgresql/15 /etc/postgresql/15 /etc/ssl/private/* "
    # The compiler of queries, which is larger than all the rest and of no use to small ones.
    "/usr/lib/*/libLLVM* /usr/lib/llvm* /usr/lib/*/libz3* "
    "/usr/lib/postgresql/15/lib/bitcode /usr/lib/postgresql/15/lib/llvmjit.so"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image by its name in a registry, with what it runs."""

    name: str
    command: tuple[str, ...]
    program: str = ""
    """The one program of the image; without it the image is a Debian tree with ``files`` in ``/app``."""
    files: str = ""
    """A folder of ``lab/images``; empty: the tree alone."""
    # Not part of what is shown: the tree made of them is, and archives of before keep their names.
    packages: tuple[str, ...] = field(default=PACKAGES, repr=False)
    """Of the tree."""

    @property
    def short(self) -> str:
        """Its name without path and tag."""
        return self.files or self.program or self.name.rpartition("/")[2].partition(":")[0]


IMAGES = (
    Image(name="kubernetes/pause:3.10", program="pause", command=("/pause",)),
    Image(name="kubernetes/coredns:1.15.0", program="coredns", command=("/coredns", "-conf", "/etc/coredns/Corefile")),
    Image(name="lab/postgres:15", files="postgres", command=("/bin/sh", "/app/start.sh")),
    Image(name="lab/register:1.0.0", files="register", command=("/usr/bin/python3", "/app/app.py")),
    Image(name="lab/mover:15", packages=MOVING, command=("/usr/bin/python3",)),
)
PROGRAMS = tuple(image.program for image in IMAGES if image.program)


def ensure(programs: Mapping[str, Path], progress: Progress) -> dict[str, Path]:
    """The archive of each image by its name; made when missing.

    Args:
        programs: Where the programs of images are, by name.
        progress: Told what takes long.

    Raises:
        GovhubError: Debian's archive cannot be reached.
    """
    return {image.name: _archive(image, programs, progress) for image in IMAGES}


def _archive(image: Image, programs: Mapping[str, Path], progress: Progress) -> Path:
    tree = None if image.program else _tree(image.packages, progress)
    target = place(f"image-{image.short}-{_recipe(image, programs, tree)}")

    def make(folder: Path) -> None:
        progress(f"making the image {image.name}")
        _write(folder / "image.tar", image, _layers(image, programs, tree))

    made_once(target, make)
    return target / "image.tar"


def _layers(image: Image, programs: Mapping[str, Path], tree: Path | None) -> list[Path | bytes]:
    if tree is None:
        return [_program_layer(image, programs)]
    return [tree, _files_layer(image)] if image.files else [tree]


def _recipe(image: Image, programs: Mapping[str, Path], tree: Path | None) -> str:
    """What an image holds, as a few digits; nothing large is read for it."""
    recipe = hashlib.sha256(repr(image).encode())
    if tree:
        recipe.update(tree.parent.name.encode())
        if image.files:
            recipe.update(_files_layer(image))
    else:
        recipe.update(digest_of(programs[image.program]).encode())
    return recipe.hexdigest()[:12]


def _program_layer(image: Image, programs: Mapping[str, Path]) -> bytes:
    return _layer([(image.program, programs[image.program].read_bytes(), 0o755)])


def _files_layer(image: Image) -> bytes:
    folder = content("lab", "images", image.files)
    return _layer(
        [(f"app/{path.name}", path.read_bytes(), 0o644) for path in sorted(folder.iterdir()) if path.is_file()]
    )


def _layer(files: Iterable[tuple[str, bytes, int]]) -> bytes:
    """An uncompressed layer; times and owners are fixed, so that the same files make the same layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data, mode in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _tree(packages: tuple[str, ...], progress: Progress) -> Path:
    """The layer that images of the same packages share: one file, so that registries and nodes keep it once."""
    archive, suite = archive_of()
    recipe = hashlib.sha256("\n".join([suite, *packages, _SLIM]).encode()).hexdigest()[:12]
    target = place(f"layer-{suite}-{recipe}")

    def make(folder: Path) -> None:
        progress("building a Debian tree of the lab's images, once (about 90 s)")
        tree = folder / "tree"
        debootstrap(tree, packages, archive, suite)
        run("chroot", tree, "/bin/sh", "-c", _SLIM)
        parts = ("--sort=name", "--numeric-owner", "--one-file-system", "--exclude=./dev/*", "--exclude=./proc/*")
        run("tar", *parts, "--exclude=./sys/*", "-C", tree, "-cf", folder / "layer.tar", ".")
        shutil.rmtree(tree)

    made_once(target, make)
    return target / "layer.tar"


def _write(target: Path, image: Image, layers: list[Path | bytes]) -> None:
    digests = [_digest(layer) for layer in layers]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": list(image.command), "User": str(USER), "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }
    manifest = [
        {"Config": "config.json", "RepoTags": [image.name], "Layers": [f"{digest}.tar" for digest in digests]},
    ]
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, document in (("config.json", config), ("manifest.json", manifest)):
            data = json.dumps(document, sort_keys=True).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for digest, layer in zip(digests, layers, strict=True):
            entry = tarfile.TarInfo(f"{digest}.tar")
            entry.size = layer.stat().st_size if isinstance(layer, Path) else len(layer)
            with layer.open("rb") if isinstance(layer, Path) else io.BytesIO(layer) as source:
                archive.addfile(entry, source)


def _digest(layer: Path | bytes) -> str:
    digest = hashlib.sha256()
    for block in _blocks(layer):
        digest.update(block)
    return digest.hexdigest()


def _blocks(layer: Path | bytes) -> Iterator[bytes]:
    if isinstance(layer, bytes):
        yield layer
        return
    with layer.open("rb") as source:
        while block := source.read(1 << 20):
            yield block
