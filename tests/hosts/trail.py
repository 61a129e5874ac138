"""What a lab leaves on the machine, to compare before with after."""

from __future__ import annotations

from pathlib import Path

from govhub.lab.hosts.limits import NEEDED, OF_NODES
from govhub.lab.hosts.shell import run

SYS = Path("/proc/sys")


def trail(folder: Path) -> dict[str, object]:
    """Mounts, cards, routes, namespaces, cgroups, settings and processes that a lab under ``folder`` may leave."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return {
        "mounts": [path for path in mounts if path.startswith((str(folder), "/run/netns"))],
        "cards": [line for line in run("ip", "-br", "link").splitlines() if line.startswith("govhub")],
        "routes": [line for line in run("ip", "route").splitlines() if line.startswith("10.77.")],
        "namespaces": run("ip", "netns", "list").splitlines(),
        "cgroups": sorted(map(str, Path("/sys/fs/cgroup").glob("*/govhub-*"))),
        "settings": {name: (SYS / name).read_text() for name in (*NEEDED, *OF_NODES)},
        "propagation": sorted(path.name for path in Path("/run/systemd/nspawn").glob("propagate/*")),
        "processes": processes(folder),
        "folder": folder.exists(),
    }


def processes(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in text:
            found.append(text[:160])
    return found
