"""What management controllers are asked and what they tell; text from them is data from outside."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.secrets import Secret
from govhub.inventory.model.compute import BMC, SERIAL

SYSTEMS = "/redfish/v1/systems/"
_UNTOLD = {"", "none", "n/a", "na", "unknown", "default string", "to be filled by o.e.m.", "system serial number"}
_STRANGE = re.compile(r"[^\w .,:;()/+@#&*-]+")


class ControllerError(GovhubError):
    """A management controller did not do or tell what it was asked."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in to management controllers."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as its management controller tells of it; None is what it does not tell, which is never zero."""

    bmc: str
    serial: str
    """Serial number, or UUID where there is none."""
    model: str
    power: str
    """``On``, ``Off`` and what else Redfish knows; empty when it is not told."""
    boot: str
    """Boot source that overrides the usual order, as ``Pxe (Once)``; empty for none."""
    arch: str | None
    """``amd64`` or ``arm64``."""
    cores: int | None
    threads: int | None
    memory: int | None
    """Bytes."""
    storage: int | None
    """Bytes of all drives together, before any RAID."""
    units: int | None
    """Height in rack units, of machines with a chassis of their own."""
    kg: float | None
    macs: tuple[str, ...] = ()


def split_address(bmc: str) -> tuple[str, str]:
    """``(base URL, path of the system or nothing)`` of a controller's address as it stands in hub files.

    Raises:
        InvalidInput: it is none, or credentials would go over a network in clear (BMC001).
    """
    if not re.fullmatch(BMC, bmc):
        raise InvalidInput.one(
            "BMC001",
            f'"{bmc[:80]}" is no address of a management controller',
            hint="write 10.62.13.11, bmc.example:8443 or 10.62.13.11/redfish/v1/Systems/1",
        )
    parts = urlsplit(bmc if "://" in bmc else f"https://{bmc}")
    if parts.scheme == "http" and not _loopback(parts.hostname or ""):
        raise InvalidInput.one(
            "BMC001",
            f"{bmc} would send the password in clear",
            hint="use https; plain http is for emulators on this machine",
        )
    return f"{parts.scheme}://{parts.netloc}", parts.path


def serial_of(told: str | None, uuid: str | None) -> str:
    """What tells a machine from all others; empty when it tells neither a serial number nor a UUID."""
    for text in (told, uuid):
        word = "-".join((text or "").split())
        if word.lower() not in _UNTOLD and (text or "").strip().lower() not in _UNTOLD and re.fullmatch(SERIAL, word):
            return word[:64]
    return ""


def words_of(*told: str | None) -> str:
    """Texts of a machine as one of ours: no control characters, no templates, 80 characters at most."""
    return " ".join(_STRANGE.sub(" ", " ".join(text for text in told if text)).split())[:80]


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
