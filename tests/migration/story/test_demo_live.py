"""`demo migrate` as people run it: the whole story, and nothing of it stays but the dossiers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts.conftest import root

__all__ = ["root"]
STEPS = [
    *("boot", "fill", "up", "assess", "rehearse", "copy", "approve", "cutover", "cutover"),
    *("roll-back", "acceptance", "retirement", "dossier", "down"),
]


def govhub(*words: str, base: Path, user: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "GOVHUB_HOME": str(base)}
    command = [sys.executable, "-m", "govhub.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900, user=user)


@pytest.mark.slow
def test_the_story_is_told_from_the_first_look_to_the_dossier(root: None, tmp_path: Path) -> None:
    done = govhub("demo", "migrate", "--json", base=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    document = json.loads(done.stdout)
    assert [item["step"] for item in document["steps"]] == STEPS
    for item in document["steps"]:
        assert item["facts"].get("writes_lost", 0) == 0
    cutovers = [item["facts"] for item in document["steps"] if item["step"] == "cutover"]
    assert all(item["writes_acknowledged"] > 0 and item["longest_gap_seconds"] > 0 for item in cutovers)
    (back,) = [item["facts"] for item in document["steps"] if item["step"] == "roll-back"]
    assert back["written_on_target"] == back["preserved_on_source"] > 0
    for system in ("school-enrolment", "open-days"):
        checked = govhub("migrate", "dossier", "verify", f"{document['dossiers']}/{system}", "--json", base=tmp_path)
        assert json.loads(checked.stdout)["intact"], checked.stdout
    assert [path.name for path in (tmp_path / "demo").iterdir()] == ["dossiers"]
    left = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert "migration-demo" not in left
