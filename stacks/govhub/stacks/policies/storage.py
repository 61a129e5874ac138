"""Rules on volumes: of a class of the hub, and kept when the claim goes."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.fields import items, part
from govhub.stacks.policies.rule import Level, Rule, per_object
from govhub.stacks.policies.view import View


def _volume_class(view: View, item: DesiredObject) -> Iterator[str]:
    for claim in items(item.manifest, "spec", "volumeClaimTemplates"):
        name = part(claim, "spec").get("storageClassName")
        label = f'claim "{part(claim, "metadata").get("name", "")}"'
        if not name:
            yield f"{label} names no storageClassName"
        elif not view.has(item.shard.cluster, "StorageClass", name):
            yield f'{label} names "{name}", which the hub does not declare'


def _kept(_view: View, item: DesiredObject) -> Iterator[str]:
    policy = item.manifest.get("reclaimPolicy", "Delete")
    if policy != "Retain":
        yield f"reclaimPolicy is {policy}"


RULES = (
    Rule(
        name="statefulset-volume-class",
        level=Level.MANDATORY,
        summary="a volume's storage class is not one of the hub",
        remedy="set `storageClassName: govhub-standard` on the claim",
        why="with no class, or an unknown one, the pods wait for a volume that nobody makes",
        check=per_object("StatefulSet", test=_volume_class),
    ),
    Rule(
        name="storage-class-retains",
        level=Level.MANDATORY,
        summary="volumes are erased together with their claims",
        remedy="set `reclaimPolicy: Retain` on the StorageClass",
        why="a deleted claim is a mistake or a cutover; in both cases somebody will ask for the data",
        check=per_object("StorageClass", test=_kept),
    ),
)
