"""Machines and hosts: which is which, and where what is declared differs from what a machine tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.core.quantities import bytes_of
from govhub.hosts.machines import Machine
from govhub.inventory.editing.hosts import NewHost
from govhub.inventory.loader import Hub
from govhub.inventory.topology import PlacedHost
from govhub.ops.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What one machine is to the hub."""

    bmc: str
    machine: Machine
    status: str
    """``known``, ``moved`` (known, at another controller address), ``declared`` (a host waits for it), ``new``,
    ``replaced``, ``unnamed`` (nothing says which host it is), or ``refused``."""
    name: str = ""
    new: NewHost | None = None
    differences: list[str] = field(default_factory=list)
    """Where the declaration and the machine differ, for people."""

    @property
    def entry(self) -> dict[str, str]:
        """The machine as it stands in a hub's file."""
        found = {"serial": self.machine.serial, "bmc": self.bmc, "model": self.machine.model}
        return {key: value for key, value in found.items() if value}

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; what the machine does not tell is null."""
        told = self.machine
        return {
            "bmc": self.bmc,
            "status": self.status,
            "host": self.name or None,
            "serial": told.serial,
            "model": told.model or None,
            "power": told.power or None,
            "boot": told.boot or None,
            "arch": told.arch,
            "cores": told.cores,
            "threads": told.threads,
            "memory": told.memory,
            "storage": told.storage,
            "units": told.units,
            "kg": told.kg,
            "macs": list(told.macs),
            "differences": self.differences,
        }


def matched(
    hub: Hub, targets: list[Target], machines: dict[str, Machine], replace: str, problems: Diagnostics
) -> list[Match]:
    """One match a machine that was seen; what cannot be goes to ``problems`` too (BMC020 to BMC022, BMC030)."""
    by_serial = {host.serial.lower(): host for host in hub.topology.hosts.values() if host.serial}
    out = []
    for one in targets:
        if machine := machines.get(one.bmc):
            match = _match(hub, one, machine, by_serial.get(machine.serial.lower()), replace, problems)
            for text in match.differences:
                hint = "correct the hub's file, or the machine"
                problems.warning("BMC030", f"{match.name}: {text}", address=_address(match.name), hint=hint)
            out.append(match)
    return out


def _match(
    hub: Hub, one: Target, machine: Machine, known: PlacedHost | None, replace: str, problems: Diagnostics
) -> Match:
    name = replace or one.name
    host = hub.topology.hosts.get(name)
    if replace and (known or not host):
        _not_replaced(hub, one, machine, known, replace, problems)
        return Match(bmc=one.bmc, machine=machine, status="refused", name=replace)
    if known:
        if name and name != known.name:
            text = f"{one.bmc}: the machine {machine.serial} is {known.name} already, not {name}"
            hint = f"leave out the name, or retire {known.name} first"
            problems.error("BMC020", text, address=_address(known.name), source=_where(hub, known), hint=hint)
            return Match(bmc=one.bmc, machine=machine, status="refused", name=known.name)
        status = "known" if known.bmc == one.bmc else "moved"
        return Match(
            bmc=one.bmc,
            machine=machine,
            status=status,
            name=known.name,
            differences=_differences(hub, one, known, machine),
        )
    if host:
        if host.serial and not replace:
            text = f"{one.bmc}: {name} is the machine {host.serial}, and this is {machine.serial}"
            hint = f"if it takes the place of the other: --replace {name}"
            problems.error("BMC021", text, address=_address(name), source=_where(hub, host), hint=hint)
            return Match(bmc=one.bmc, machine=machine, status="refused", name=name)
        status = "replaced" if replace else "declared"
        found = _differences(hub, one, host, machine)
        return Match(bmc=one.bmc, machine=machine, status=status, name=name, differences=found)
    return _new(one, machine, problems)


def _not_replaced(
    hub: Hub, one: Target, machine: Machine, known: PlacedHost | None, name: str, problems: Diagnostics
) -> None:
    if known:
        same = known.name == name
        text = f"{one.bmc}: the machine {machine.serial} is {'' if same else 'the host '}{known.name} already"
        hint = "nothing is to be replaced" if same else f"retire {known.name} first"
        problems.error("BMC020", text, address=_address(known.name), source=_where(hub, known), hint=hint)
    else:
        problems.error("BMC021", f'there is no host "{name}" to replace', address=_address(name), hint="hosts list HUB")


def _new(one: Target, machine: Machine, problems: Diagnostics) -> Match:
    if not one.name:
        return Match(bmc=one.bmc, machine=machine, status="unnamed")
    told = {"arch": machine.arch, "cores": machine.cores, "memory": machine.memory, "rack": one.rack}
    if missing := [key for key, value in told.items() if not value]:
        problems.error(
            "BMC022",
            f"{one.bmc}: {one.name} cannot be declared, not known: {', '.join(missing)}",
            address=_address(one.name),
            hint="give --rack; what the controller does not tell, declare by hand, and enrol again",
        )
        return Match(bmc=one.bmc, machine=machine, status="refused", name=one.name)
    match = Match(bmc=one.bmc, machine=machine, status="new", name=one.name)
    new = NewHost(name=one.name, rack=one.rack, address=one.address, spec=_spec(one, machine), machine=match.entry)
    return Match(bmc=one.bmc, machine=machine, status="new", name=one.name, new=new)


def _spec(one: Target, machine: Machine) -> dict[str, Any]:
    """A ``hosts`` entry without names and places; what is our assumption says so."""
    assert machine.cores
    assert machine.memory
    spec: dict[str, Any] = {key: value for key in ("role", "cluster", "pool") if (value := getattr(one, key))}
    spec |= {"arch": machine.arch, "cores": machine.cores, "memory": _amount(machine.memory)}
    if machine.storage:
        spec["storage"] = _amount(machine.storage)
    given = {
        "units": int(one.units) if one.units else machine.units,
        "watts": int(one.watts) if one.watts else None,
        "kg": _weight(one, machine),
    }
    spec |= {key: value for key, value in given.items() if value}
    if guessed := [key for key, value in given.items() if not value]:
        spec |= {"assumed": True, "reason": f"the machine does not tell {', '.join(guessed)}"}
    return spec


def _weight(one: Target, machine: Machine) -> float | int | None:
    kg = float(one.kg) if one.kg else machine.kg
    return int(kg) if kg and kg.is_integer() else kg


def _amount(count: int) -> str:
    """Bytes as people write them, rounded down: nothing is promised that is not there."""
    return f"{count // 2**40}Ti" if count % 2**40 == 0 else f"{count // 2**30}Gi"


def _differences(hub: Hub, one: Target, host: PlacedHost, machine: Machine) -> list[str]:
    out = [f"rack is declared {host.rack}, and said to be {one.rack}"] if one.rack not in ("", host.rack) else []
    declared = hub.model.hosts[host.entry]
    if machine.arch and machine.arch != host.arch:
        out.append(f"arch is declared {host.arch}, the machine is {machine.arch}")
    # Either way of counting is right: what the node offers is the declaration's choice.
    if machine.cores and declared.cores not in (machine.cores, machine.threads):
        threads = f" ({machine.threads} threads)" if machine.threads else ""
        out.append(f"cores are declared {declared.cores}, the machine has {machine.cores}{threads}")
    if machine.memory and machine.memory != host.memory:
        out.append(f"memory is declared {declared.memory}, the machine has {_amount(machine.memory)}")
    # Drives before RAID are more than what is usable; less cannot be right.
    if machine.storage and declared.storage and machine.storage < bytes_of(declared.storage):
        out.append(f"storage is declared {declared.storage}, the drives have {_amount(machine.storage)}")
    return out


def _where(hub: Hub, host: PlacedHost) -> Any:
    return hub.at("hosts", host.entry)


def _address(name: str) -> str:
    return f"hosts/{name}"
