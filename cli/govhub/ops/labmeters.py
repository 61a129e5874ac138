"""The lab's meters: started after its clusters, so that their pods load the machines behind the meters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from govhub.core.errors import GovhubError, InvalidInput
from govhub.inventory.loader import Hub
from govhub.lab.cluster import LabCluster
from govhub.lab.meters.center import Meters, missing
from govhub.lab.meters.plan import plan_of
from govhub.ops.load import valid_hub

Progress = Callable[[str], None]


def start_meters(
    hub: Hub, progress: Progress, *, wanted: bool, files: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Start the meters of a hub's lab, and describe how it stands.

    Args:
        hub: The hub; its lab's clusters run.
        progress: Told what happens, and why there are no meters.
        wanted: Whether it is an error when they cannot be had; else that is told, and the lab goes on.
        files: Rules and Alertmanager's configuration, as ``Meters.up`` takes them.

    Raises:
        ToolMissing: they are wanted, and programs are not installed.
        InvalidInput: they are wanted, and the hub declares nothing that could be metered.
        GovhubError: they are wanted, and did not start.
    """
    meters = Meters(hub.name)
    try:
        return _start(hub, meters, progress, files)
    except GovhubError as error:
        # A lab is of use without meters; who asked for them by name gets the error.
        if wanted:
            raise
        first = error.diagnostics[0]
        progress(f"metering is off: {first.summary}{f' ({first.hint})' if first.hint else ''}")
        return meters.describe() | {"problem": first.as_dict()}


def stop_meters(hub_name: str) -> None:
    """Take the meters of a hub's lab down; nothing happens when there are none."""
    Meters(valid_hub(hub_name)[0].name).down()


def attach_serve(hub: str, address: str) -> None:
    """Have the lab's Prometheus scrape a running ``serve``; nothing happens while no meters run.

    Args:
        hub: The hub's name.
        address: ``http://127.0.0.1:PORT``.
    """
    Meters(hub).attach(address)


def _start(hub: Hub, meters: Meters, progress: Progress, files: Mapping[str, str] | None) -> dict[str, Any]:
    clusters = [LabCluster(hub.name, cluster.name) for cluster in hub.model.clusters]
    plan = plan_of(hub, {item.cluster: str(item.kubeconfig) for item in clusters if item.exists()})
    if not any(agent.feeds for agent in plan.agents) and not missing():
        raise InvalidInput.one(
            "MTR007",
            f"{hub.name} declares no feeds of racks; there is nothing to meter",
            hint="declare `power` and `feeds`: docs/guide/capacity.md",
        )
    state = meters.up(plan, files)
    progress(
        f"{state.agents} SNMP agents of meters and switches, polled every {state.interval} s: {meters.prometheus()}"
    )
    return meters.describe()
