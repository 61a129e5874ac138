"""The network: layers of devices, the links between them, and lines that leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from govhub.inventory.loader import Hub
from govhub.inventory.patterns import expand
from govhub.monitoring.arithmetic.figure import Figure, unknown
from govhub.monitoring.network import layers


def network_of(hub: Hub, carried: Mapping[str, Figure]) -> dict[str, Any]:
    """``layers`` as ``capacity show`` has them, ``links`` between devices with their capacity, ``circuits``.

    A link's ``load`` is what ``carried`` has of it: p95 of its busiest port in bit/s. A circuit's is unknown: nobody
    measures it.
    """
    return {
        "layers": [{key: _plain(value) for key, value in item.items()} for item in layers(hub)],
        "links": [
            {
                "name": link.name,
                "lower": link.lower,
                "upper": link.upper,
                "gbps": link.gbps,
                "links": (links := link.count * len(expand(link.lower)) * len(expand(link.upper))),
                "media": link.media.value if link.media else None,
                "capacity_gbps": links * link.gbps,
                "load": (carried.get(link.name) or unknown("bit/s", links)).as_dict(),
            }
            for link in hub.model.links
        ],
        "circuits": [
            {
                "name": circuit.name,
                "title": circuit.title.model_dump() if circuit.title else None,
                "kind": circuit.kind.value,
                "site": circuit.site,
                "to": circuit.to or circuit.region,
                "gbps": circuit.gbps,
                "lines": circuit.count,
                "provider": circuit.provider or None,
                "load": _unmeasured(circuit.gbps * circuit.count),
            }
            for circuit in hub.model.circuits
        ],
    }


def _unmeasured(gbps: float) -> dict[str, Any]:
    return Figure(unit="Gbit/s", numerator=None, denominator=gbps, known=0, parts=1).as_dict()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.as_dict() if isinstance(value, Figure) else value
