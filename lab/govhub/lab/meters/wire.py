"""SNMP v2c (RFC 3416) on the agent's side: one request in, one answer out.

pyasn1 and pysnmp's messages read what comes in, since that may be anything; what goes out is put together from encoded
parts that are kept, since the same names and most of the same values are asked for at every poll.
"""

from __future__ import annotations

import hmac
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

Oid = tuple[int, ...]
MOST_REPETITIONS = 128
MOST_BYTES = 60_000
"""Of the variables in one answer: a datagram carries 65,507."""
_INTEGER, _OCTETS, _COUNTER64, _GAUGE32, _TICKS = 0x02, 0x04, 0x46, 0x42, 0x43
_SEQUENCE, _RESPONSE = 0x30, 0xA2
_NO_SUCH, _END = bytes((0x81, 0)), bytes((0x82, 0))
_NOT_WRITABLE = 17


class View(Protocol):
    """What one agent has to tell."""

    @property
    def keys(self) -> Sequence[Oid]:
        """Names of its variables, sorted."""
        ...

    def variable(self, place: int) -> bytes:
        """The encoded name and value of ``keys[place]``."""
        ...


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length and content in BER's definite form."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


@lru_cache(maxsize=65536)
def integer(value: int, tag: int = _INTEGER) -> bytes:
    """An INTEGER, or another type that is written like one."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def gauge(value: int) -> bytes:
    """A Gauge32; what does not fit stays at its limit, as RFC 2578 says."""
    return integer(min(max(value, 0), 2**32 - 1), _GAUGE32)


def counter64(value: int) -> bytes:
    """A Counter64, which wraps."""
    return integer(value % 2**64, _COUNTER64)


def ticks(seconds: float) -> bytes:
    """TimeTicks: hundredths of a second."""
    return integer(int(seconds * 100) % 2**32, _TICKS)


@lru_cache(maxsize=65536)
def octets(text: str) -> bytes:
    """An OCTET STRING."""
    return tlv(_OCTETS, text.encode())


def name(oid: Oid) -> bytes:
    """An OBJECT IDENTIFIER."""
    from pyasn1.codec.ber import encoder
    from pysnmp.proto.rfc1902 import ObjectName

    return bytes(encoder.encode(ObjectName(oid)))


def answer(datagram: bytes, community: bytes, view: View) -> bytes | None:
    """The answer to a request; None for what is no request of ours: it is dropped, as RFC 3584 has it."""
    from pyasn1.codec.ber import decoder
    from pyasn1.error import PyAsn1Error
    from pysnmp.proto.api import v2c

    try:
        message, _ = decoder.decode(datagram, asn1Spec=v2c.Message())
        if int(message["version"]) != 1 or not hmac.compare_digest(bytes(message["community"]), community):
            return None
        pdu = v2c.apiMessage.get_pdu(message)
        found = _variables(pdu, view, v2c)
        if found is None:
            return None
        status, body = found
        parts = integer(int(pdu[0])) + integer(status) + integer(min(status, 1)) + tlv(_SEQUENCE, body)
    # The library's own errors are few; hostile input finds others in it (MemoryError is none of them).
    except (PyAsn1Error, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return None
    return tlv(_SEQUENCE, integer(1) + tlv(_OCTETS, community) + tlv(_RESPONSE, parts))


def _variables(pdu: Any, view: View, v2c: Any) -> tuple[int, bytes] | None:
    """Error status and encoded variables; None for what no agent answers."""
    names = [tuple(item[0]) for item in pdu[3]]
    kind = type(pdu)
    if kind is v2c.GetBulkRequestPDU:
        return 0, _bulk(names, max(int(pdu[1]), 0), min(max(int(pdu[2]), 0), MOST_REPETITIONS), view)
    if kind is v2c.GetNextRequestPDU:
        return 0, _bulk(names, len(names), 0, view)
    if kind is v2c.GetRequestPDU:
        return 0, b"".join(_exact(oid, view) for oid in names)
    if kind is v2c.SetRequestPDU:
        return _NOT_WRITABLE, b"".join(tlv(_SEQUENCE, name(oid) + _NO_SUCH) for oid in names)
    return None


def _exact(oid: Oid, view: View) -> bytes:
    place = bisect_left(view.keys, oid)
    if place < len(view.keys) and view.keys[place] == oid:
        return tlv(_SEQUENCE, view.variable(place))
    return tlv(_SEQUENCE, name(oid) + _NO_SUCH)


def _bulk(names: list[Oid], single: int, repetitions: int, view: View) -> bytes:
    """The next variable of the first ``single`` names, then up to ``repetitions`` of each other one, in turns."""
    out, size = [], 0
    for part in _following(names, single, repetitions, view):
        size += len(part)
        if size > MOST_BYTES:
            break
        out.append(part)
    return b"".join(out)


def _following(names: list[Oid], single: int, repetitions: int, view: View) -> Iterator[bytes]:
    for oid in names[:single]:
        yield _next(bisect_right(view.keys, oid), oid, view)
    rest = names[single:]
    starts = [bisect_right(view.keys, oid) for oid in rest]
    last = len(view.keys)
    for step in range(repetitions):
        for oid, start in zip(rest, starts, strict=True):
            yield _next(start + step, view.keys[-1] if start + step > last else oid, view)
        if all(start + step >= last for start in starts):
            return


def _next(place: int, oid: Oid, view: View) -> bytes:
    if place < len(view.keys):
        return tlv(_SEQUENCE, view.variable(place))
    return tlv(_SEQUENCE, name(oid) + _END)
