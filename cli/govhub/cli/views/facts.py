"""Facts of hosts for people: a line a host, then what needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import heading, line, more, row, safe, seconds, table

Document = dict[str, Any]
FEW = 30
EXPIRY_DAYS = 30
OFFSET = 0.5
FULL = 0.9


def show_facts(console: Console, document: Document, *, verbose: bool = False) -> None:
    """A table of hosts, then who listens, then what stands out."""
    hosts = document["hosts"]
    out = table(
        tr("Host"),
        tr("system"),
        tr("kernel"),
        tr("cores"),
        tr("memory"),
        tr("packages"),
        tr("upgrades"),
        tr("ports"),
        tr("certificates"),
        tr("clock"),
        tr("up for"),
        tr("reboot"),
        numbers=(3, 4, 5, 6, 7, 8, 9, 10),
    )
    for item in hosts:
        row(out, *_cells(item))
    console.print(out)
    listening = list(_listening(hosts))
    if listening:
        heading(console, tr("Listening"))
        limit = len(listening) if verbose else FEW
        for text in listening[:limit]:
            line(console, f"  {text}")
        more(console, len(listening) - limit, "  ")
    notes = [f"{safe(item['host'])}: {note}" for item in hosts for note in _notes(item)]
    if notes:
        heading(console, tr("Stands out"))
        for note in notes:
            line(console, f"  {note}", style="yellow")
    show_unread(console, document)


def show_unread(console: Console, document: Document) -> None:
    """Hosts that could not be read, each with its reason, and the time it took."""
    for item in document["problems"]:
        line(console, f"error[{item['code']}] {item['summary']}", style="bold red")
        line(console, f"  {tr('hint')}: {item['hint']}", style="dim")
    count = sum(item.get("age") is not None for item in _hosts(document))
    read = trn("{count} host read", "{count} hosts read", count)
    parts = [f"{document['hub']}: {read}"]
    if document["problems"]:
        parts.append(f"{tr('not read')} {len(document['problems']):,}")
    if document["without_address"]:
        parts.append(f"{tr('no address')} {len(document['without_address']):,}")
    if document["saved"]:
        oldest = max((item["age"] for item in _hosts(document) if item["age"] is not None), default=0.0)
        parts.append(f"{tr('saved; the oldest was read before')} {since(oldest)}")
    line(console, f"\n{'; '.join(parts)}; {seconds(document['seconds'])}", style="bold")


def since(value: float) -> str:
    """A time that has passed: days and hours when it is long."""
    if value >= 2 * 86400:
        return f"{value / 86400:.0f} d"
    return f"{value / 3600:.0f} h" if value >= 2 * 3600 else seconds(value)


def _hosts(document: Document) -> list[Document]:
    """Facts are a list of hosts, an audit has them by name."""
    hosts = document["hosts"]
    return list(hosts.values()) if isinstance(hosts, dict) else list(hosts)


def _cells(item: Document) -> tuple[str, ...]:
    system, hardware, packages, clock = item["system"], item["hardware"], item["packages"], item["clock"]
    ports, certificates = item["listening"], item["certificates"]
    return (
        item["host"],
        system["os"] or tr("unknown"),
        system["kernel"] or tr("unknown"),
        _count(hardware["cores"]),
        _size(hardware["memory"]),
        _count(packages["installed"]),
        _count(None if packages["upgrades"] is None else len(packages["upgrades"])),
        _count(None if ports is None else len({(one["protocol"], one["port"]) for one in ports})),
        _count(None if certificates is None else len(certificates)),
        _offset(clock),
        tr("unknown") if item["uptime"] is None else since(item["uptime"]),
        {True: tr("yes"), False: tr("no"), None: tr("unknown")}[item["reboot_required"]],
    )


def _listening(hosts: list[Document]) -> Iterator[str]:
    """Ports by what listens, each with the hosts: what differs shows."""
    found: dict[tuple[str, int, str, str], list[str]] = {}
    for item in hosts:
        for one in item["listening"] or []:
            key = (one["protocol"], one["port"], one["address"], one["process"])
            found.setdefault(key, []).append(item["host"])
    for (protocol, port, address, process), names in sorted(found.items()):
        shown = ", ".join(names[:4]) + (f" … {len(names)}" if len(names) > 4 else "")
        where = f"[{address}]:{port}/{protocol}" if ":" in address else f"{address}:{port}/{protocol}"
        yield f"{where:<28} {safe(process) or tr('unknown'):<24} {safe(shown)}"


def _notes(item: Document) -> Iterator[str]:
    clock = item["clock"]
    offset = clock["offset_here"]
    if offset is not None and abs(offset) - clock["uncertainty"] > OFFSET:
        yield f"{tr('its clock differs from ours by')} {offset:+.2f} s"
    if clock["synchronised"] is False:
        yield tr("its clock is not synchronised")
    for name in item["failed_services"] or []:
        yield f"{tr('failed service')}: {safe(name)}"
    for system in item["disks"]["file_systems"] or []:
        if system["size"] and system["used"] / system["size"] > FULL:
            yield f"{safe(system['mount'])}: {100 * system['used'] / system['size']:.0f}% {tr('full')}"
    now = datetime.now(UTC)
    for one in item["certificates"] or []:
        if "problem" in one:
            yield f"{safe(one['file'])}: {safe(one['problem'])}"
        elif (left := (datetime.fromisoformat(one["not_after"]) - now).days) < EXPIRY_DAYS:
            yield f"{safe(one['file'])}: {tr('days until the certificate expires')}: {left}"


def _count(value: int | None) -> str:
    return tr("unknown") if value is None else f"{value:,}"


def _size(value: int | None) -> str:
    return tr("unknown") if value is None else f"{value / 2**30:.1f} GiB"


def _offset(clock: Document) -> str:
    value = clock["offset"] if clock["offset"] is not None else clock["offset_here"]
    return tr("unknown") if value is None else f"{value * 1000:+.0f} ms"
