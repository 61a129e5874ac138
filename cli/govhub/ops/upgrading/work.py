"""One host's upgrade: emptied if it is a node, newer packages, a restart if need be, and well again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from govhub.core.errors import GovhubError
from govhub.core.text import and_more
from govhub.hosts.runner import Play, PlayRequest
from govhub.ops.nodes import drain
from govhub.ops.nodes.pods import pods_on, workload_of
from govhub.ops.runs import Run
from govhub.ops.session import Session
from govhub.ops.upgrading.healthgate import HealthGate
from govhub.ops.upgrading.look import PLAY
from govhub.ops.upgrading.requests import Upgrade, UpgradeRequest

PAUSE = 1.5


class HostUpgrades:
    """What is done to a host; several may be in work, each in a thread and with a slot of its own."""

    def __init__(self, session: Session, run: Run, request: UpgradeRequest, gate: HealthGate) -> None:
        self._session, self._run, self._request, self._gate = session, run, request, gate
        self._over = threading.Event()
        self._plays: dict[str, Play] = {}
        run.lock.when_lost(self.cancel)

    def cancel(self) -> None:
        """Leave everything as it is: plays are ended, and nothing is waited for."""
        self._over.set()
        for play in list(self._plays.values()):
            play.cancel()

    def work(self, item: Upgrade, slot: int) -> None:
        """Upgrade a host, and write into ``item`` what became of it."""
        started = time.monotonic()
        try:
            item.why = self._work(item, slot)
        except GovhubError as error:
            item.why = error.diagnostics[0].summary
        if not item.why:
            self._gate.leave(item.host)
        item.seconds = time.monotonic() - started
        item.status = "failed" if item.why else "done"
        self._run.events.emit(
            "upgrade-finished", host=item.host, status=item.status, why=item.why, seconds=round(item.seconds, 1)
        )

    def _work(self, item: Upgrade, slot: int) -> str:
        """Returns what is not well, or nothing."""
        if item.only_opened:
            return self._well(item)
        emptied = self._emptied(item) if item.kube else ""
        return emptied or self._played(item, slot) or self._well(item)

    def _emptied(self, item: Upgrade) -> str:
        kube, seconds = item.kube, self._request.drain_seconds
        assert kube
        self._gate.enter(item.host, kube, {workload_of(pod) for pod in pods_on(kube, item.host)})
        drain.cordon(kube, item.host, self._run.id)
        left = drain.drain(kube, item.host, seconds, self._over.is_set)
        if not left:
            return ""
        drain.uncordon(kube, item.host)
        names = and_more([f"{pod} ({why})" for pod, why in left.items()], 3)
        return f"pods did not go within {seconds:.0f} s, and it is open again: {names}"

    def _played(self, item: Upgrade, slot: int) -> str:
        play = Play(
            PlayRequest(
                hosts=(self._session.hosts.declared[item.host],),
                play=PLAY,
                # Plays that run at the same time must not share a folder.
                folder=self._session.folder / (f"ansible-{slot}" if slot else "ansible"),
                timeout=self._request.timeout,
                # A connection that outlives a restart is none of Mitogen's.
                fast=False,
                options={"upgrade_reboot": self._request.reboot},
            )
        )
        self._plays[item.host] = play
        if self._over.is_set():
            play.cancel()
        try:
            outcome = play.run()[item.host]
        finally:
            del self._plays[item.host]
        return "" if outcome.status == "done" else outcome.why or "the play did not come to its end"

    def _well(self, item: Upgrade) -> str:
        kube, wait = item.kube, self._request.wait
        if not kube:
            return ""
        deadline = time.monotonic() + wait
        if not self._until(lambda: drain.ready(kube, item.host), deadline):
            return f"the node is not ready after {wait:.0f} s, and stays closed"
        drain.uncordon(kube, item.host)
        if not self._until(lambda: not self._gate.worse(item.host, kube), deadline):
            worse = sorted(self._gate.worse(item.host, kube))
            return f"workloads that ran before do not run again after {wait:.0f} s: {and_more(worse, 3)}"
        return ""

    def _until(self, found: Callable[[], bool], deadline: float) -> bool:
        while not found():
            if time.monotonic() > deadline or self._over.wait(PAUSE):
                return False
        return True
