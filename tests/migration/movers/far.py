"""A controller of its own, for tests that stop or kill it: runs one command in a place over a pipe."""

from __future__ import annotations

import sys
from pathlib import Path

from govhub.migration.movers.remote import SshRunner
from govhub.migration.movers.runner import Command
from migration.movers.shells import Pipe

if __name__ == "__main__":
    root, place, local, lease, *words = sys.argv[1:]
    SshRunner(Pipe(), root, place, Path(local), lease=float(lease)).run(Command(arguments=tuple(words)))
