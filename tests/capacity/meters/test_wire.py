"""The agents' side of SNMP, asked by another implementation of the protocol."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from govhub.lab.meters import wire
from govhub.lab.meters.tables import (
    ENTITY_NAME,
    IF_IN,
    IF_OUT,
    SENSOR_TYPE,
    SENSOR_VALUE,
    SYS_NAME,
    Table,
    ports_layout,
    sensors_layout,
)

COMMUNITY = b"between us"


def table() -> Table:
    """Two feeds of 150 and 70,000 W."""
    watts = (150, 70_000)
    moving = {column: lambda place: wire.integer(watts[place]) for column in (SENSOR_VALUE, (*SENSOR_TYPE[:-1], 2))}
    layout = sensors_layout(("01/a", "01/b"), ((), ()))
    return Table(layout, moving | {SYS_NAME: lambda _: wire.octets("site/hall/row")})


def request(kind: Any, *names: wire.Oid, community: bytes = COMMUNITY, single: int = 0, most: int = 0) -> bytes:
    message, pdu = v2c.Message(), kind()
    api = v2c.apiBulkPDU if kind is v2c.GetBulkRequestPDU else v2c.apiPDU
    api.set_defaults(pdu)
    if kind is v2c.GetBulkRequestPDU:
        api.set_non_repeaters(pdu, single)
        api.set_max_repetitions(pdu, most)
    api.set_varbinds(pdu, [(name, v2c.null) for name in names])
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def asked(data: bytes) -> tuple[int, list[tuple[wire.Oid, Any]]]:
    """Error status and variables of the answer."""
    out = wire.answer(data, COMMUNITY, table())
    assert out is not None
    message, rest = decoder.decode(out, asn1Spec=v2c.Message())
    assert not rest
    pdu = v2c.apiMessage.get_pdu(message)
    assert isinstance(pdu, v2c.GetResponsePDU)
    assert int(pdu[0]) == int(v2c.apiMessage.get_pdu(decoder.decode(data, asn1Spec=v2c.Message())[0])[0])
    return int(pdu[1]), [(tuple(name), value) for name, value in v2c.apiPDU.get_varbinds(pdu)]


def test_a_walk_gets_every_variable_once_and_in_order() -> None:
    found: list[wire.Oid] = []
    at: wire.Oid = (1, 3)
    while True:
        _, variables = asked(request(v2c.GetBulkRequestPDU, at, most=5))
        more = [name for name, value in variables if value.tagSet != v2c.EndOfMibView().tagSet]
        found += more
        if len(more) < len(variables):
            break
        at = more[-1]
    assert found == list(table().keys)
    assert found == sorted(set(found))


def test_values_have_the_types_of_their_mibs() -> None:
    _, variables = asked(request(v2c.GetRequestPDU, (*ENTITY_NAME, 20), (*SENSOR_VALUE, 20), (*SYS_NAME, 0)))

    assert [str(variables[0][1]), int(variables[1][1]), str(variables[2][1])] == ["01/b", 70_000, "site/hall/row"]


def test_what_is_not_there_is_told_so() -> None:
    status, variables = asked(request(v2c.GetRequestPDU, (*SENSOR_VALUE, 99)))

    assert status == 0
    assert variables[0][1].tagSet == v2c.NoSuchInstance().tagSet


def test_get_next_and_the_single_names_of_bulk() -> None:
    _, one = asked(request(v2c.GetNextRequestPDU, (*SENSOR_VALUE, 10)))
    assert one[0][0] == (*SENSOR_VALUE, 20)
    _, both = asked(request(v2c.GetBulkRequestPDU, (*SYS_NAME,), SENSOR_VALUE, single=1, most=2))
    assert [name for name, _ in both] == [(*SYS_NAME, 0), (*SENSOR_VALUE, 10), (*SENSOR_VALUE, 20)]


def test_nothing_is_written() -> None:
    status, _ = asked(request(v2c.SetRequestPDU, (*SENSOR_VALUE, 10)))

    assert status == 17


def test_another_community_gets_no_answer() -> None:
    assert wire.answer(request(v2c.GetRequestPDU, SYS_NAME, community=b"public"), COMMUNITY, table()) is None


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_no_datagram_ends_an_agent(data: bytes) -> None:
    assert wire.answer(data, COMMUNITY, table()) is None


@given(st.data())
@settings(max_examples=300)
def test_no_broken_request_ends_an_agent(data: st.DataObject) -> None:
    good = bytearray(request(v2c.GetBulkRequestPDU, SENSOR_VALUE, most=4))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    out = wire.answer(bytes(good), COMMUNITY, table())
    assert out is None or len(out) < 65_000


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, -1, -128, -129, 2**31 - 1, -(2**31)])
def test_integers_are_written_as_the_library_does(value: int) -> None:
    assert wire.integer(value) == encoder.encode(v2c.Integer32(value))


@pytest.mark.parametrize("value", [0, 127, 128, 2**32 - 1])
def test_gauges_and_counters_are_written_as_the_library_does(value: int) -> None:
    assert wire.gauge(value) == encoder.encode(v2c.Gauge32(value))
    assert wire.counter64(value * 2**31) == encoder.encode(v2c.Counter64(value * 2**31))


def test_a_large_answer_stays_within_a_datagram() -> None:
    layout = ports_layout(tuple("x" * 900 for _ in range(200)), (1,) * 200)
    moving = dict.fromkeys((IF_IN, IF_OUT), lambda _: wire.counter64(7)) | {SYS_NAME: lambda _: wire.octets("spine")}
    out = wire.answer(request(v2c.GetBulkRequestPDU, (1, 3), most=10_000), COMMUNITY, Table(layout, moving))
    assert out is not None
    assert 40_000 < len(out) < 65_507


def test_equal_rows_share_their_layout() -> None:
    assert table().layout is table().layout
