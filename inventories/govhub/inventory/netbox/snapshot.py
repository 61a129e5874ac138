"""What is read of NetBox for an import: plain objects, a list for each endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from govhub.core.errors import InvalidInput
from govhub.core.text import did_you_mean
from govhub.inventory.netbox.client import NetBox, Object

ENDPOINTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("dcim/locations", {}),
    ("dcim/racks", {}),
    ("dcim/devices", {"exclude": "config_context"}),
    ("dcim/power-panels", {}),
    ("dcim/power-feeds", {}),
    ("dcim/interfaces", {"connected": "true"}),
)
"""What lies in sites, and how each list is asked for."""
SHARED = ("dcim/device-types", "dcim/power-port-templates", "dcim/interface-templates", "circuits/circuits")


@dataclass(slots=True)
class Snapshot:
    """Objects by endpoint."""

    version: str
    sites: list[Object] = field(default_factory=list)
    parts: dict[str, list[Object]] = field(default_factory=dict)

    def of(self, path: str) -> list[Object]:
        """The objects of one endpoint."""
        return self.parts.get(path, [])


def read(netbox: NetBox, sites: Sequence[str], progress: Callable[[str, int], None] | None = None) -> Snapshot:
    """Read what stands in the sites (by slug; all of them when none is named).

    Raises:
        InvalidInput: there is no such site (NBX006), or the token is refused.
        TargetUnreachable: NetBox does not answer.
    """
    snapshot = Snapshot(netbox.version())
    there = netbox.all("dcim/sites")
    known = {str(site["slug"]): site for site in there}
    if unknown := [name for name in sites if name not in known]:
        hint = did_you_mean(unknown[0], known) or "give the slug, as NetBox shows it in the site's address"
        raise InvalidInput.one("NBX006", f'NetBox has no site "{unknown[0][:80]}"', hint=hint)
    snapshot.sites = [known[name] for name in sites] if sites else there
    filters = {"site": list(sites)} if sites else {}
    for path, more in ENDPOINTS:
        snapshot.parts[path] = netbox.all(path, **filters, **more)
        if progress:
            progress(path, len(snapshot.parts[path]))
    for path in SHARED:
        snapshot.parts[path] = netbox.all(path)
        if progress:
            progress(path, len(snapshot.parts[path]))
    if len(snapshot.of("circuits/circuits")):
        snapshot.parts["circuits/circuit-terminations"] = netbox.all("circuits/circuit-terminations")
    return snapshot
