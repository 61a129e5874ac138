"""``hosts run``: a command on many hosts, dry unless it is meant, and recorded because it can change anything."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.core.events import EventLog, Listener
from govhub.core.files import write_atomic
from govhub.core.secrets import REDACTOR, scrub
from govhub.hosts.fanout import PARALLEL, Answer, Errand, as_root, fan_out
from govhub.hosts.reach import Reach
from govhub.ops.hostread import problem_of, refused, selected
from govhub.ops.hostside import chosen
from govhub.ops.requests import Selection
from govhub.ops.runs import new_id, recorded, runs_folder
from govhub.ops.session import open_session

SCHEMA = "govhub.hosts-run/1"
LIMIT = 64 * 1024
"""Bytes of output that are kept of a host."""
# What of it goes into the events: enough to see what it was, not enough to fill disks.
_NOTED = 4096
# To connect and to come back, beside what the command itself may take; coreutils' name for "it took too long".
_AROUND = 15.0
_TOO_LONG = 124
_KILLED = 137
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand:
    """What to run where; several words are a program and its arguments, a single one is a shell line."""

    hub: str
    words: tuple[str, ...]
    limit: tuple[str, ...]
    go: bool = False
    sudo: bool = False
    timeout: float = 60.0
    parallel: int = PARALLEL
    max_fail: int = 100
    listener: Listener | None = None

    @property
    def line(self) -> str:
        """The command as a shell line."""
        return self.words[0] if len(self.words) == 1 else shlex.join(self.words)


def run_command(request: RunCommand) -> Document:
    """Show what would be run, or run it; returns the document of all hosts.

    Raises:
        InvalidInput: the hub is not valid, or the selection matches no host.
        ToolMissing: pyinfra is not installed.
    """
    # A whole session, so that the hub's secrets are known and scrubbed from whatever hosts answer.
    session = open_session(request.hub)
    side = selected(session.hub, request.limit)
    hosts = {name: side.reached.hosts[name] for name in side.declared if chosen(name, Selection(hosts=request.limit))}
    document: Document = {
        "schema": SCHEMA,
        "hub": session.name,
        "dry_run": not request.go,
        "command": REDACTOR(request.line),
        "sudo": request.sudo,
        "hosts": [{"host": name, "user": hosts[name].user, "address": hosts[name].address} for name in hosts],
        "run": None,
        "results": [],
        "groups": [],
        "summary": {"done": 0, "failed": 0, "not_answered": 0},
        "problems": [],
        "seconds": 0.0,
    }
    return _run(session.name, request, hosts, document) if request.go else document


def _run(hub: str, request: RunCommand, hosts: dict[str, Reach], document: Document) -> Document:
    started = time.monotonic()
    run_id = new_id()
    folder = runs_folder(hub) / run_id
    with recorded(hub, run_id, "hosts run", request.listener) as events:
        events.emit("command-started", command=request.line, sudo=request.sudo, hosts=sorted(hosts))
        status = "interrupted"
        try:
            answers = [_noted(events, item) for item in fan_out(hosts, _errand(request))]
            _tell(document, answers)
            status = "failed" if document["summary"]["done"] < len(hosts) else "done"
        finally:
            document |= {"run": run_id, "folder": str(folder), "seconds": round(time.monotonic() - started, 3)}
            _save(folder, document)
            events.emit("run-finished", run=run_id, status=status, seconds=round(time.monotonic() - started, 2))
    return document


def _errand(request: RunCommand) -> Errand:
    # Ended on the host itself: a connection that is given up leaves the command running.
    bounded = shlex.join(["timeout", "-k", "5", f"{request.timeout:g}", "/bin/sh", "-c", request.line])
    command = f"{as_root(bounded) if request.sudo else bounded} </dev/null"
    return Errand(
        command=command,
        limit=LIMIT,
        timeout=request.timeout + _AROUND,
        parallel=request.parallel,
        max_fail=request.max_fail,
    )


def _noted(events: EventLog, answer: Answer) -> Answer:
    output = REDACTOR(answer.output)
    events.emit(
        "command-answered",
        host=answer.host,
        status=_status(answer),
        exit=answer.exit,
        why=answer.why,
        seconds=answer.seconds,
        output=output[:_NOTED],
        cut=answer.cut or len(output) > _NOTED,
    )
    return answer


def _status(answer: Answer) -> str:
    if answer.status != "answered":
        return answer.status
    if refused(answer):
        return "refused"
    if answer.exit in (_TOO_LONG, _KILLED):
        return "too long"
    return "done" if answer.exit == 0 else "failed"


def _tell(document: Document, answers: list[Answer]) -> None:
    results = [
        {
            "host": item.host,
            "status": _status(item),
            "exit": item.exit,
            "seconds": item.seconds,
            "output": REDACTOR(item.output),
            "cut": item.cut,
        }
        for item in sorted(answers, key=lambda item: item.host)
    ]
    problems = [found for item in answers if (found := _problem(item))]
    failed = sum(item["status"] in ("failed", "too long") for item in results)
    done = sum(item["status"] == "done" for item in results)
    document |= {
        "results": results,
        "groups": _groups(results),
        "summary": {"done": done, "failed": failed, "not_answered": len(results) - done - failed},
        "problems": [item.as_dict() for item in sorted(problems, key=Diagnostic.sort_key)],
    }


def _problem(answer: Answer) -> Diagnostic | None:
    return problem_of(answer) if answer.status != "answered" else refused(answer)


def _groups(results: list[Document]) -> list[Document]:
    """Hosts that answered the same, together; the most first."""
    found: dict[tuple[str, Any, str], list[str]] = {}
    for item in results:
        if item["exit"] is not None:
            found.setdefault((item["status"], item["exit"], item["output"]), []).append(item["host"])
    groups = [
        {"status": status, "exit": code, "output": output, "hosts": hosts}
        for (status, code, output), hosts in found.items()
    ]
    return sorted(groups, key=lambda group: -len(group["hosts"]))


def _save(folder: Path, document: Document) -> None:
    write_atomic(folder / "result.json", json.dumps(scrub(document, REDACTOR), ensure_ascii=False, indent=1))
