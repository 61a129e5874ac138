"""What pods use of processors, as kubelets measure it and Prometheus keeps it."""

from __future__ import annotations

from govhub.core.errors import GovhubError
from govhub.monitoring.prometheus import Prometheus, quoted

METRIC = "container_cpu_usage_seconds_total"
Key = tuple[str, str, str]
"""Cluster, namespace and pod."""


def used_millicores(client: Prometheus, hub: str) -> tuple[dict[Key, float], str]:
    """Mean use between the last two readings by pod, and why nothing is known when nothing is.

    cAdvisor's counter, as every kubelet has it; its targets need the labels ``hub`` and ``cluster``. Sums over
    containers leave out those without a name: these are the sums that cAdvisor adds itself. A mean over a longer
    time (``rate``) would be too low for pods that are younger. Never raises.
    """
    selected = f'{METRIC}{{hub={quoted(hub)},container!=""}}'
    query = f"sum by (cluster, namespace, pod) (irate({selected}[5m])) * 1000"
    try:
        samples = client.instant({"used": query})["used"]
    except GovhubError as error:
        return {}, f"{error.diagnostics[0].code} use of pods is unknown: {error.diagnostics[0].summary}"
    get = [(item.labels.get, item.value) for item in samples]
    return {(label("cluster", ""), label("namespace", ""), label("pod", "")): value for label, value in get}, ""
