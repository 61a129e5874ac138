"""``stacks/<stack>/__main__.py``: what stock Pulumi runs is what `up` runs."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import yaml

from govhub.engine.runner import Outcome, ShardEngine
from govhub.engine.settings import EngineSettings
from govhub.lab.cluster import LabCluster
from govhub.ops.session import open_session
from govhub.stacks.graph import Shard, Stack
from live.conftest import LabHub

pytestmark = pytest.mark.engine
STACKS = Path(__file__).parents[2] / "stacks"


@pytest.fixture(scope="module")
def provisioned(mini: LabHub) -> LabHub:
    assert mini.up().status == "done"
    return mini


@pytest.mark.parametrize("stack", [stack.value for stack in Stack])
def test_the_program_of_a_stack_registers_what_up_has_made(
    provisioned: LabHub, stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(provisioned.folder.parent))
    outcome = _preview(_settings(provisioned), provisioned, Shard("main", stack, 0))
    assert outcome.ok, outcome.messages
    assert set(outcome.counts) == {"same"}
    assert outcome.counts["same"] > 1


@pytest.mark.parametrize("stack", [stack.value for stack in Stack])
def test_the_project_file_names_the_project_that_up_uses(stack: str) -> None:
    project = yaml.safe_load((STACKS / stack / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == f"govhub-{stack}"
    assert project["runtime"]["name"] == "python"


def test_an_invalid_hub_stops_a_stock_program_with_its_diagnostics(
    provisioned: LabHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(provisioned.folder.parent))
    settings = _settings(provisioned)
    text = (provisioned.folder / "systems.yaml").read_text(encoding="utf-8")
    try:
        provisioned.edit("systems.yaml", "tenant: education", "tenant: educaton")
        outcome = _preview(settings, provisioned, Shard("main", "tenants", 0))
    finally:
        (provisioned.folder / "systems.yaml").write_text(text, encoding="utf-8")
    assert not outcome.ok
    assert any("REF001" in message for message in outcome.messages), outcome.messages


def _settings(hub: LabHub) -> EngineSettings:
    return open_session(str(hub.folder)).engine_settings()


def _preview(settings: EngineSettings, hub: LabHub, shard: Shard) -> Outcome:
    """Run a stack's own program through the real engine, as the language host would."""

    def run() -> None:
        runpy.run_path(str(STACKS / shard.stack / "__main__.py"), run_name="__main__")

    kubeconfig = LabCluster(hub.name, shard.cluster).kubeconfig
    return ShardEngine(settings, hub.name, shard, kubeconfig, run).preview()
