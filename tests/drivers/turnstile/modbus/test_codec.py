"""The board's bytes: known frames, round trips, garbage, and the real library's opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client import ModbusSerialClient
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from drivers.turnstile.modbus import codec
from drivers.turnstile.modbus.codec import Request, RequestParser, crc16

byte = st.integers(0, 255)
word = st.integers(0, 0xFFFF)
short = st.builds(Request, byte, st.sampled_from(sorted(codec.SHORT_FUNCTIONS)), word, word)
many = st.builds(
    Request, byte, st.just(codec.WRITE_COILS), word, word, st.binary(min_size=1, max_size=32)
)
requests = st.one_of(short, many)


@pytest.mark.parametrize(
    ("request_", "frame"),
    [
        (Request(1, codec.WRITE_COIL, 0, codec.COIL_ON), "01 05 00 00 ff 00 8c 3a"),
        (Request(1, codec.WRITE_COIL, 0, codec.COIL_OFF), "01 05 00 00 00 00 cd ca"),
        (Request(1, codec.READ_INPUTS, 0, 8), "01 02 00 00 00 08 79 cc"),
        (Request(1, codec.WRITE_COIL, 0x0200, 7), "01 05 02 00 00 07 8d b0"),
    ],
    ids=["on", "off", "inputs", "flash for 0.7 s"],
)
def test_frames_of_board_manuals(request_, frame):
    assert request_.to_bytes() == bytes.fromhex(frame)


@given(st.binary(max_size=300))
def test_the_library_computes_the_same_checksum(data):
    assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


@given(st.lists(requests, min_size=1, max_size=4), st.integers(1, 50))
def test_requests_come_through_in_any_pieces(sent, step):
    line = b"".join(r.to_bytes() for r in sent)
    parser = RequestParser()
    got = [r for at in range(0, len(line), step) for r in parser.feed(line[at : at + step])]
    assert got == sent
    assert parser.pending == 0


@given(requests, st.integers(0, 500))
def test_one_damaged_bit_is_never_a_request(request_, bit):
    frame = bytearray(request_.to_bytes())
    bit %= 8 * len(frame)
    frame[bit // 8] ^= 1 << bit % 8
    assert request_ not in RequestParser().feed(bytes(frame))


@given(st.binary(max_size=300), requests)
def test_after_garbage_and_silence_the_next_request_is_heard(garbage, request_):
    parser = RequestParser()
    parser.feed(garbage)
    assert parser.pending < 300
    parser.silence()
    assert parser.feed(request_.to_bytes()) == [request_]


@given(st.binary(max_size=2000))
def test_keeps_little(garbage):
    parser = RequestParser()
    for at in range(0, len(garbage), 7):
        parser.feed(garbage[at : at + 7])
        assert parser.pending <= 256


@given(st.lists(st.booleans(), min_size=1, max_size=64))
def test_bits_round_trip(bits):
    assert codec.unpack_bits(codec.pack_bits(bits), len(bits)) == bits
    with pytest.raises(ValueError, match="bits in"):
        codec.unpack_bits(codec.pack_bits(bits), 65)


@given(st.lists(st.booleans(), min_size=1, max_size=16))
def test_the_library_reads_our_answers(bits):
    framer = FramerRTU(DecodePDU(False))
    request = Request(1, codec.READ_INPUTS, 0, len(bits))
    _, pdu = framer.handleFrame(codec.bits_answer(request, bits), 1, 0)
    assert pdu is not None and list(pdu.bits[: len(bits)]) == bits


def test_the_library_talks_to_the_board(twin):
    """pymodbus as it comes, no code of ours on the host's side."""
    client = ModbusSerialClient(twin.port, baudrate=115200, timeout=1, retries=0)
    assert client.connect()
    try:
        assert client.write_coil(5, True, device_id=1).bits == [True]
        assert client.read_coils(0, count=8, device_id=1).bits[5] is True
        assert not client.write_coils(2, [True, False, True], device_id=1).isError()
        assert client.read_coils(0, count=8, device_id=1).bits == [
            False, False, True, False, True, True, False, False,
        ]  # fmt: skip
        twin.set_fire(True)
        assert client.read_discrete_inputs(3, count=1, device_id=1).bits[0] is True
        assert client.write_coil(8, True, device_id=1).exception_code == codec.ILLEGAL_ADDRESS
        assert client.read_discrete_inputs(7, count=2, device_id=1).isError()
        assert client.read_holding_registers(0, device_id=1).exception_code == 1
    finally:
        client.close()
