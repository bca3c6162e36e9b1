"""The four bytes of a USB relay, as the makers print them, through noise, and its answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.turnstile.usb_relay.codec import HostParser, Switch, parse_states, states_answer

switches = st.builds(Switch, st.integers(1, 8), st.booleans())


@pytest.mark.parametrize(
    ("switch", "frame"),
    [
        (Switch(1, True), "a0 01 01 a2"),
        (Switch(1, False), "a0 01 00 a1"),
        (Switch(2, True), "a0 02 01 a3"),
        (Switch(8, True), "a0 08 01 a9"),
        (Switch(8, False), "a0 08 00 a8"),
    ],
)
def test_frames_of_the_makers(switch, frame):
    assert switch.to_bytes().hex(" ") == frame


@given(st.lists(st.one_of(switches, st.none()), max_size=6), st.integers(1, 9))
def test_in_any_pieces(asked, step):
    line = b"".join(s.to_bytes() if s else b"\xff" for s in asked)
    parser = HostParser()
    got = [s for at in range(0, len(line), step) for s in parser.feed(line[at : at + step])]
    assert got == asked and parser.pending == 0


@given(switches, st.integers(0, 31))
def test_one_damaged_bit_switches_nothing(switch, bit):
    frame = bytearray(switch.to_bytes())
    frame[bit // 8] ^= 1 << bit % 8
    assert not any(HostParser().feed(bytes(frame)))  # a status query at most


@given(st.binary(max_size=400))
def test_keeps_little(noise):
    parser = HostParser()
    parser.feed(noise)
    assert parser.pending < 4


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.booleans())
def test_both_forms_of_an_answer(states, text):
    assert parse_states(states_answer(states, text)) == states


@pytest.mark.parametrize(
    "answer", [b"", b"\x02", b"CH1: ON", b"CH2: ON\r\n", b"CH1: MAYBE\r\n", bytes(9), b"\x01C"]
)
def test_what_is_no_answer(answer):
    assert parse_states(answer) is None


@given(st.binary(max_size=40))
def test_never_breaks(answer):
    states = parse_states(answer)
    assert states is None or all(isinstance(s, bool) for s in states)
