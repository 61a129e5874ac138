"""The host of a MariaDB server of a move, over SSH: its disk, and options that the server reads when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from govhub.hosts.tunnel import Tunnel
from govhub.migration.movers.protocol import MoveFailed

# Debian's folders, and Red Hat's.
_FOLDER = (
    "for d in /etc/mysql/mariadb.conf.d /etc/mysql/conf.d /etc/my.cnf.d; do [ ! -d $d ] || break; done; "
    'f="$d/99-$1.cnf"; '
)
_SET = (
    _FOLDER + 'umask 022; cat >"$f.new" && mv "$f.new" "$f" && { '
    'my_print_defaults --mysqld | grep -qxF -e "--$2=$3" || { rm -f "$f"; echo "$f is not read" >&2; false; }; }'
)
_UNSET = _FOLDER + 'rm -f "$f" "$f.new"'
_FREE = 'df --output=avail -B1 "$1" | tail -n 1'


@dataclass(frozen=True, slots=True)
class MariadbMachine:
    """See :class:`govhub.migration.movers.endpoint.Machine`; the login may become root by sudo."""

    tunnel: Tunnel

    def free_bytes(self, path: str) -> int | None:
        """See the protocol."""
        found = self.tunnel.run("sudo", "-n", "sh", "-c", _FREE, "sh", path).output.strip()
        return int(found) if found.isdigit() else None

    def set(self, name: str, option: str, value: str) -> None:
        """See the protocol."""
        # A backslash in a file of options begins an escape.
        escaped = value.replace("\\", "\\\\")
        text = f"# Of a migration by govhub, which removes it.\n[mariadbd]\n{option} = {escaped}\n"
        said = self.tunnel.run("sudo", "-n", "sh", "-c", _SET, "sh", name, option, value, text=text)
        if said.code:
            raise MoveFailed.one(
                "MOV308",
                f"the server on {self.tunnel.name} cannot be given the option {option} for its next start",
                detail=said.errors.strip()[-300:],
                hint=f"{self.tunnel.reach.user} must be able to write its folder of settings by sudo; then repeat",
            )

    def unset(self, name: str) -> None:
        """See the protocol."""
        self.tunnel.run("sudo", "-n", "sh", "-c", _UNSET, "sh", name)
