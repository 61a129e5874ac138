"""The Pulumi side: components and the program that registers a shard's objects.

Objects are registered from the desired graph as they are, through ``CustomResource`` with the provider's
type tokens. The typed SDK of the provider would turn every manifest into classes and back (seconds of
import and of CPU for 3,000 objects) and add nothing: kubeconform and the API server check the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi

from govhub.core.secrets import Secret
from govhub.stacks.graph import Component, DesiredObject, Identity

PROVIDER = "kubernetes"
PROVIDER_SDK_VERSION = "4.25.0"
_UNKNOWN_VALUE = ["data", 'metadata.annotations["govhub.io/secret-fingerprint"]']


class HubComponent(pulumi.ComponentResource):
    """A tenant, a system, a service, a node pool …: the parent of its objects."""

    def __init__(self, stack: str, component: Component) -> None:
        super().__init__(f"govhub:{stack}:{component.kind}", component.name)
        self.register_outputs({})


class HubObject(pulumi.CustomResource):
    """One Kubernetes object."""


def program(objects: Iterable[DesiredObject], cluster_id: str) -> Callable[[], None]:
    """A Pulumi program that registers ``objects``; ``cluster_id`` names the target for the provider."""
    wanted = list(objects)

    def run() -> None:
        provider = _provider(cluster_id)
        parents: dict[Component, HubComponent] = {}
        made: dict[Identity, pulumi.Resource] = {}
        for item in wanted:
            if item.component not in parents:
                parents[item.component] = HubComponent(item.shard.stack, item.component)
            made[item.identity] = _register(item, parents[item.component], provider, made)

    return run


def _provider(cluster_id: str) -> pulumi.ProviderResource:
    properties = {
        # The kubeconfig comes from the environment: in the state it would differ from machine to machine.
        # Which cluster this is does not follow from it but from the pinned identity, so a new address of the
        # same cluster replaces nothing.
        "clusterIdentifier": cluster_id,
        "enableServerSideApply": "true",
        # The client's default of 5 requests per second dominates a refresh of a few hundred objects.
        "kubeClientSettings": '{"qps":1000,"burst":2000}',
        # Otherwise a changed ConfigMap or Secret is deleted and made anew, under the pods that use it.
        "enableConfigMapMutable": "true",
        "enableSecretMutable": "true",
        "suppressDeprecationWarnings": "true",
    }
    options = pulumi.ResourceOptions(version=PROVIDER_SDK_VERSION)
    return pulumi.ProviderResource(PROVIDER, "cluster", properties, options)


def _register(
    item: DesiredObject,
    parent: HubComponent,
    provider: pulumi.ProviderResource,
    made: Mapping[Identity, pulumi.Resource],
) -> HubObject:
    namespace = made.get(Identity("", "Namespace", "", item.identity.namespace))
    options = pulumi.ResourceOptions(
        parent=parent,
        provider=provider,
        depends_on=[made[other] for other in item.depends_on if other in made],
        # A deleted namespace takes its objects along; asking for each of them again would only cost time.
        deleted_with=namespace,
        # A secret whose value is not known here keeps the one it has.
        ignore_changes=_UNKNOWN_VALUE if _lacks_value(item) else None,
    )
    return HubObject(item.token, item.resource_name, _properties(item.manifest), options)


def _lacks_value(item: DesiredObject) -> bool:
    return item.identity.kind == "Secret" and None in (item.manifest.get("data") or {}).values()


def _properties(value: Any) -> Any:
    if isinstance(value, Secret):
        return pulumi.Output.secret(value.reveal())
    if isinstance(value, dict):
        return {key: _properties(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_properties(inner) for inner in value]
    return value
