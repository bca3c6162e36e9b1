"""The packet codec: round trips, damage, garbage, any chunking. No port, no clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.fingerprint.zfm.codec import (
    MAX_PAYLOAD,
    START,
    Command,
    Damaged,
    Packet,
    PacketType,
    Parser,
    wire_bytes,
    wire_seconds,
)

packets = st.builds(
    Packet,
    st.sampled_from(PacketType),
    st.binary(min_size=1, max_size=MAX_PAYLOAD),
    st.integers(0, 0xFFFFFFFF),
)
LONGEST = wire_bytes(MAX_PAYLOAD)


def test_the_manuals_example() -> None:
    """Collecting an image, as the makers' manual prints it."""
    wire = Packet(PacketType.COMMAND, bytes([Command.READ_IMAGE])).to_bytes()
    assert wire == bytes.fromhex("EF01 FFFFFFFF 01 0003 01 0005")


@given(st.lists(packets, max_size=5), st.data())
def test_round_trip_in_any_chunks(sent: list[Packet], data: st.DataObject) -> None:
    wire = b"".join(p.to_bytes() for p in sent)
    parser, got, at = Parser(), [], 0
    while at < len(wire):
        size = data.draw(st.integers(1, len(wire) - at))
        got += parser.feed(wire[at : at + size])
        at += size
    assert got == sent
    assert parser.pending == 0


@given(st.binary(max_size=600), packets)
def test_resyncs_after_garbage(garbage: bytes, packet: Packet) -> None:
    """Whatever came before, a packet is found at the latest after one more packet's length."""
    parser = Parser()
    parser.feed(garbage)
    assert parser.pending < LONGEST
    filler = bytes(LONGEST)  # zeros finish anything that garbage began
    parser.feed(filler)
    assert packet in parser.feed(packet.to_bytes())


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_buffer_is_bounded(chunks: list[bytes]) -> None:
    parser = Parser()
    for chunk in chunks:
        parser.feed(chunk)
        assert parser.pending < LONGEST


@given(packets, st.data())
def test_one_changed_byte_is_never_accepted(packet: Packet, data: st.DataObject) -> None:
    wire = bytearray(packet.to_bytes())
    at = data.draw(st.integers(6, len(wire) - 1))  # the checksum covers type, length, payload
    wire[at] ^= data.draw(st.integers(1, 255))
    assert packet not in Parser().feed(bytes(wire))
    for other in Parser().feed(bytes(wire)):
        assert isinstance(other, Damaged) or START in packet.payload or at in (7, 8)


def test_damage_is_reported_and_the_next_packet_found() -> None:
    good = Packet(PacketType.ACK, b"\x00")
    bad = bytearray(good.to_bytes())
    bad[9] ^= 1
    assert Parser().feed(bytes(bad) + good.to_bytes()) == [Damaged(PacketType.ACK), good]


def test_a_lost_byte_costs_one_packet() -> None:
    good = Packet(PacketType.DATA, bytes(range(32)))
    wire = good.to_bytes()
    assert Parser().feed(wire[:20] + wire[21:] + wire)[-1] == good


@pytest.mark.parametrize("size", [0, MAX_PAYLOAD + 1])
def test_payload_has_bounds(size: int) -> None:
    with pytest.raises(ValueError):
        Packet(PacketType.DATA, bytes(size))


def test_a_payload_never_shows() -> None:
    assert repr(Packet(PacketType.DATA, b"secret")) == "Packet(DATA, 6 bytes)"


def test_wire_time_of_a_template() -> None:
    """512 bytes in packets of 128 at 57600 baud: 97 ms."""
    assert wire_seconds(4 * wire_bytes(128), 57600) == pytest.approx(0.0965, abs=1e-3)
