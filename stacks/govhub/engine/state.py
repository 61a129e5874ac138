"""The recorded state of a hub: Pulumi checkpoints read as plain data, and our own documents beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.secrets import REDACTOR, scrub
from govhub.engine.bucket import Bucket, hub_keys
from govhub.stacks.graph import DesiredObject, Identity, Shard

PROJECT_PREFIX = "govhub-"
# The key under which Pulumi marks an encrypted value in a checkpoint.
_SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105  # a constant of the checkpoint format, no secret


@dataclass(frozen=True, slots=True)
class Recorded:
    """One object as the last finished run left it in the state."""

    urn: str
    identity: Identity
    inputs: dict[str, Any]
    patch: bool


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one shard; ``serial`` changes with every change of it."""

    serial: str
    objects: dict[Identity, Recorded]
    pending: int
    """Operations the engine had begun when it stopped."""
    urns: frozenset[str] = frozenset()
    """Everything in it, components and the provider included."""


EMPTY = Checkpoint("none", {}, 0)


def project_of(shard: Shard) -> str:
    """The Pulumi project of a shard."""
    return f"{PROJECT_PREFIX}{shard.stack}"


def stack_of(hub: str, shard: Shard) -> str:
    """The Pulumi stack name of a shard."""
    return f"{hub}.{shard.cluster}.{shard.group}"


def urn_of(hub: str, item: DesiredObject) -> str:
    """The URN under which the engine knows an object (``urn:pulumi:stack::project::parent$type::name``)."""
    parent = f"govhub:{item.shard.stack}:{item.component.kind}"
    name = f"{stack_of(hub, item.shard)}::{project_of(item.shard)}::{parent}${item.token}::{item.resource_name}"
    return f"urn:pulumi:{name}"


def component_urn(hub: str, item: DesiredObject) -> str:
    """The URN of an object's component."""
    kind = f"govhub:{item.shard.stack}:{item.component.kind}"
    return f"urn:pulumi:{stack_of(hub, item.shard)}::{project_of(item.shard)}::{kind}::{item.component.name}"


def provider_urn(hub: str, shard: Shard) -> str:
    """The URN of a shard's provider."""
    return f"urn:pulumi:{stack_of(hub, shard)}::{project_of(shard)}::pulumi:providers:kubernetes::cluster"


class State:
    """All state of one hub in a bucket."""

    def __init__(self, hub: str, bucket: Bucket) -> None:
        self.hub, self.bucket = hub, bucket

    def shards(self) -> list[Shard]:
        """The shards that have a checkpoint."""
        keys = self.bucket.keys(f".pulumi/stacks/{PROJECT_PREFIX}")
        return [shard for key in keys if (shard := self._shard(key))]

    def _shard(self, key: str) -> Shard | None:
        project, _, name = key.removeprefix(f".pulumi/stacks/{PROJECT_PREFIX}").partition("/")
        parts = name.removesuffix(".json").split(".")
        if not name.endswith(".json") or len(parts) != 3 or parts[0] != self.hub or not parts[2].isdigit():
            return None
        return Shard(parts[1], project, int(parts[2]))

    def checkpoint(self, shard: Shard) -> Checkpoint:
        """What the state says about a shard.

        Raises:
            GovhubError: the document is damaged.
        """
        raw = self.bucket.get(self._key(shard))
        if raw is None:
            return EMPTY
        try:
            latest = json.loads(raw)["checkpoint"].get("latest") or {}
            objects = {item.identity: item for item in _objects(latest.get("resources") or [])}
        except (ValueError, KeyError, AttributeError) as error:
            raise GovhubError.one(
                "STA005",
                f"the state of {shard} cannot be read: {error}",
                detail=f"{self.bucket.shown}: {self._key(shard)}",
                hint="restore the document from a backup, or remove it: the next up adopts what is live",
            ) from error
        serial = hashlib.sha256(raw).hexdigest()[:16]
        urns = frozenset(str(item.get("urn", "")) for item in latest.get("resources") or [])
        return Checkpoint(serial, objects, len(latest.get("pending_operations") or []), urns)

    def exists(self, shard: Shard) -> bool:
        """Whether the engine knows the stack."""
        return self.bucket.get(self._key(shard)) is not None

    def engine_locks(self, shard: Shard) -> list[tuple[str, dict[str, Any]]]:
        """Locks that the engine left on a stack, as ``(key, {pid, hostname, timestamp …})``."""
        prefix = f".pulumi/locks/organization/{project_of(shard)}/{stack_of(self.hub, shard)}/"
        return [(key, _loads(self.bucket.get(key))) for key in self.bucket.keys(prefix)]

    def scrub_errors(self, shard: Shard) -> None:
        """Take secrets out of what a server said to the engine: it keeps the text of refusals in its documents."""
        stack = f"/{project_of(shard)}/{stack_of(self.hub, shard)}"
        keys = [key for key in hub_keys(self.bucket, self.hub) if key.partition(stack)[2][:1] in (".", "/")]
        for key in keys:
            text = (self.bucket.get(key) or b"").decode(errors="replace")
            if REDACTOR(text) != text:
                self.bucket.put(key, json.dumps(scrub(json.loads(text), REDACTOR)).encode())

    def read(self, name: str) -> Any:
        """One of our own documents, or None."""
        raw = self.bucket.get(self.own(name))
        return None if raw is None else _loads(raw)

    def write(self, name: str, value: Any) -> None:
        """Replace one of our own documents."""
        self.bucket.put(self.own(name), json.dumps(value, sort_keys=True, indent=1).encode())

    def remove(self, name: str) -> None:
        """Remove one of our own documents."""
        self.bucket.delete(self.own(name))

    def own(self, name: str) -> str:
        """The key of one of our own documents."""
        return f".govhub/{self.hub}/{name}"

    def _key(self, shard: Shard) -> str:
        return f".pulumi/stacks/{project_of(shard)}/{stack_of(self.hub, shard)}.json"


def _loads(raw: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(raw or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _objects(resources: list[dict[str, Any]]) -> Iterator[Recorded]:
    for item in resources:
        token = str(item.get("type", ""))
        # A copy marked for deletion stands beside its replacement after a failed run; the engine finishes it.
        if not token.startswith("kubernetes:") or item.get("delete"):
            continue
        inputs = _masked(item.get("inputs") or {})
        yield Recorded(item["urn"], Identity.of(inputs), inputs, token.endswith("Patch"))


def _masked(value: Any) -> Any:
    """The inputs without ciphertexts: an encrypted value becomes None, as an unresolved one is when rendered."""
    if isinstance(value, dict):
        if _SECRET_MARK in value:
            return None
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return value
