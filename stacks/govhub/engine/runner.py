"""The Pulumi adapter: one engine run over one shard.

The only module that drives ``pulumi.automation``. It keeps the engine's run as short as it can be:
no checkpoint after every resource (the ledger of intents makes a killed run recoverable instead), and
none of the three extra CLI calls that the Automation API makes after each operation.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi.automation import LocalWorkspace, OpType, ProjectSettings, Stack, UpdateSummary
from pulumi.automation.errors import CommandError
from pulumi.automation.events import EngineEvent

from govhub.core.secrets import REDACTOR
from govhub.engine.bucket import without_password
from govhub.engine.command import EngineCommand, EngineTimeoutError
from govhub.engine.settings import EngineSettings
from govhub.engine.state import project_of, stack_of
from govhub.stacks.graph import Shard

# What the engine says a second time, with a Python traceback, after it named the resource that failed.
_ECHOES = ("update failed", "preview failed", "python inline source runtime error", "an unhandled error occurred")
OnStep = Callable[["Step"], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One resource the engine began or finished: ``op`` as the engine names it, ``done`` once it is through."""

    urn: str
    op: str
    done: bool
    failed: bool = False


@dataclass(slots=True)
class Outcome:
    """What one engine run did: counts by operation, failures by URN, and the engine's own words."""

    ok: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    timed_out: bool = False
    steps: list[Step] = field(default_factory=list)

    @property
    def broken_off(self) -> bool:
        """Whether the engine began and ended without its summary: it was killed, or it crashed."""
        return bool(self.steps) and not self.ok and not self.counts


class ShardEngine:
    """The engine for one shard of one hub against one cluster."""

    def __init__(
        self, settings: EngineSettings, hub: str, shard: Shard, kubeconfig: Path, program: Callable[[], None]
    ) -> None:
        self.settings, self.hub, self.shard = settings, hub, shard
        self.command = EngineCommand(settings.pulumi, settings.version, timeout=settings.timeout)
        self._stack = _QuietStack(stack_of(hub, shard), self._workspace(kubeconfig, program))

    def create_stack(self) -> None:
        """Make the stack known to the engine.

        Raises:
            CommandError: the engine refused.
        """
        self._stack.workspace.create_stack(self._stack.name)

    def up(self, *, refresh: bool = False, targets: Iterable[str] = (), on_step: OnStep | None = None) -> Outcome:
        """Bring the shard to what its program registers."""
        target = list(targets) or None
        return self._run(
            lambda collect: self._stack.up(
                parallel=self.settings.parallel,
                refresh=refresh,
                target=target,
                continue_on_error=True,
                on_event=collect,
                color="never",
                suppress_outputs=True,
                suppress_progress=True,
            ),
            on_step,
        )

    def preview(self, *, exclude: Iterable[str] = (), on_step: OnStep | None = None) -> Outcome:
        """What the engine would do, without looking at ``exclude``."""
        left_out = list(exclude) or None
        return self._run(
            lambda collect: self._stack.preview(
                parallel=self.settings.parallel, exclude=left_out, on_event=collect, color="never"
            ),
            on_step,
        )

    def destroy(self, *, targets: Iterable[str] = (), on_step: OnStep | None = None) -> Outcome:
        """Delete everything the state records, or only ``targets``."""
        target = list(targets) or None
        return self._run(
            lambda collect: self._stack.destroy(
                parallel=self.settings.parallel,
                target=target,
                target_dependents=bool(target) or None,
                continue_on_error=True,
                on_event=collect,
                color="never",
                suppress_outputs=True,
                suppress_progress=True,
            ),
            on_step,
        )

    def refresh(self, *, on_step: OnStep | None = None) -> Outcome:
        """Read every object of the state from the cluster into the state; used by benchmarks against drift."""
        return self._run(
            lambda collect: self._stack.refresh(parallel=self.settings.parallel, on_event=collect, color="never"),
            on_step,
        )

    def forget(self) -> None:
        """Remove the stack, which must be empty, from the engine's books."""
        self._stack.workspace.remove_stack(self._stack.name)

    def _run(self, operation: Callable[[Callable[[EngineEvent], None]], Any], on_step: OnStep | None) -> Outcome:
        outcome = Outcome()
        collect = _Collector(outcome, on_step)
        try:
            operation(collect)
        except EngineTimeoutError:
            outcome.timed_out = True
            outcome.messages.append(f"the engine was ended after {self.settings.timeout:.0f} s")
        except CommandError as error:
            if not outcome.messages and not outcome.failures:
                outcome.messages.append(_essence(str(error)))
        else:
            outcome.ok = not outcome.failures
        return outcome

    def _workspace(self, kubeconfig: Path, program: Callable[[], None]) -> LocalWorkspace:
        folder = self.settings.work / str(self.shard).replace("/", ".")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalWorkspace(
            work_dir=str(folder),
            pulumi_home=str(self.settings.home),
            program=program,
            env_vars=self._environment(kubeconfig),
            secrets_provider="passphrase",
            project_settings=ProjectSettings(name=project_of(self.shard), runtime="python"),
            pulumi_command=self.command,
        )

    def _environment(self, kubeconfig: Path) -> dict[str, str]:
        settings = self.settings
        backend, password = without_password(settings.backend)
        out = {
            "PULUMI_BACKEND_URL": backend,
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(settings.passphrase_file),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            # The work folder can be lost; the salt of the encryption is in the checkpoint too.
            "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
            "KUBECONFIG": str(kubeconfig),
            "PATH": _path_with(settings.pulumi.parent, settings.provider.parent),
        }
        if password:
            out["PGPASSWORD"] = password
        if not settings.checkpoints:
            out |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
        return out


class _QuietStack(Stack):
    """A stack that is not selected first, and is not asked for outputs and history after each operation."""

    def __init__(self, name: str, workspace: LocalWorkspace) -> None:  # the parent would call the CLI
        self.name, self.workspace = name, workspace

    def outputs(self) -> dict[str, Any]:
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:  # noqa: ARG002  # the parent's signature
        return UpdateSummary("update", datetime.now(UTC), "", {}, {}, "succeeded")


class _Collector:
    """Turns engine events into an outcome; exceptions here would be swallowed by the Automation API."""

    def __init__(self, outcome: Outcome, on_step: OnStep | None) -> None:
        self.outcome, self.on_step = outcome, on_step

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event:
            meta = event.resource_pre_event.metadata
            self._step(Step(meta.urn, _op(meta.op), done=False))
        elif event.res_outputs_event:
            meta = event.res_outputs_event.metadata
            self._step(Step(meta.urn, _op(meta.op), done=True))
        elif event.res_op_failed_event:
            meta = event.res_op_failed_event.metadata
            self.outcome.failures.setdefault(meta.urn, "the operation failed")
            self._step(Step(meta.urn, _op(meta.op), done=True, failed=True))
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            self._error(event.diagnostic_event.urn or "", event.diagnostic_event.message)
        elif event.summary_event:
            self.outcome.counts = {_op(key): count for key, count in event.summary_event.resource_changes.items()}

    def _error(self, urn: str, message: str) -> None:
        text = REDACTOR(" ".join(message.split()))
        if "kubernetes:" in urn:
            self.outcome.failures[urn] = text
        elif not text.startswith(_ECHOES):
            self.outcome.messages.append(text)

    def _step(self, step: Step) -> None:
        self.outcome.steps.append(step)
        if self.on_step:
            with contextlib.suppress(OSError):
                self.on_step(step)


def _op(op: Any) -> str:
    return op.value if isinstance(op, OpType) else str(op)


def _essence(text: str) -> str:
    """The lines of a CLI failure that say why."""
    lines = [line.strip() for line in text.splitlines() if "error:" in line.lower()]
    return REDACTOR(" ".join(lines) or " ".join(text.split())[-400:])


def _path_with(*folders: Path) -> str:
    return os.pathsep.join([*dict.fromkeys(map(str, folders)), os.environ.get("PATH", os.defpath)])
