"""What can be read of a frame without its keys, whatever comes before, between and after."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.turnstile.osdp import codec
from drivers.turnstile.osdp.codec import Frame, FrameReader, parse, sealed


def test_the_sums_are_those_of_the_standard():
    assert codec.crc16(b"123456789") == 0xE5CC  # CRC-16/AUG-CCITT (start 0x1D0F)
    # a poll in the clear: 8-bit sum, and CRC
    assert sealed(bytes.fromhex("5300070000 60")) == bytes.fromhex("53000700006046")
    poll = sealed(bytes.fromhex("5305080006 60"))
    assert parse(poll) == Frame(5, False, 2, False, 0x60)


def test_a_command_in_the_secure_channel_as_libosdp_sends_it():
    # an output command to address 101, sequence 3, encrypted data, MAC, CRC
    sent = "53651e000f021768e392c329f93c9d043c6f0e076983283c0e79af2fc7ee"
    assert parse(bytes.fromhex(sent)) == Frame(101, False, 3, True, codec.OUT)


def frame(address, reply, sequence, secure, code, data, crc):
    control = sequence | (0x04 if crc else 0) | (0x08 if secure else 0)
    body = (b"\x02\x17" if secure else b"") + bytes((code,)) + data
    length = 5 + len(body) + (2 if crc else 1)
    head = bytes((codec.SOM, address | (codec.REPLY if reply else 0)))
    return sealed(head + length.to_bytes(2, "little") + bytes((control,)) + body)


frames = st.builds(
    lambda *a: (frame(*a), Frame(*a[:5])),
    st.integers(0, 126), st.booleans(), st.integers(0, 3), st.booleans(), st.integers(0, 255),
    st.binary(max_size=40), st.booleans(),
)  # fmt: skip


@given(st.lists(st.tuples(st.binary(max_size=8).filter(lambda b: codec.SOM not in b), frames)),
       st.integers(1, 9))  # fmt: skip
def test_every_frame_is_found_between_garbage(parts, step):
    stream = b"".join(noise + sent for noise, (sent, _) in parts)
    reader = FrameReader()
    found = []
    for at in range(0, len(stream), step):
        found += reader.feed(stream[at : at + step])
    assert found == [meant for _, (_, meant) in parts]


@given(st.binary(max_size=4000))
def test_garbage_is_bounded(data):
    reader = FrameReader()
    for at in range(0, len(data), 50):
        reader.feed(data[at : at + 50])
    assert reader.pending <= 1440 + 50


@given(frames, st.data())
def test_one_wrong_bit_is_seen(made, data):
    sent, _ = made
    if not sent[4] & 0x04:
        return  # an 8-bit sum promises less
    bit = data.draw(st.integers(0, 8 * len(sent) - 1))
    bad = bytearray(sent)
    bad[bit // 8] ^= 1 << bit % 8
    if bit // 8 == 4 and bit % 8 == 2:
        return  # the bit that says which sum it is
    assert parse(bytes(bad)) is None
