"""How the hosts layer stands, from what is recorded and noted: nobody is contacted for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from govhub.cli.main import main
from govhub.core.exits import Exit
from govhub.engine.state import State
from govhub.hosts.fingerprint import fingerprint
from govhub.hosts.reach import reaches
from govhub.hosts.variables import declared_hosts
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket
from govhub.ops.status import status

MINI = Path(__file__).parents[1] / "hubs" / "mini"
FIGURES = ("as_declared", "changed", "drifted", "new", "no_address")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small hub; four of its six hosts have an address that nobody answers at."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GOVHUB_STATE", raising=False)
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    path = folder / "clusters.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("cores: 16, memory: 64Gi}", "cores: 16, memory: 64Gi, addresses: '10.20.0.{11..14}'}", 1)
    path.write_text(text, encoding="utf-8")
    return folder


def figures(folder: Path) -> dict[str, int]:
    found = status(str(folder))["hosts"]
    assert found.pop("declared") == 6 == sum(found.values())
    assert set(found) == set(FIGURES)
    return {key: value for key, value in found.items() if value}


def test_hosts_are_counted_by_how_they_stand(folder: Path, tmp_path: Path) -> None:
    assert figures(folder) == {"new": 4, "no_address": 2}
    hub, _ = valid_hub(str(folder))
    state = State("mini", state_bucket(hub))
    for name, host in declared_hosts(hub, reaches(hub)).items():
        if name != "node4":
            state.write(f"hosts/{name}.json", {"run": "r1", "roles": fingerprint(host)})
    assert figures(folder) == {"as_declared": 3, "new": 1, "no_address": 2}
    notes = tmp_path / "home" / "hubs" / "mini" / "drifted"
    notes.mkdir(parents=True)
    (notes / "node2.json").write_text('{"tasks": ["x"]}')
    assert figures(folder) == {"as_declared": 2, "drifted": 1, "new": 1, "no_address": 2}
    with (folder / "hub.yaml").open("a", encoding="utf-8") as out:
        out.write("baseline: {timezone: Asia/Urumqi}\n")
    # The next run contacts each for the change, and mends what drifted with it.
    assert figures(folder) == {"changed": 3, "new": 1, "no_address": 2}


def test_status_says_it_as_text_and_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(folder)]) == Exit.OK
    shown = capsys.readouterr().out
    assert "Hosts: 6 declared, 4 never run, 2 no address" in shown
    assert "up mini --layer hosts" in shown
    assert main(["status", str(folder), "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["hosts"]["new"] == 4
