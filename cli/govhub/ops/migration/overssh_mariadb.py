"""MariaDB servers of a move over SSH: root of the host is the server's administrator by the socket's owner."""

from __future__ import annotations

from dataclasses import dataclass, field

from govhub.core.diagnostics import Diagnostic
from govhub.core.keys import HubKey
from govhub.hosts.passwords import secret_in_form
from govhub.hosts.tunnel import Said
from govhub.migration.movers.endpoint import Endpoint
from govhub.ops.migration.machine_mariadb import MariadbMachine
from govhub.ops.migration.overssh import LENGTH, OverSsh

# What is executed here is in no log, and no replica of the server has the account.
_QUIET = "SET SESSION sql_log_bin = 0;\nSET SESSION sql_log_off = 1;\n"
# A forwarded connection comes from the host itself, where an anonymous account of localhost would go before `%`.
_HERE = ("localhost", "127.0.0.1")
# Old servers have the client under its old name.
_CLIENT = 'c=$(command -v mariadb || command -v mysql) || { echo "no mariadb client" >&2; exit 127; }; '
_ASK = (
    "read -r MYSQL_PWD; export MYSQL_PWD; "
    'exec "$c" --no-defaults --protocol=tcp --connect-timeout=8 -h "$1" -P "$2" -u "$3" $4 -N -B -e "SELECT 1"'
)
_TELL = 'exec "$c" --protocol=socket -N -B'
_WAY = "sudo -n mariadb"
_TLS = (("sslmode", "require"),)


@dataclass(slots=True, kw_only=True)
class MariadbOverSsh(OverSsh):
    """An end on a host that is reached over SSH, whose login may become root by sudo."""

    _tls: bool = field(default=False, init=False)

    def reaches(self, other: Endpoint) -> Diagnostic | None:
        """See :class:`govhub.ops.migration.overssh.Side`."""
        host, port = other.link()
        word = other.password.reveal() if other.password else ""
        tls = "--ssl" if dict(other.options).get("sslmode") == "require" else ""
        said = self.tunnel.run("sh", "-c", _CLIENT + _ASK, "sh", host, str(port), other.user, tls, text=f"{word}\n")
        if said.code == 0:
            return None
        return self._parted(other, said, "bind-address, accounts, firewall")

    def release(self) -> str:
        """See :class:`govhub.ops.migration.overssh.Side`."""
        # Wherever it may come from: the other server may have had another address before.
        found = self._tell(f"SELECT Host FROM mysql.user WHERE User = '{self.account}';\n").splitlines()  # noqa: S608 - our own name
        self._sql("".join(f"DROP USER IF EXISTS '{self.account}'@'{host}';\n" for host in found))
        self._end = None
        return f"{self.account} is removed from {self.tunnel.name}"

    def _at(self, folder: str) -> Endpoint:  # noqa: ARG002 - the socket itself, as in addresses
        # The host is what people know the server by; the connection goes by the socket.
        return Endpoint(
            host=self.tunnel.reach.address,
            port=self.port,
            database=self.database,
            user=self.account,
            password=self._password,
            # Servers of ours take nobody without it, not even through SSH.
            options=(("socket", str(self.tunnel.socket)), *(_TLS if self._tls else ())),
            machine=MariadbMachine(self.tunnel),
        )

    def _make(self) -> None:
        HubKey.of(self.hub).ensure()
        word = secret_in_form(self.hub, self._address, 1, LENGTH, "mysql")
        self._tls = self._tell("SELECT @@have_ssl;\n").strip() == "YES"
        self._sql(
            "".join(
                f"CREATE USER IF NOT EXISTS '{self.account}'@'{host}' IDENTIFIED BY PASSWORD '{word}';\n"
                f"ALTER USER '{self.account}'@'{host}' IDENTIFIED BY PASSWORD '{word}';\n"
                f"GRANT ALL PRIVILEGES ON *.* TO '{self.account}'@'{host}' WITH GRANT OPTION;\n"
                for host in dict.fromkeys((*_HERE, self.peer or "%", *self.movers))
            )
        )

    def _sql(self, statements: str) -> None:
        # Another server of the host may own the usual socket: nothing must be made there.
        found = self._tell("SELECT @@port;\n").strip()
        if found != str(self.port):
            raise self._failed(Said(1, "", f"the server behind the usual socket has the port {found}"), _WAY)
        self._tell(_QUIET + statements)

    def _tell(self, statements: str) -> str:
        said = self.tunnel.run("sudo", "-n", "sh", "-c", _CLIENT + _TELL, text=statements)
        if said.code:
            raise self._failed(said, _WAY)
        return said.output
