"""Commands of movers as Jobs of a Kubernetes cluster: one for each command, with its own secret and network policy.

A Job ends by itself: its deadline is seconds away, and is moved on as long as the controller lives. The files of a
move lie on a volume of its own. What the command says comes back through the pod's log, as frames.
"""

from __future__ import annotations

import base64
import json
import secrets
import socket
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import GovhubError, TargetUnreachable
from govhub.core.kube import KINDS, Kube, KubeError
from govhub.migration.movers import manifests
from govhub.migration.movers.afar import FarRunner, Load, done_of
from govhub.migration.movers.frames import Heard, hear_log
from govhub.migration.movers.manifests import PLACE, SESSION, Setting
from govhub.migration.movers.packing import Address, Routes, agent, nowhere
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Done

LEASE = 22
"""Seconds that a Job lives on without its controller; with its end shorter than the lease of a system, so that whoever
takes a system over finds nobody at work on it."""
JOB, _SECRET = KINDS["batch", "Job"], KINDS["", "Secret"]
_LOOK, _RENEW = 0.5, 4.0
_START = 180.0
"""Seconds until a Job's pod has to run."""
_PATIENCE = 15.0
"""Seconds until a new pod is let out to its servers."""
_GONE = {"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "Deleted", "message": "by others"}]}}
_LARGEST = 900_000
"""Bytes of a secret's content; the API server takes a MiB of it as base64."""


class JobRunner(FarRunner):
    """Runs commands in one cluster, in a volume of a move's own."""

    def __init__(self, kube: Kube, setting: Setting, place: str, local: Path, routes: Routes = nowhere) -> None:
        """Nothing is contacted yet.

        Args:
            kube: The cluster.
            setting: Image, namespace, storage.
            place: The move: ``hub/system/move``.
            local: The folder of this machine that stands for its volume.
            routes: How pods reach the servers.
        """
        super().__init__(local, routes)
        self._kube, self._setting = kube, setting
        self._place, self._session = digest(place)[:16], secrets.token_hex(6)
        self._labels = {"app.kubernetes.io/managed-by": manifests.MANAGER, PLACE: self._place, SESSION: self._session}
        self._ready, self._lock = False, threading.Lock()

    @property
    def where(self) -> str:
        """The cluster."""
        return f"cluster/{self._kube.name}"

    def look(self) -> Load:
        """What movers have to do in the cluster: Jobs that are not through, and volumes."""
        space, selector = self._setting.namespace, f"app.kubernetes.io/managed-by={manifests.MANAGER}"
        running = sum(not _ended(item) for item in self._kube.list(JOB, namespace=space, selector=selector))
        volumes = [
            item["metadata"]["name"]
            for item in self._kube.list(KINDS["", "PersistentVolumeClaim"], namespace=space, selector=PLACE)
        ]
        return Load(running=running, places=len(volumes), here=self._volume in volumes, free=None)

    def claim(self) -> None:
        """Make the volume, and end what an earlier session left running on it."""
        self._prepare()

    def run(self, command: Command) -> Done:
        """Run it to its end; a time-out is code 124.

        Raises:
            MoveFailed: the Job ended without a result (MOV406), or what it is to be sent is too large (MOV407).
            GovhubError: the cluster does not answer, or refuses.
        """
        folders, files = self._packing.files(command)
        chain = self._packing.chain(command, f"{manifests.WORK}/{self._place}")
        servers = _addresses(self._packing.servers(command))
        more = {"chain": chain, "folders": folders, "files": files, "timeout": command.timeout}
        more |= {"servers": servers, "patience": _PATIENCE}
        heard = self._serve("run", more, command.input or b"", servers)
        return done_of(heard)

    def close(self) -> None:
        """Nothing is held."""

    def _serve(
        self, operation: str, more: Mapping[str, Any], given: bytes = b"", servers: Iterable[Address] = ()
    ) -> Heard:
        header = {"op": operation, "root": manifests.WORK, "place": self._place, "session": self._session, **more}
        text = zlib.compress(json.dumps(header | {"given": base64.b64encode(given).decode()}).encode())
        if len(text) > _LARGEST:
            raise MoveFailed.one(
                "MOV407",
                f"what a Job of a mover is to be sent is too large ({len(text):,} bytes packed)",
                hint="run the move on a mover host, or beside `migrate run`",
            )
        self._prepare()
        sent = {key: base64.b64encode(data).decode() for key, data in (("agent.py", agent()), ("header", text))}
        name = f"mover-{self._session}-{secrets.token_hex(4)}"
        # The Job first: what belongs to it goes with it, whoever is killed between.
        made = self._kube.create(manifests.job(self._setting, name, self._labels, self._volume, LEASE))
        try:
            self._kube.create(manifests.policy(self._setting, made, servers))
            self._kube.create(manifests.secret(self._setting, made, sent))
            return self._end(name)
        finally:
            # What is not reached now ends by its deadline, and goes with the Job.
            with suppress(GovhubError):
                for kind in (_SECRET, JOB):
                    self._kube.delete(kind, name, self._setting.namespace)

    def _end(self, name: str) -> Heard:
        """Wait for the end of a Job, and keep it alive meanwhile."""
        begun = renewed = answered = time.monotonic()
        found: dict[str, Any] = {}
        while not _ended(found):
            time.sleep(_LOOK)
            now = time.monotonic()
            try:
                if now - renewed > _RENEW:
                    # Counted from its start, which the cluster saw a little later than we did.
                    self._deadline(name, int(now - begun) + LEASE)
                    renewed = now
                found = self._kube.get(JOB, name, self._setting.namespace) or _GONE
                answered = now
            except TargetUnreachable:
                if now - answered > LEASE:
                    raise
            if now - begun > _START and not _started(found):
                break
        pods = self._pods(f"job-name={name}")
        heard = Heard()
        for pod in pods if _ended(found) else ():
            heard = self._heard(pod["metadata"]["name"])
        if heard.result is None:
            raise self._failed(found, pods, heard)
        return heard

    def _heard(self, pod: str) -> Heard:
        try:
            return hear_log(self._kube.log(self._setting.namespace, pod))
        except KubeError as error:
            # It never ran, or its node does not say.
            return Heard(errors=bytearray(error.diagnostics[0].summary.encode()))

    def _deadline(self, name: str, seconds: int) -> None:
        # One that has gone meanwhile is found by whoever looks next.
        with suppress(KubeError):
            self._kube.patch(JOB, name, self._setting.namespace, {"spec": {"activeDeadlineSeconds": seconds}})

    def _pods(self, selector: str) -> list[dict[str, Any]]:
        return list(self._kube.list(KINDS["", "Pod"], namespace=self._setting.namespace, selector=selector))

    def _failed(self, found: dict[str, Any], pods: list[dict[str, Any]], heard: Heard) -> MoveFailed:
        said = [*_reasons(found), *(reason for pod in pods for reason in _reasons(pod))]
        if errors := heard.errors.decode(errors="replace")[-300:]:
            said.append(errors)
        return MoveFailed.one(
            "MOV406",
            f"a Job of a mover on {self.where} ended without a result",
            detail="\n".join(said),
            hint="see whether its image is there, and nodes with room for it and its volume; then repeat",
        )

    @property
    def _volume(self) -> str:
        return f"mover-{self._place}"

    def _prepare(self) -> None:
        with self._lock:
            if self._ready:
                return
            volume = manifests.claim(self._setting, self._volume, {PLACE: self._place})
            for body in (manifests.namespace(self._setting), manifests.closed(self._setting), volume):
                self._kube.create_all([body])
            self._take_over()
            self._ready = True

    def _take_over(self) -> None:
        """End what an earlier session left: two controllers must not write into one place."""
        selector = f"{PLACE}={self._place},{SESSION}!={self._session}"
        for item in self._kube.list(JOB, namespace=self._setting.namespace, selector=selector):
            self._kube.delete(JOB, item["metadata"]["name"], self._setting.namespace)
        until = time.monotonic() + 2 * LEASE
        while pods := self._pods(selector):
            if time.monotonic() > until:
                raise self._failed({}, pods, Heard())
            time.sleep(_LOOK)


def _started(job: dict[str, Any]) -> bool:
    """Whether its pod runs; one whose image, volume or node is missing never does."""
    return bool(job.get("status", {}).get("ready"))


def _reasons(body: dict[str, Any]) -> list[str]:
    """Why a Job or a pod is not well, in the cluster's words."""
    name, status = body.get("metadata", {}).get("name", ""), body.get("status", {})
    said = [
        f"{name}: {item.get('reason')}: {item.get('message')}"
        for item in status.get("conditions") or []
        if (item["type"], item["status"]) in (("Failed", "True"), ("PodScheduled", "False"))
    ]
    for item in status.get("containerStatuses") or []:
        state = item["state"].get("terminated") or item["state"].get("waiting") or {}
        said.append(f"{name}: {state.get('reason')} {state.get('message', '')}".strip())
    return said


def _ended(job: dict[str, Any]) -> bool:
    conditions = job.get("status", {}).get("conditions") or []
    return any(item["type"] in ("Complete", "Failed") and item["status"] == "True" for item in conditions)


def _addresses(servers: Iterable[Address]) -> list[Address]:
    """Servers by their addresses: policies know no names. One whose name nobody knows is the command's matter."""
    found: set[Address] = set()
    for host, port in servers:
        with suppress(OSError):
            found |= {(str(entry[4][0]), port) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return sorted(found)
