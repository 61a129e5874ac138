"""Who listens on a host, from ``ss``."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from govhub.core.sections import Reading

_PROCESS = re.compile(r'\("([^"]*)",pid=')
_EVERYWHERE = ("*", "0.0.0.0", "::")  # noqa: S104  # read, not bound


@dataclass(frozen=True, slots=True, order=True)
class Socket:
    """A port that is listened on."""

    protocol: str
    port: int
    address: str
    process: str

    @property
    def local(self) -> bool:
        """Whether only the host itself can reach it."""
        if self.address in _EVERYWHERE:
            return False
        try:
            return ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False


def sockets(reading: Reading) -> list[Socket] | None:
    """The listening sockets, sorted, each once; None when they could not be read or understood, all of them."""
    section = reading.section("listening")
    found = [_socket(line.split(None, 6)) for line in section.lines]
    if section.exit or None in found:
        return None
    return sorted({item for item in found if item})


def _socket(words: list[str]) -> Socket | None:
    if len(words) < 6 or words[0] not in ("tcp", "udp"):
        return None
    address, _, port = words[4].rpartition(":")
    if not port.isdigit():
        return None
    names = _PROCESS.findall(words[6]) if len(words) > 6 else []
    return Socket(words[0], int(port), address.strip("[]").partition("%")[0], ", ".join(sorted(set(names))))
