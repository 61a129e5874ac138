"""Rules on images: from the hub's registries, and of a version that can be named."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.stacks.policies.rule import Finding, Level, Rule, found, per_pod
from govhub.stacks.policies.view import Pod, View


def _images(pod: Pod) -> Iterator[str]:
    return (str(container.get("image") or "") for container in pod.every_container)


def _unpinned(pod: Pod) -> Iterator[str]:
    for image in _images(pod):
        name, _, digest = image.partition("@")
        # The colon of a registry's port stands before the last slash.
        tag = name.rpartition("/")[2].partition(":")[2]
        if not digest and tag in ("", "latest"):
            yield f'"{image}" has {"the tag latest" if tag else "no tag"}'


def _registries(view: View) -> Iterator[Finding]:
    allowed = tuple(view.hub.model.hub.registries)
    for pod in view.pods:
        # ".." would leave the registry's folder after its prefix has matched.
        strange = (i for i in _images(pod) if not i.startswith(allowed) or ".." in i.split("/"))
        yield from found(pod.item, (f'"{image}" is not from {" or ".join(allowed)}' for image in strange))


RULES = (
    Rule(
        name="image-tag-pinned",
        level=Level.MANDATORY,
        summary="the image has no version",
        remedy="name a version in the workload's `image:`, such as :1.4.2, or a digest (@sha256:...)",
        why="nobody could say what runs, or roll back to it (kube-linter: latest-tag)",
        check=per_pod(_unpinned),
    ),
    Rule(
        name="image-registry-allowed",
        level=Level.MANDATORY,
        summary="the image comes from elsewhere",
        remedy="push the image to a registry that `hub.registries` lists and name that one in the workload's `image:`",
        why="only images that were scanned here may run; the admission policy registries.govhub.io refuses others",
        check=_registries,
    ),
)
