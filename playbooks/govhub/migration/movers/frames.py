"""What a mover's agent says, put together again; see :mod:`govhub.migration.movers.agent`."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from typing import IO, Any

_HEAD = 5


@dataclass(slots=True)
class Heard:
    """Everything that was said; ``result`` is None when the agent did not come to its end."""

    output: bytearray = field(default_factory=bytearray)
    errors: bytearray = field(default_factory=bytearray)
    result: dict[str, Any] | None = None

    def take(self, kind: bytes, content: bytes) -> None:
        """One frame."""
        if kind == b"x":
            self.result = json.loads(content)
        elif kind == b"o":
            self.output += content
        else:
            self.errors += content


def hear(stream: IO[bytes]) -> Heard:
    """All frames of a stream, to its end; half a frame is none."""
    heard = Heard()
    while len(head := _exactly(stream, _HEAD)) == _HEAD:
        (length,) = struct.unpack(">I", head[1:])
        content = _exactly(stream, length)
        if len(content) < length:
            break
        heard.take(head[:1], content)
    return heard


def hear_log(text: bytes) -> Heard:
    """All frames of a pod's log: a number and base64 in each line; after a gap there is no result."""
    heard = Heard()
    for number, line in enumerate(text.splitlines()):
        head, _, content = line.partition(b":")
        if head != str(number).encode():
            # What stands here came from elsewhere, such as a traceback, or the log was cut.
            heard.errors += text[-2000:]
            heard.result = None
            return heard
        frame = base64.b64decode(content)
        heard.take(frame[:1], frame[_HEAD:])
    return heard


def _exactly(stream: IO[bytes], count: int) -> bytes:
    found = bytearray()
    while len(found) < count and (block := stream.read(count - len(found))):
        found += block
    return bytes(found)
