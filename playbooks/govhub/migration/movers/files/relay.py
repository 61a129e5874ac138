"""``python -m …relay``: rsync between two hosts through this machine, each reached by a command of its own (OpenSSH).

What one side says is what the other hears, so neither host needs a way to the other one, a key, or an agent. rsync's
client runs on the host that is ours; its "remote shell" tells us which server it wants, and we start that on the other
host, if it is one of the folder that was agreed on. A department's server is never asked what to run.

Standard input is a JSON document: ``near`` and ``far``, lists that begin the two commands; ``client``, the arguments of
the client; ``first``, base64 of its standard input; ``path``, the folder of the server. The exit code is the client's,
or the server's when that alone failed; what the client wrote stands after :data:`MARK` on standard error. This module
imports nothing of govhub's others.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import Any

MARK = "--- what rsync said ---"
# Words of the far rsync's command line: no shell ever sees another letter.
_WORD = re.compile(r"[A-Za-z0-9._@+=%,/:-]+")
_MOST = 65536
# Run by sh on the near host: the list of names first, of a known length, then the far rsync. 3 and 4 lead to it.
NEAR = f"""set -e
out=$(mktemp); exec 5<"$out" 6>"$out"; rm -f "$out"
list=$(mktemp); exec 7<"$list" 8>"$list"; rm -f "$list"
head -c "$1" >&8
shift
exec 3<&0 4>&1 8>&-
code=0
"$@" <&7 >&6 || code=$?
printf '\\n%s\\n' '{MARK}' >&2
cat <&5 >&2
exit $code
"""
# rsync's remote shell there: it says what is wanted, and ends when the far rsync does, as OpenSSH would: rsync waits
# for that. It has no single quotes, for it is quoted by them.
SHELL = (
    'shift; printf "%s\\0" "$@" >&4; printf "\\0" >&4; exec 9<&0; '
    "cat <&9 >&4 3<&- 5<&- 6>&- 7<&- 2>/dev/null & exec cat <&3 4>&- 9<&-"
)


def main(document: dict[str, Any]) -> int:
    """Run both to their end."""
    heard, said = os.pipe(), os.pipe()
    names = base64.b64decode(document["first"])
    client = ["sh", "-c", NEAR, "sh", str(len(names)), *document["client"]]
    near = _start(document["near"], client, heard[0], said[1])
    os.close(heard[0])
    os.close(said[1])
    try:
        while names:
            names = names[os.write(heard[1], names) :]
    except BrokenPipeError:
        return near.wait() or 1
    words = _words(said[0])
    if not words:
        os.close(heard[1])
        return near.wait() or 1
    if not allowed(words, document["path"]):
        near.kill()
        near.wait()
        sys.stderr.write(f"the near rsync asked for another command than was agreed on: {shlex.join(words)[:300]}\n")
        return 3
    far = _start(document["far"], words, said[0], heard[1])
    os.close(said[0])
    os.close(heard[1])
    codes = [near.wait(), far.wait()]
    return next((code for code in codes if code), 0)


def allowed(words: list[str], path: str) -> bool:
    """Whether it is rsync's server for this folder, and for nothing else."""
    *options, dot, place = words if len(words) > 3 else ["", "", ""]
    plain = all(_WORD.fullmatch(word) for word in words)
    return (
        plain and options[:2] == ["rsync", "--server"] and dot == "." and place == path and "/" not in "".join(options)
    )


def _start(begin: list[str], words: list[str], stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    # A killed controller must not leave a copy behind that goes on writing.
    leash = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "--"]
    return subprocess.Popen([*leash, *begin, shlex.join(words)], stdin=stdin, stdout=stdout)


def _words(pipe: int) -> list[str]:
    """What the client wants; byte by byte, for what follows is not ours."""
    data = b""
    while not data.endswith(b"\0\0") and len(data) < _MOST:
        if not (byte := os.read(pipe, 1)):
            return []
        data += byte
    return data[:-2].decode(errors="replace").split("\0")


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
