"""The way from lab hosts to the API server of a lab cluster, which listens on this machine's loopback alone.

systemd's own proxy, started with a socket that was opened in the hosts' network: one port leads to one API server,
and to nothing else on this machine.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from pathlib import Path

from govhub.lab.hosts.network import BRIDGE, GATEWAY, Network
from govhub.lab.hosts.shell import run, spawn, spawned

_PROXY = "/lib/systemd/systemd-socket-proxyd"
_MARK = b"gate-"


def open_gate(network: Network, folder: Path, cluster: str, port: int) -> str:
    """Let hosts reach the API server on this port of the loopback; nothing happens when they can.

    Returns:
        Its address as hosts see it.
    """
    name = f"gate-{cluster}"
    address = f"{GATEWAY}:{port}"
    if spawned(folder, name, _MARK) and f"-l {address} " in (folder / f"{name}.sh").read_text(encoding="utf-8"):
        return f"https://{address}"
    _end(folder, name)
    rule = ("add", "rule", "inet", "lab", "input", "iifname", BRIDGE, "tcp", "dport", str(port), "accept")
    if f"tcp dport {port} accept" not in network.enter("nft", "list", "chain", "inet", "lab", "input"):
        run("nsenter", f"--net={network.path}", "nft", *rule)
    listen = ["nsenter", f"--net={network.path}", "setpriv", "--pdeathsig", "KILL"]
    listen += ["systemd-socket-activate", "-l", address]
    # The shell stays: through it the proxy finds back to this machine's network, and it ends with it.
    script = f'{shlex.join(listen)} nsenter --net="/proc/$$/ns/net" {_PROXY} 127.0.0.1:{port}\nexit\n'
    spawn(script, folder, name)
    return f"https://{address}"


def close_gates(folder: Path) -> None:
    """End all of them."""
    for path in folder.glob("gate-*.pid"):
        _end(folder, path.stem)


def _end(folder: Path, name: str) -> None:
    pid = spawned(folder, name, _MARK)
    if pid:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 5
        while spawned(folder, name, _MARK) and time.monotonic() < deadline:
            time.sleep(0.02)
