"""Durable phases on DBOS, whose only home this is.

One workflow is one attempt at one phase. What a phase did is kept before it is written into the record, so a worker
that takes over does not do it again. A phase that has to wait ends its workflow, which is then deleted: a parked run
is a few rows of the record and nothing else. Recovery goes by our leases: launching recovers nothing, because every
process is an executor of its own, and only the holder of a system's lease resumes that system's workflow, on a queue
that only it listens to.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Any, ClassVar, Self

from govhub.migration.itinerary.driver import Perform, Settle, Task
from govhub.migration.itinerary.outcome import NotYet, Outcome, as_dict, from_dict

# A workflow of an older govhub is the same two steps; a new version of ours must not strand it.
APPLICATION_VERSION = "govhub-migration-1"
_QUEUE_SECONDS = 0.2


class Durable:
    """A driver on DBOS; a context manager, one at a time in a process."""

    def __init__(self, address: str, owner: str) -> None:
        """Nothing is started yet.

        Args:
            address: A SQLAlchemy address of the database for DBOS's own tables.
            owner: A name that no other process has.
        """
        self._address, self._owner = address, owner
        self._work: dict[str, tuple[Perform, Settle]] = {}
        self._lock = threading.Lock()
        self._queue = f"govhub-{owner}"
        self._has_queue = False

    def __enter__(self) -> Self:
        from dbos import DBOS

        # Its own handler holds on to the stderr of its import, and stderr is ours; what matters comes as exceptions.
        logging.getLogger("dbos").handlers[:] = [logging.NullHandler()]
        DBOS(
            config={
                "name": "govhub",
                "system_database_url": self._address,
                "application_version": APPLICATION_VERSION,
                "executor_id": self._owner,
                "log_level": "ERROR",
                "use_listen_notify": False,
                # What its threads wait between two looks is what leaving takes.
                "notification_listener_polling_interval_sec": _QUEUE_SECONDS,
            }
        )
        _register()
        DBOS.listen_queues([self._queue])
        _Functions.driver = self
        DBOS.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from dbos import DBOS

        if self._has_queue:
            DBOS.delete_queue(self._queue)
        DBOS.destroy(destroy_registry=True)
        _Functions.driver = None

    def drive(self, task: Task, perform: Perform, settle: Settle) -> Outcome:
        """See :class:`govhub.migration.itinerary.driver.Driver`."""
        with self._lock:
            self._work[task.id] = (perform, settle)
        try:
            outcome = self._outcome(task)
        finally:
            with self._lock:
                del self._work[task.id]
        return outcome

    def forget(self, run: str) -> None:
        """See :class:`govhub.migration.itinerary.driver.Driver`."""
        from dbos import DBOS

        found = DBOS.list_workflows(workflow_id_prefix=f"{run}/", load_input=False, load_output=False)
        if found:
            DBOS.delete_workflows([item.workflow_id for item in found])

    def unfinished(self) -> int:
        """How many workflows are open, of whichever worker."""
        from dbos import DBOS

        return len(DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False))

    def _outcome(self, task: Task) -> Outcome:
        from dbos import DBOS, SetWorkflowID

        status = DBOS.get_workflow_status(task.id)
        if status is not None and status.status in ("PENDING", "ENQUEUED"):
            # Its worker is gone, or its lease would not be ours. What it finished is kept.
            handle = DBOS.resume_workflow(task.id, queue_name=self._own_queue())
        else:
            if status is not None:
                # A look that came to nothing and was not cleared away any more, or a settled attempt that is
                # asked for again because the record does not have it: both are done anew.
                DBOS.delete_workflow(task.id)
            with SetWorkflowID(task.id):
                handle = DBOS.start_workflow(_Functions.workflow, task.as_dict())
        outcome = from_dict(handle.get_result(polling_interval_sec=_QUEUE_SECONDS))
        if isinstance(outcome, NotYet):
            DBOS.delete_workflow(task.id)
        return outcome

    def _own_queue(self) -> str:
        from dbos import DBOS

        if not self._has_queue:
            DBOS.register_queue(self._queue, polling_interval_sec=_QUEUE_SECONDS)
            self._has_queue = True
        return self._queue

    def work(self, task: Task) -> tuple[Perform, Settle]:
        """What this process does for a task."""
        with self._lock:
            return self._work[task.id]


class _Functions:
    """The registered functions; DBOS finds them by name, so the names are forever."""

    workflow: ClassVar[Any] = None
    driver: ClassVar[Durable | None] = None


def _work(task: Task) -> tuple[Perform, Settle]:
    assert _Functions.driver is not None
    return _Functions.driver.work(task)


def _register() -> None:
    from dbos import DBOS

    @DBOS.step(name="govhub.perform")
    def perform(task: dict[str, Any]) -> dict[str, Any]:
        made = Task(**task)
        return as_dict(_work(made)[0](made))

    @DBOS.step(name="govhub.settle")
    def settle(task: dict[str, Any], outcome: dict[str, Any]) -> None:
        made = Task(**task)
        _work(made)[1](made, from_dict(outcome))

    @DBOS.workflow(name="govhub.phase")
    def phase(task: dict[str, Any]) -> dict[str, Any]:
        outcome = perform(task)
        settle(task, outcome)
        return outcome

    _Functions.workflow = phase
