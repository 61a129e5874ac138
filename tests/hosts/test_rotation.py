"""What a rotation refuses before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput, UsageError
from govhub.ops.requests import RunRequest
from govhub.ops.rotation import RotateRequest, rotate
from hosts.test_declared import MINI

DATABASES = "databases:\n  - {name: pg-main, engine: postgresql, hosts: [db1], tenants: []}\n"
HOSTS = "\n  - {names: db1, racks: site-a/h1/r02/03, role: database, arch: amd64, cores: 8, memory: 64Gi}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub with a database on a host that cannot be reached."""
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "mini"
    shutil.copytree(MINI, folder)
    clusters = folder / "clusters.yaml"
    clusters.write_text(clusters.read_text().rstrip() + HOSTS, encoding="utf-8")
    (folder / "databases.yaml").write_text(DATABASES, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("wanted", "error", "code", "hint"),
    [
        ({}, UsageError, "USE008", "--certificates"),
        ({"databases": ("pg-mian",)}, InvalidInput, "HST042", 'did you mean "pg-main"?'),
        ({"passwords": True}, InvalidInput, "HST003", "lab up"),
    ],
)
def test_what_cannot_be_rotated_is_told_and_nothing_is_written(
    folder: Path, wanted: dict[str, object], error: type[InvalidInput], code: str, hint: str
) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(error) as refused:
        rotate(RotateRequest(run=RunRequest(hub=str(folder)), **wanted))  # type: ignore[arg-type]
    (problem,) = refused.value.diagnostics
    assert problem.code == code
    assert hint in problem.hint
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
