"""From the reading of a source to its facts."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from govhub.core.sections import Reading
from govhub.core.sockets import sockets
from govhub.migration.portfolio.found import Connection, FileSystem, Folder, SourceFacts, Unit
from govhub.migration.portfolio.servers import servers

MOST_CONNECTIONS = 2000
"""Lines of connections that the script prints at most."""
_PROCESS = re.compile(r'\("([^"]*)",pid=')
_SHELLS = ("/nologin", "/false", "/sync", "/shutdown", "/halt")
# Asking is a connection too.
_ASKING = 22


def facts_of(reading: Reading, machine: Mapping[str, Any], host_key: str | None = None) -> SourceFacts:
    """The facts of one source.

    Args:
        reading: What the script answered.
        machine: ``system`` and ``hardware`` as the reading of hosts understands them: the sections are the same.
        host_key: The fingerprint that it proved itself with.
    """
    system, hardware = machine["system"], machine["hardware"]
    found, unread = servers(reading)
    return SourceFacts(
        source=reading.host,
        time=reading.time,
        host_key=host_key,
        os=system["os"],
        release=_release(reading),
        kernel=system["kernel"],
        virtual=system["virtual"],
        installed=_installed(reading),
        cores=hardware["cores"],
        memory=hardware["memory"],
        memory_available=hardware["memory_available"],
        file_systems=_file_systems(reading),
        addresses=_addresses(reading),
        services=_services(reading),
        listening=_listening(reading),
        connections=_connections(reading),
        users=_users(reading),
        jobs=_jobs(reading),
        timers=_timers(reading),
        servers=found,
        unread=unread,
        units=dict(_units(reading)),
        folders=dict(_folders(reading)),
    )


def _release(reading: Reading) -> str | None:
    lines = reading.section("release").lines
    words = {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}
    return f"{words['ID']} {words.get('VERSION_ID', '')}".strip() if words.get("ID") else None


def _installed(reading: Reading) -> str | None:
    text = reading.section("installed").text.strip()
    return datetime.fromtimestamp(int(text), UTC).date().isoformat() if text.isdigit() else None


def _file_systems(reading: Reading) -> tuple[FileSystem, ...] | None:
    section = reading.section("disks")
    rows = [line.split(None, 5) for line in section.lines[1:]]
    found = [
        FileSystem(mount=row[5], size=int(row[1]) * 1024, free=int(row[3]) * 1024)
        for row in rows
        if len(row) == 6 and row[1].isdigit() and row[3].isdigit()
    ]
    # A mount that hangs ends the command with an error, and the others are told all the same.
    return tuple(found) if found else None


def _addresses(reading: Reading) -> tuple[str, ...] | None:
    section = reading.section("addresses")
    if section.exit:
        return None
    return tuple(sorted({words[3].partition("/")[0] for line in section.lines if len(words := line.split()) > 3}))


def _services(reading: Reading) -> tuple[str, ...] | None:
    section = reading.section("services")
    return None if section.exit else tuple(sorted(line.split()[0] for line in section.lines if line.split()))


def _listening(reading: Reading) -> tuple[tuple[int, str, str], ...] | None:
    found = sockets(reading)
    if found is None:
        return None
    return tuple(
        sorted({(item.port, item.address, item.process) for item in found if item.protocol == "tcp" and not item.local})
    )


def _connections(reading: Reading) -> tuple[Connection, ...] | None:
    section, listening = reading.section("connections"), sockets(reading)
    if section.exit or listening is None or len(section.lines) >= MOST_CONNECTIONS:
        return None
    served = {item.port for item in listening if item.protocol == "tcp"}
    counted: Counter[tuple[str, int, bool]] = Counter()
    processes: dict[tuple[str, int, bool], str] = {}
    for line in section.lines:
        words = line.split(None, 4)
        if len(words) < 4 or not (here := _end(words[2])) or not (there := _end(words[3])):
            continue
        incoming = here[1] in served
        port = here[1] if incoming else there[1]
        if (incoming and port == _ASKING) or ipaddress.ip_address(there[0]).is_loopback:
            continue
        key = (there[0], port, incoming)
        counted[key] += 1
        if len(words) > 4 and (names := _PROCESS.findall(words[4])):
            processes[key] = names[0]
    return tuple(
        sorted(
            Connection(address=address, port=port, incoming=incoming, process=processes.get(key, ""), count=count)
            for key, count in counted.items()
            for address, port, incoming in [key]
        )
    )


def _end(text: str) -> tuple[str, int] | None:
    address, _, port = text.rpartition(":")
    address = address.strip("[]").partition("%")[0].removeprefix("::ffff:")
    try:
        return str(ipaddress.ip_address(address)), int(port)
    except ValueError:
        return None


def _users(reading: Reading) -> tuple[str, ...] | None:
    section = reading.section("passwd")
    rows = [line.split(":") for line in section.lines]
    if section.exit:
        return None
    return tuple(row[0] for row in rows if len(row) == 7 and not row[6].endswith(_SHELLS))


def _jobs(reading: Reading) -> tuple[tuple[str, str, str], ...] | None:
    section = reading.section("cron")
    rows = [line.split("\t") for line in section.lines]
    return None if section.exit else tuple((row[0], row[1], row[2]) for row in rows if len(row) == 3)


def _timers(reading: Reading) -> tuple[str, ...] | None:
    section = reading.section("timers")
    if section.exit:
        return None
    return tuple(sorted({word for line in section.lines for word in line.split() if word.endswith(".timer")}))


def _units(reading: Reading) -> Iterable[tuple[str, Unit]]:
    for name, section in reading.sections.items():
        if not name.startswith("unit ") or section.exit:
            continue
        values = dict(line.split("=", 1) for line in section.lines if "=" in line)
        memory = values.get("MemoryCurrent", "")
        yield (
            name.removeprefix("unit "),
            Unit(
                exists=values.get("LoadState") not in ("not-found", None),
                active=values.get("ActiveState", "unknown"),
                # The largest number stands for none.
                memory=int(memory) if memory.isdigit() and int(memory) < 2**62 else None,
            ),
        )


def _folders(reading: Reading) -> Iterable[tuple[str, Folder]]:
    section = reading.section("folders")
    for line in section.lines if not section.exit else ():
        path, size, files = [*line.split("\t"), "", ""][:3]
        yield (
            path,
            Folder(
                exists=size != "-",
                size=int(size) if size.isdigit() else None,
                files=int(files) if files.isdigit() else None,
            ),
        )
