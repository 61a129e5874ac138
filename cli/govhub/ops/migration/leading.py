"""Settings of applications on departments' servers, over SSH: rewritten as one step, with the original kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from govhub.core.errors import GovhubError, InvalidInput
from govhub.hosts.tunnel import Said, Tunnel
from govhub.migration.moving.settings import values, with_values

KEPT = ".govhub-original"
"""Beside the file, as long as there is a way back."""
# Bytes as they are, whatever their character set and line ends are, and through a shell.
_CODE = "latin-1"
# Owner, mode and what else a file has stay. The digest is for a line that breaks: a half file must not be the file.
_WRITE = f"""set -eu
file=$(readlink -f -- "$1")
if [ ! -e "$file{KEPT}" ]; then
  cp -a -- "$file" "$file{KEPT}.part"
  sync -- "$file{KEPT}.part"
  mv -- "$file{KEPT}.part" "$file{KEPT}"
fi
cp -a -- "$file" "$file.govhub-part"
base64 -d >"$file.govhub-part"
if [ "$(sha256sum <"$file.govhub-part")" != "$2  -" ]; then
  rm -f -- "$file.govhub-part"
  echo "it did not arrive whole" >&2
  exit 1
fi
sync -- "$file.govhub-part"
mv -- "$file.govhub-part" "$file"
"""
_READ_KEPT = f'file=$(readlink -f -- "$1"); [ ! -e "$file{KEPT}" ] || base64 -- "$file{KEPT}"'
_FORGET = (
    f'file=$(readlink -f -- "$1"); rm -f -- "$file{KEPT}" "$file{KEPT}.part" "$file.govhub-part"; '
    'sync -- "$(dirname -- "$file")"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """See :class:`govhub.migration.moving.application.Leading`; the login may use sudo."""

    file: str
    keys: Mapping[str, str]
    """Keys of the file by what they stand for: ``host`` and perhaps ``port``."""
    target: Mapping[str, str]
    """What they are to be at the switch, by the same names."""
    tunnel: Tunnel

    def check(self) -> dict[str, Any]:
        """See the protocol.

        Raises:
            InvalidInput: a key is not there exactly once, or leads to the target already (RUN030).
            GovhubError: the file cannot be read (RUN031).
        """
        found = values(self._read(), self.keys, self._where)
        if found == self._wanted():
            hint = "name the keys that tell source and target apart, both host and port where they share an address"
            raise InvalidInput.one("RUN030", f"{self._where} leads to the target already", hint=hint)
        return self._said(found)

    def lead(self) -> dict[str, Any]:
        """See the protocol, and :meth:`check`."""
        self._set(self.target)
        return self._said(self.target)

    def back(self) -> dict[str, Any]:
        """See the protocol, and :meth:`check`."""
        # Its values alone: what somebody else changed in the file since then stays.
        kept = _decoded(self._shell(_READ_KEPT, "does not show what it was"))
        if not kept:
            return {"file": self.file, "changed": False}
        before = values(kept, self.keys, f"{self._where}{KEPT}")
        self._set(before)
        self.forget()
        return self._said(before)

    def led(self) -> bool:
        """See the protocol, and :meth:`check`."""
        return values(self._read(), self.keys, self._where) == self._wanted()

    def forget(self) -> None:
        """See the protocol."""
        self._shell(_FORGET, "is not tidied up")

    @property
    def _where(self) -> str:
        return f"{self.file} on {self.tunnel.name}"

    def _wanted(self) -> dict[str, str]:
        return {name: self.target[name] for name in self.keys}

    def _set(self, wanted: Mapping[str, str]) -> None:
        text = self._read()
        changed = with_values(text, self.keys, wanted, self._where)
        if changed != text:
            data = changed.encode(_CODE)
            text = base64.encodebytes(data).decode("ascii")
            self._shell(_WRITE, "cannot be rewritten", hashlib.sha256(data).hexdigest(), text=text)

    def _said(self, found: Mapping[str, str]) -> dict[str, Any]:
        """Nothing but the values: the rest of the file is none of the record's business."""
        return {"file": self.file, **{self.keys[name]: found[name] for name in self.keys}}

    def _read(self) -> str:
        return _decoded(self._failing(self.tunnel.run("sudo", "-n", "base64", "--", self.file), "cannot be read"))

    def _shell(self, script: str, problem: str, *words: str, text: str = "") -> Said:
        said = self.tunnel.run("sudo", "-n", "sh", "-c", script, "sh", self.file, *words, text=text)
        return self._failing(said, problem)

    def _failing(self, said: Said, problem: str) -> Said:
        if said.code:
            raise GovhubError.one(
                "RUN031",
                f"{self._where} {problem}",
                detail=said.errors.strip()[-300:],
                hint=f"{self.tunnel.reach.user} needs sudo there; `settings` of the move names the file",
            )
        return said


def _decoded(said: Said) -> str:
    return base64.b64decode(said.output).decode(_CODE)
