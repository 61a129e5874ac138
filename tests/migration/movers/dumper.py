"""A controller of its own that backs a database up on a mover host, for the test that kills it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from govhub.core.secrets import Secret
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.remote import SshRunner
from govhub.migration.moving.engines.postgresql import dumped
from migration.movers.shells import Pipe

if __name__ == "__main__":
    root, place, local, port, path = sys.argv[1:]
    word = Secret(os.environ["WORD"])
    end = Endpoint(host="127.0.0.1", port=int(port), database="old", user="govhub", password=word)
    dumped(SshRunner(Pipe(), root, place, Path(local)), Server(end, "dumper"), Path(path))
