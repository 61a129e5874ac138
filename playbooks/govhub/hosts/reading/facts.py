"""Facts of a host from its reading: what it is, what it runs, who listens. What could not be read is None, never 0."""

from __future__ import annotations

import re
from typing import Any

from govhub.core.sections import Reading
from govhub.core.sockets import sockets
from govhub.hosts.reading.certificates import certificates

SCHEMA = "govhub.host-facts/1"
_UPGRADE = re.compile(r"^Inst (\S+)")
_PAIR = re.compile(r'(\w+)="([^"]*)"')
Facts = dict[str, Any]


def facts_of(reading: Reading) -> Facts:
    """All facts of one host, JSON-like; sizes in bytes, times in seconds."""
    return {
        "schema": SCHEMA,
        "host": reading.host,
        "time": reading.time,
        **machine_facts(reading),
        "packages": _packages(reading),
        "listening": _listening(reading),
        "certificates": certificates(reading),
        "clock": clock(reading),
        "uptime": _uptime(reading),
        "reboot_required": bool(section.lines) if (section := reading.section("reboot")).exit == 0 else None,
        "failed_services": failed_services(reading),
    }


def machine_facts(reading: Reading) -> Facts:
    """What the machine is: ``system``, ``hardware`` and ``disks`` alone, for servers that are no hosts of the hub."""
    return {"system": _system(reading), "hardware": _hardware(reading), "disks": _disks(reading)}


def _system(reading: Reading) -> Facts:
    release = dict(line.split("=", 1) for line in reading.section("release").lines if "=" in line)
    kernel = reading.section("kernel").text.split()
    zone = reading.section("zone").text
    return {
        "name": _text(reading, "hostname"),
        "os": release.get("PRETTY_NAME", "").strip('"') or None,
        "release": release.get("VERSION_ID", "").strip('"') or None,
        "kernel": kernel[1] if len(kernel) == 3 else None,
        "arch": kernel[2] if len(kernel) == 3 else None,
        "virtual": _text(reading, "virtual"),
        "timezone": zone.rpartition("zoneinfo/")[2] or None,
    }


def _hardware(reading: Reading) -> Facts:
    models = [line.partition(":")[2].strip() for line in reading.section("cpu").lines if line.startswith("model name")]
    cores = reading.section("cores").text
    memory = dict(line.split(":", 1) for line in reading.section("memory").lines if ":" in line)
    return {
        "cpu": models[0] if models else None,
        "cores": int(cores) if cores.isdigit() else None,
        "memory": _kib(memory.get("MemTotal")),
        "memory_available": _kib(memory.get("MemAvailable")),
        "swap": _kib(memory.get("SwapTotal")),
    }


def _kib(text: str | None) -> int | None:
    words = (text or "").split()
    return int(words[0]) * 1024 if words and words[0].isdigit() else None


def _disks(reading: Reading) -> Facts:
    systems = [line.split() for line in reading.section("disks").lines[1:]]
    devices = [dict(_PAIR.findall(line)) for line in reading.section("blocks").lines]
    return {
        "file_systems": [
            {"mount": words[5], "device": words[0], "size": int(words[1]) * 1024, "used": int(words[2]) * 1024}
            for words in systems
            if len(words) >= 6 and words[1].isdigit() and words[2].isdigit()
        ]
        if systems
        else None,
        "devices": [
            {
                "name": device.get("NAME", ""),
                "size": int(device["SIZE"]),
                "rotating": device.get("ROTA") == "1",
                "model": device.get("MODEL") or None,
            }
            for device in devices
            if device.get("TYPE") == "disk" and device.get("SIZE", "0").isdigit() and int(device["SIZE"])
        ]
        if reading.section("blocks").exit == 0
        else None,
    }


def packages_of(reading: Reading) -> dict[str, str] | None:
    """Installed packages with their versions; None when they could not be read."""
    section = reading.section("packages")
    if section.exit or not section.lines:
        return None
    rows = [line.split("\t") for line in section.lines]
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0].startswith("ii")}


def _packages(reading: Reading) -> Facts:
    known = packages_of(reading)
    return {"installed": len(known) if known is not None else None, "upgrades": upgrades(reading)}


def upgrades(reading: Reading) -> list[str] | None:
    """Packages that the host's mirror has newer; None when apt could not say, or has no source to say it from."""
    section = reading.section("upgrades")
    strange = any(not line.startswith(("Inst ", "Conf ", "Remv ")) for line in section.lines)
    if section.exit or strange or not reading.section("sources").lines:
        return None
    return [found.group(1) for line in section.lines if (found := _UPGRADE.match(line))]


def _listening(reading: Reading) -> list[Facts] | None:
    found = sockets(reading)
    if found is None:
        return None
    return [
        {"protocol": item.protocol, "address": item.address, "port": item.port, "process": item.process}
        for item in found
    ]


def clock(reading: Reading) -> Facts:
    """The clock: against its own source as chrony tells it, and against the clock of this machine."""
    words = reading.section("tracking").text.split(",")
    tracked = reading.section("tracking").exit == 0 and len(words) >= 14
    return {
        "source": words[1] or words[0] if tracked else None,
        "stratum": int(words[2]) if tracked and words[2].isdigit() else None,
        # Chrony counts as positive what the clock is slow by.
        "offset": -float(words[4]) if tracked else None,
        "synchronised": words[13] in ("Normal", "Insert second", "Delete second") if tracked else None,
        "offset_here": reading.offset,
        "uncertainty": reading.uncertainty,
    }


def failed_services(reading: Reading) -> list[str] | None:
    """Units that have failed; None when systemd could not say."""
    section = reading.section("services")
    if section.exit:
        return None
    rows = [line.split() for line in section.lines]
    return [row[0] for row in rows if len(row) > 3 and row[2] == "failed"]


def _uptime(reading: Reading) -> float | None:
    words = reading.section("uptime").text.split()
    return float(words[0]) if words else None


def _text(reading: Reading, name: str) -> str | None:
    return reading.section(name).text or None
