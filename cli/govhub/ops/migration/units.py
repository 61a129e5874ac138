"""systemd units on departments' servers, over SSH."""

from __future__ import annotations

from dataclasses import dataclass

from govhub.core.errors import GovhubError
from govhub.hosts.tunnel import Tunnel


@dataclass(slots=True)
class RemoteUnit:
    """See :class:`govhub.migration.moving.application.Unit`; the login may use sudo."""

    name: str
    tunnel: Tunnel

    def stop(self) -> None:
        """See the protocol."""
        self._systemctl("stop")

    def start(self) -> None:
        """See the protocol."""
        self._systemctl("start")

    def state(self) -> str:
        """See the protocol."""
        # Its exit code only repeats the word.
        said = self.tunnel.run("systemctl", "is-active", self.name)
        return said.output.strip() or f"unknown: {said.errors.strip()[:200]}"

    def enabled(self) -> str:
        """See :class:`govhub.migration.moving.workload.BootUnit`."""
        said = self.tunnel.run("systemctl", "is-enabled", self.name)
        return said.output.strip() or f"unknown: {said.errors.strip()[:200]}"

    def enable(self) -> None:
        """See :class:`govhub.migration.moving.workload.BootUnit`."""
        self._systemctl("enable")

    def disable(self) -> None:
        """See :class:`govhub.migration.moving.workload.BootUnit`."""
        self._systemctl("disable")

    def close(self) -> None:
        """See the protocol."""
        self.tunnel.close()

    def _systemctl(self, word: str) -> None:
        said = self.tunnel.run("sudo", "-n", "systemctl", word, self.name)
        if said.code:
            raise GovhubError.one(
                "RUN021",
                f"{self.name} on {self.tunnel.name} does not {word}",
                detail=said.errors.strip()[-300:],
                hint=f"`systemctl status {self.name}` there says why; {self.tunnel.reach.user} needs sudo",
            )
