"""The addresses that a lab cluster is given: those that the hub declares for the real one."""

from __future__ import annotations

from ipaddress import ip_network

from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster
from govhub.inventory.model.network import Purpose, ranges
from govhub.lab.cluster import Ranges

# A node with 110 pods wants a /24; the smallest that is of use has 30 addresses.
NODE_BITS, FEWEST_BITS = 24, 27


def ranges_of(hub: Hub, cluster: Cluster) -> Ranges:
    """The addresses of a cluster as declared; the usual ones of an API server otherwise."""

    def first(purpose: Purpose, usual: str) -> str:
        return next(iter(ranges(hub.model.prefixes, purpose, cluster.name, cluster.zone)), usual)

    pods = first(Purpose.PODS, "")
    wanted = max(2, 2 * len(hub.topology.nodes(cluster.name)))
    # Room for twice the declared nodes; more, smaller parts where the prefix is small.
    bits = max(NODE_BITS, ip_network(pods).prefixlen + (wanted - 1).bit_length()) if pods else NODE_BITS
    return Ranges(first(Purpose.SERVICES, "10.96.0.0/16"), pods, min(bits, FEWEST_BITS))
