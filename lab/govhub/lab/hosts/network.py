"""The lab hosts' network: a namespace with one bridge, reached from this machine, and leading nowhere.

A pair of virtual cards joins this machine and the namespace, so that SSH works from here as it does anywhere.
Nothing is forwarded beyond this machine, hosts get a route to it alone, and the namespace's own firewall lets them
answer and not call: what this machine has open for others is not theirs.
"""

from __future__ import annotations

import hashlib
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.core.settings import home
from govhub.lab.hosts.shell import run

PREFIX = "10.77.0"
OWN = "govhub-"
GATEWAY = f"{PREFIX}.1"
BRIDGE = "br0"
OUTSIDE, INSIDE = "169.254.77.1", "169.254.77.2"
MIRROR_PORT = 8077
# How often `ip` may have mounted the folder of namespaces.
_LAYERS = 4
# Priority and names are ours alone; the table goes with the namespace.
_RULES = f"""
table inet lab {{
  chain input {{
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname "lo" accept
    iifname "up0" accept
    iifname "{BRIDGE}" tcp dport {MIRROR_PORT} accept
    iifname "{BRIDGE}" meta l4proto icmp accept
  }}
  chain forward {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "up0" oifname "{BRIDGE}" accept
    iifname "{BRIDGE}" oifname "{BRIDGE}" accept
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Network:
    """The namespace of one hub's lab hosts."""

    hub: str

    @property
    def namespace(self) -> str:
        """The name as `ip netns` shows it; a hub of the same name in another home has another lab."""
        return f"{OWN}{self.hub}-{hashlib.sha256(str(home().resolve()).encode()).hexdigest()[:8]}"

    @property
    def path(self) -> Path:
        """Where processes enter it."""
        return Path("/run/netns") / self.namespace

    def exists(self) -> bool:
        """Whether it was made and not taken down."""
        return self.path.exists()

    def up(self) -> None:
        """Make it; nothing happens when it is there.

        Raises:
            GovhubError: another hub's lab hosts run here: there is one address range for all.
        """
        if self.exists():
            if self._whole():
                return
            # One that was killed while it made this.
            self.down()
        if others := self._others():
            hub, _, mark = others[0].removeprefix(OWN).rpartition("-")
            same = self.namespace.endswith(mark)
            raise GovhubError.one(
                "LAB013",
                f"the lab hosts of {hub}{'' if same else ', of another home,'} use {PREFIX}.0/24 already",
                hint=f"govhub lab down {hub}{'' if same else ', there'}",
            )
        try:
            self._make()
        except GovhubError:
            self.down()
            raise

    def _make(self) -> None:
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self._card, "type", "veth", "peer", "name", "up0", "netns", self.namespace)
        run("ip", "address", "add", f"{OUTSIDE}/30", "dev", self._card)
        run("ip", "link", "set", self._card, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("link", "add", BRIDGE, "type", "bridge"),
            ("address", "add", f"{GATEWAY}/24", "dev", BRIDGE),
            ("link", "set", BRIDGE, "up"),
            ("address", "add", f"{INSIDE}/30", "dev", "up0"),
            ("link", "set", "up0", "up"),
        ):
            run("ip", "-n", self.namespace, *words)
        self.enter("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        self.enter("nft", "-f", "-", text=_RULES)
        run("ip", "route", "add", f"{PREFIX}.0/24", "via", INSIDE, "dev", self._card)

    def _whole(self) -> bool:
        """Whether it was made to its end: the route comes last."""
        return self._card in run("ip", "route", "show", f"{PREFIX}.0/24")

    def _others(self) -> list[str]:
        """Namespaces of other labs."""
        names = [line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.startswith(OWN)]
        return [name for name in names if name != self.namespace]

    def down(self) -> None:
        """Remove it, and with it the bridge, the cards, the route and the firewall's table.

        What still runs in it is ended: it would keep all that, without a name.
        """
        if self.exists() or not self._others():
            with suppress(GovhubError):
                run("ip", "link", "del", self._card)
        if self.exists():
            with suppress(GovhubError):
                for pid in run("ip", "netns", "pids", self.namespace).split():
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
            run("ip", "netns", "del", self.namespace)
        # `ip` has mounted it for the first namespace, and never unmounts it.
        # It is a mount of the folder over itself, which does not look like one by its device: asked until it is none.
        folder = self.path.parent
        if folder.is_dir() and not any(folder.iterdir()):
            with suppress(GovhubError):
                for _ in range(_LAYERS):
                    run("umount", folder)
            with suppress(OSError):
                folder.rmdir()

    def enter(self, *command: str | Path, text: str = "") -> str:
        """Run a tool in it."""
        return run("nsenter", f"--net={self.path}", *command, text=text)

    @property
    def _card(self) -> str:
        return "govhub0"


def address(index: int) -> str:
    """The address of the lab host with this index: .11 and up."""
    return f"{PREFIX}.{11 + index}"
