"""One page of metrics: its text in pieces, and the same compressed once for all who ask."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from functools import cached_property

LEVEL = 3
"""Lines of metrics are so alike that higher levels cost twice the time for a tenth of the size."""
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class Page:
    """A page, but for its tail: figures of the exporter itself, which change while the rest stays as it is."""

    pieces: tuple[bytes, ...]
    """In order; shared with other pages."""
    samples: int

    @cached_property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(map(len, self.pieces))

    def plain(self, tail: bytes) -> list[bytes]:
        """The whole text, in pieces."""
        return [*self.pieces, tail]

    def gzipped(self, tail: bytes) -> list[bytes]:
        """The whole text as one member of gzip (RFC 1952), in pieces.

        One member, although several would be a valid file as well: not every client reads on after the first.
        """
        data, checksum = self._deflated
        last = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        end = last.compress(tail) + last.flush()
        size = (self.size + len(tail)) & 0xFFFFFFFF
        return [_GZIP_HEADER, data, end, struct.pack("<II", zlib.crc32(tail, checksum), size)]

    @cached_property
    def _deflated(self) -> tuple[bytes, int]:
        """The pieces as blocks of DEFLATE that end on a byte and refer to nothing after them, and their CRC-32."""
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        checksum = 0
        out = []
        for piece in self.pieces:
            checksum = zlib.crc32(piece, checksum)
            out.append(packer.compress(piece))
        out.append(packer.flush(zlib.Z_FULL_FLUSH))
        return b"".join(out), checksum

    def compress(self) -> None:
        """Compress now, where it delays nobody."""
        _ = self._deflated

    @property
    def compressed(self) -> bool:
        """Whether that is done."""
        return "_deflated" in self.__dict__
