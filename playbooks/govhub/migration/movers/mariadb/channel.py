"""Replication of one database between two MariaDB servers, under a name of its own on the one that follows.

Which databases are taken over is a setting of the running server alone: after a restart the server would take over all.
So the setting goes into the server's files where somebody may write there, and is looked at whenever the move is.
"""

from __future__ import annotations

from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.mariadb import positions
from govhub.migration.movers.mariadb.server import Server, literal
from govhub.migration.movers.protocol import Lag, MoveFailed

GONE = 1236
"""The publisher dropped the log that the replica needs."""
_HALTED = ["No", "No", "0", "0"]


class Channel:
    """What ``replica`` takes over of ``publisher``'s database."""

    def __init__(self, name: str, database: str, publisher: Server, replica: Server) -> None:
        self.name, self.database, self.publisher, self.replica = name, database, publisher, replica
        self.pattern = database.replace("_", "\\_") + ".%"

    def status(self) -> dict[str, Any] | None:
        """As the replica tells it; None when it does not follow."""
        rows = self.replica.rows("SHOW ALL SLAVES STATUS")
        return next((row for row in rows if row["Connection_name"] == self.name), None)

    def halted(self, status: dict[str, Any]) -> bool:
        """Whether it stands still without an error: somebody was killed over it."""
        words = ("Slave_IO_Running", "Slave_SQL_Running", "Last_IO_Errno", "Last_SQL_Errno")
        return [str(status[word]) for word in words] == _HALTED

    def open_wide(self, status: dict[str, Any]) -> bool:
        """Whether it takes over other databases as well."""
        return str(status["Replicate_Wild_Do_Table"]) != self.pattern

    def begin(self, position: str, notes: positions.Flag) -> None:
        """Follow from ``position`` on; the channel is not there yet."""
        where = self.publisher.endpoint
        host, port = where.link()
        password = where.password.reveal() if where.password else ""
        positions.place(self.replica, self.publisher, position, notes)
        # Whose certificate it is, is not asked: departments' servers have what they made themselves.
        tls = int(self.publisher.value("SELECT @@have_ssl") == "YES")
        self.replica.rows(
            f"CHANGE MASTER {literal(self.name)} TO MASTER_HOST = {literal(host)}, MASTER_PORT = {port}, "
            f"MASTER_CONNECT_RETRY = 2, MASTER_SSL = {tls}, MASTER_SSL_VERIFY_SERVER_CERT = 0, "
            f"MASTER_USER = {literal(where.user)}, MASTER_PASSWORD = {literal(password)}, "
            "MASTER_HEARTBEAT_PERIOD = 5, MASTER_USE_GTID = slave_pos"
        )
        self._narrow()
        self.replica.rows(f"START SLAVE {literal(self.name)}")

    def mend(self) -> bool:
        """Set right what a restart of the server or a killed worker left; whether other databases were taken over."""
        status = self.status()
        if status is None:
            return False
        if self.open_wide(status):
            self.replica.rows(f"STOP SLAVE {literal(self.name)}")
            self.persist()
            self._narrow()
            self.replica.rows(f"START SLAVE {literal(self.name)}")
            return True
        if self.halted(status):
            self.replica.rows(f"START SLAVE {literal(self.name)}")
        return False

    def stop(self) -> None:
        """Follow no more."""
        if self.status():
            self.replica.rows(f"STOP SLAVE {literal(self.name)}")
            self.replica.rows(f"RESET SLAVE {literal(self.name)} ALL")

    def fetch_no_more(self) -> None:
        """Leave what the publisher writes there: the replica does not apply what it has."""
        self.replica.rows(f"STOP SLAVE {literal(self.name)} IO_THREAD")

    def forget(self) -> None:
        """Take back what stands in the server's files."""
        if self.replica.endpoint.machine:
            self.replica.endpoint.machine.unset(self.name)

    def lag(self) -> Lag:
        """How far it is behind, as the replica says."""
        status = self.status()
        if not status or status["Seconds_Behind_Master"] is None:
            return Lag()
        master = self.publisher.rows("SHOW MASTER STATUS")
        same = bool(master) and master[0]["File"] == status["Relay_Master_Log_File"]
        behind = int(master[0]["Position"]) - int(status["Exec_Master_Log_Pos"]) if same else None
        return Lag(bytes=behind, seconds=float(status["Seconds_Behind_Master"]))

    def problems(self) -> list[Diagnostic]:
        """Why it does not go on, or takes over too much."""
        status = self.status()
        if not status:
            return []
        if self.open_wide(status):
            return MoveFailed.one(
                "MOV307",
                f"{self.replica.endpoint} takes over other databases than {self.database} as well",
                detail="it was restarted, and which databases it takes over is not in its files",
                hint="the next `migrate run` narrows it again, and names what came meanwhile",
            ).diagnostics
        text = status["Last_SQL_Error"] or status["Last_IO_Error"]
        going = status["Slave_IO_Running"] in {"Yes", "Connecting", "Preparing"}
        if status["Slave_SQL_Running"] == "Yes" and going and not status["Last_SQL_Error"]:
            return []
        return MoveFailed.one(
            "MOV304",
            "replication stopped",
            detail=str(text)[:600],
            hint="put right what it says and START SLAVE; when the source's log is gone, start the move again",
        ).diagnostics

    def _narrow(self) -> None:
        self.replica.rows(f"SET GLOBAL `{self.name}`.replicate_wild_do_table = {literal(self.pattern)}")

    def persist(self) -> None:
        """Have the replica's next start know which database it takes over, where somebody may write its files.

        Raises:
            MoveFailed: they cannot be written (MOV308).
        """
        machine = self.replica.endpoint.machine
        if machine:
            machine.set(self.name, f"{self.name}.replicate_wild_do_table", self.pattern)
