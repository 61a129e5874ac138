"""A run as it happens: bars on a terminal, else one line for each shard that ends."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from govhub.cli.i18n import tr, trn
from govhub.cli.terminal import Terminal
from govhub.cli.views.text import line, safe, seconds

if TYPE_CHECKING:
    from govhub.core.events import Event, Listener


@contextmanager
def watching(terminal: Terminal) -> Iterator[Listener]:
    """A listener for a run's events; the bars are taken away at the end."""
    progress = Watch(terminal)
    try:
        yield progress
    finally:
        progress.stop()


class Watch:
    """The listener; shards call it from their own threads."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shards: dict[str, Callable[[dict[str, Any]], None]] = {
            "shard-started": self._started,
            "step": self._step,
            "shard-finished": self._finished,
        }

    def __call__(self, event: Event) -> None:
        """Show ``event``; a terminal that went away must not stop the run."""
        with suppress(OSError, ValueError), self._lock:
            if event.kind in self._shards:
                self._shards[event.kind](event.data)
            elif text := announcement(event.kind, event.data):
                line(self._terminal.err, text)

    def stop(self) -> None:
        """Take the bars away."""
        with suppress(OSError, ValueError), self._lock:
            if self._bars:
                self._bars.stop()
                self._bars = None

    def _started(self, data: dict[str, Any]) -> None:
        if not self._terminal.live:
            return
        if self._bars is None:
            # Only now: a question may have been asked before, and bars would have drawn over it.
            self._bars = _bars(self._terminal)
            self._bars.start()
        shard = data["shard"]
        self._tasks[shard] = self._bars.add_task(safe(shard), total=max(int(data.get("objects", 0)), 1), failed="")

    def _step(self, data: dict[str, Any]) -> None:
        task = self._tasks.get(data["shard"])
        if self._bars and task is not None:
            self._bars.advance(task)
            if data.get("failed"):
                self._bars.update(task, failed=tr("failures"))

    def _finished(self, data: dict[str, Any]) -> None:
        task = self._tasks.pop(data["shard"], None)
        if self._bars and task is not None:
            self._bars.remove_task(task)
        line(self._terminal.err, finished(data), style="red" if data.get("status") == "failed" else "")


def finished(data: dict[str, Any]) -> str:
    """One line on a shard that ended: ``done  main/tenants/0  +600  12.3 s``."""
    counts = {op: count for op, count in (data.get("counts") or {}).items() if op not in ("same", "read", "refresh")}
    parts = [tr("done") if data.get("status") == "done" else tr("failed"), data["shard"]]
    parts += [f"{op} {count:,}" for op, count in counts.items()] or [tr("unchanged")]
    if failures := len(data.get("failures") or {}):
        parts.append(trn("{count} failure", "{count} failures", failures))
    parts.append(seconds(float(data.get("seconds", 0))))
    return "  ".join([*parts, *(data.get("messages") or [])[:1]])


def announcement(kind: str, data: dict[str, Any]) -> str:
    """One line on everything else that people should know while it happens; empty for the rest."""
    titles = {
        "run-started": (tr("run"), "{run}"),
        "readiness": (tr("Workloads ready:"), "{ready} / {total}"),
        "lock-taken-over": (tr("took over the lock of"), "{from_run}: {reason}"),
        "engine-lock-removed": (tr("removed a lock that a killed engine left on"), "{shard}"),
        "target-pinned": (tr("this hub is now bound to cluster"), "{cluster} ({uid})"),
        "hosts-started": (tr("hosts to bring to their declared state:"), "{hosts}"),
        "host-finished": (tr("done"), "{host}  {changed} {what}"),
        "drain-started": (tr("pods that go"), "{host}  {pods}"),
        "upgrade-started": (tr("upgrades"), "{host}"),
        "upgrade-reopened": (tr("opened again what a killed run left closed:"), "{host}"),
        "upgrade-finished": (
            tr("failed") if data.get("why") else tr("done"),
            "{host}  {why}" if data.get("why") else "{host}  {seconds} s",
        ),
        "host-failed": (tr("failed"), "{host}  {why}"),
        "repaired": (tr("repaired:"), "{address}"),
        "orphan-removed": (tr("removed an orphan:"), "{address}"),
    }
    if kind not in titles:
        return ""
    title, form = titles[kind]
    # An event of another version may lack a field; that is no reason to stop showing events.
    return f"{title} {form.format_map(defaultdict(lambda: '?', {'what': tr('changed'), **data}))}"


def _bars(terminal: Terminal) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.completed:,.0f} / {task.total:,.0f}", markup=False),
        TextColumn("{task.fields[failed]}", style="red", markup=False),
        TimeElapsedColumn(),
        console=terminal.err,
        transient=True,
    )
