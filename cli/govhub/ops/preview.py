"""``plan --engine``: the engine's own preview beside the engine-free plan, and where they differ."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.core.plan import Plan
from govhub.engine.runner import Outcome, ShardEngine, Step
from govhub.engine.settings import EngineSettings
from govhub.engine.state import urn_of
from govhub.ops.requests import EnginePreview
from govhub.ops.session import Connection, Session
from govhub.stacks.graph import Shard

_QUIET = ("same", "read", "refresh")
_SAME_MEANING = {"create-replacement": "replace", "delete-replaced": "replace"}


def engine_preview(session: Session, plan: Plan) -> EnginePreview:
    """Preview every shard with the real engine and compare object by object.

    Raises:
        ToolMissing: the engine is missing.
        TargetUnreachable: a cluster does not answer.
        GovhubError: the engine failed.
    """
    settings = session.engine_settings()
    connections = session.connect()
    for connection in connections.values():
        if connection.problem:
            raise GovhubError([connection.problem])
    started = time.monotonic()

    def run(shard: Shard) -> tuple[Shard, Outcome]:
        return shard, _preview(session, settings, connections[shard.cluster], shard)

    with ThreadPoolExecutor(2) as pool:
        outcomes = dict(pool.map(run, session.graph.shards))
    counts: Counter[str] = Counter()
    engine_says: dict[str, str] = {}
    for outcome in outcomes.values():
        for step in outcome.steps:
            if "kubernetes:" in step.urn.split("::")[2] and not step.done:
                op = _SAME_MEANING.get(step.op, step.op)
                engine_says[step.urn] = op
    counts.update(engine_says.values())
    return EnginePreview(
        counts=dict(sorted(counts.items())),
        seconds=round(time.monotonic() - started, 2),
        differences=tuple(_differences(session, plan, engine_says)),
    )


def _preview(session: Session, settings: EngineSettings, connection: Connection, shard: Shard) -> Outcome:
    from govhub.stacks.components import program

    assert connection.kubeconfig
    run = program(session.graph.shards[shard], f"{session.name}/{shard.cluster}")
    if session.state.exists(shard):
        outcome = _preview_known(ShardEngine(settings, session.name, shard, connection.kubeconfig, run))
    else:
        outcome = _preview_new(session, settings, connection.kubeconfig, shard, run)
    if not outcome.ok:
        reasons = [*outcome.messages, *outcome.failures.values()]
        raise GovhubError.one("ENG001", f"the engine's preview of {shard} failed: {reasons[0] if reasons else ''}")
    return outcome


def _preview_known(engine: ShardEngine) -> Outcome:
    outcome = engine.preview()
    left_out: set[str] = set()
    replacing: list[Step] = []
    while refused := _refused_replacements(outcome) - left_out:
        # The engine stops there, so what comes after them is asked for once more without them.
        left_out |= refused
        replacing += [step for step in outcome.steps if step.urn in refused]
        outcome = engine.preview(exclude=left_out)
    # Last, because the engine calls what it was not to look at unchanged.
    outcome.steps += replacing
    return outcome


def _refused_replacements(outcome: Outcome) -> set[str]:
    """What failed only because it is to be replaced: it is tried while the old object still stands in its place."""
    replaced = {step.urn for step in outcome.steps if _SAME_MEANING.get(step.op, step.op) == "replace"}
    failed = set(outcome.failures)
    return failed if not outcome.messages and failed <= replaced else set()


def _preview_new(
    session: Session, settings: EngineSettings, kubeconfig: Path, shard: Shard, run: Callable[[], None]
) -> Outcome:
    """Preview a stack that does not exist yet in a state of its own: a plan writes nothing that lasts."""
    with tempfile.TemporaryDirectory(prefix="govhub-preview-") as scratch:
        folder = Path(scratch)
        (folder / "state").mkdir()
        apart = dataclasses.replace(settings, backend=f"file://{folder / 'state'}", work=folder / "work")
        engine = ShardEngine(apart, session.name, shard, kubeconfig, run)
        engine.create_stack()
        return engine.preview()


def _differences(session: Session, plan: Plan, engine_says: dict[str, str]) -> list[str]:
    addresses = {urn_of(session.name, item): item.address for item in session.graph}
    for shard, checkpoint in session.recorded.items():
        for identity, record in checkpoint.objects.items():
            addresses.setdefault(record.urn, f"{shard.cluster}/{shard.stack}/{identity}")
    ours = {change.address: change.op.value for change in plan.of_layer("stacks")}
    theirs = {addresses.get(urn, urn): op for urn, op in engine_says.items() if op not in _QUIET}
    lines = []
    for address in sorted(ours.keys() | theirs.keys()):
        left, right = ours.get(address, "unchanged"), theirs.get(address, "unchanged")
        if left != right:
            lines.append(f"{address}: plan says {left}, the engine says {right}")
    return lines
