"""Two lab hosts that carry a database server: a primary and its standby."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from govhub.hosts.passwords import secret_in_form
from hosts.conftest import HostHub, lab_copy

HOSTS = """
  - {names: "db{1..2}", racks: "site-a/h1/r02/{03..04}", role: database, arch: amd64, cores: 16, memory: 64Gi,
     lab: true}
"""


P = TypeVar("P", bound="DatabasePair")


class DatabasePair(HostHub):
    """A primary, `db1`, and its standby, `db2`."""

    server = ""

    def password(self, account: str, generation: int = 1, form: str = "plain") -> str:
        return secret_in_form("mini", f"databases/{self.server}/{account}", generation, 32, form)

    @staticmethod
    def other(host: str) -> str:
        return {"db1": "db2", "db2": "db1"}[host]

    def served(self, host: str, protocol: str, port: int, name: str) -> str:
        """What openssl on the other host says of a server's certificate."""
        address = self.machine(host).address
        words = f"openssl s_client -starttls {protocol} -connect {address}:{port} -CAfile /etc/ssl/govhub/ca.pem"
        script = f"{words} -verify_return_error -verify_hostname {name} </dev/null 2>&1 || true"
        return self.inside(self.other(host), script)


@contextmanager
def booted(kind: type[P], databases: str, factory: pytest.TempPathFactory) -> Iterator[P]:
    """Two booted hosts that nothing was done to yet."""
    with lab_copy("mini", factory) as folder:
        clusters = folder / "clusters.yaml"
        clusters.write_text(clusters.read_text().replace(", lab: true", "").rstrip() + HOSTS, encoding="utf-8")
        (folder / "databases.yaml").write_text(databases, encoding="utf-8")
        made = kind(folder)
        made.boot(0)
        yield made
