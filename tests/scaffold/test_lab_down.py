"""Taking a lab down, on machines that have not built what clusters need."""

from __future__ import annotations

from pathlib import Path

import pytest

from govhub.core.errors import ToolMissing
from govhub.core.settings import Env
from govhub.lab.cluster import NAME, LabCluster
from govhub.ops.lab import lab_down

MINI = Path(__file__).parents[1] / "hubs" / "mini"


def test_a_lab_without_clusters_is_taken_down_without_their_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Env.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert lab_down(str(MINI))["hub"] == "mini"

    # What a start that was killed has left needs them.
    lab = LabCluster("mini", "main")
    (lab.folder / "clusters" / NAME).mkdir(parents=True)
    with pytest.raises(ToolMissing, match="kwokctl"):
        lab_down(str(MINI))
