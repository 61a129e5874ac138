"""rsync between two hosts, whose talk goes through this machine: more than pipes hold comes through."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from govhub.migration.movers.files.rsync import Place, whole
from govhub.migration.movers.runner import LocalRunner

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")


class Beside(Place):
    """A host that is this machine, with a shell that takes one more word as OpenSSH does."""

    def shell(self) -> tuple[str, ...]:
        return ("sh", "-c", 'eval "exec $0"')


def test_a_side_that_is_slow_to_read_loses_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir()
    for number in range(40):
        (old / str(number)).mkdir(parents=True)
        (old / str(number) / "scan").write_bytes(os.urandom(1 << 20))
    source = Beside(path=str(old), login="user@old")
    target = Beside(path=str(new), login="user@new", ours=True)
    done = whole(LocalRunner(tmp_path / "work"), source, target, None, checksum=True)
    assert done.files == 40
    assert all((new / str(item) / "scan").read_bytes() == (old / str(item) / "scan").read_bytes() for item in range(40))
