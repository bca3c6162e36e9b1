"""The worker's language: whatever is sent arrives, in any portions; rubbish ends it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.codes import Prompt
from kiosk.face import events, framing
from kiosk.face.framing import Decoder, FramingError

numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
fractions = st.floats(0, 1)
task_ids = st.integers(0, 2**53)
messages = st.one_of(
    st.just(framing.Watch()),
    st.builds(framing.Verify, task_ids, st.booleans()),
    st.builds(framing.Guard, task_ids),
    st.just(framing.Rest()),
    st.just(framing.Stop()),
    st.just(framing.Alive()),
    st.builds(
        events.Preview,
        st.binary(max_size=300),
        st.integers(1, 4000),
        st.integers(1, 4000),
        st.none() | st.tuples(fractions, fractions, fractions, fractions),
        st.sampled_from(Prompt),
        fractions,
        numbers,
    ),
    st.builds(events.Presence, st.booleans(), numbers),
    st.builds(
        events.Observation,
        task_ids,
        st.lists(numbers, min_size=128, max_size=128).map(tuple),
        fractions,
        numbers,
    ),
    st.builds(events.LivenessPassed, task_ids, st.text(max_size=40)),
    st.builds(events.LivenessFailed, task_ids, st.text(max_size=40)),
    st.builds(events.CameraFault, st.text(max_size=20), st.text(max_size=200)),
    st.builds(events.CameraOk, st.dictionaries(st.text(max_size=9), st.text(max_size=9))),
    st.builds(events.WorkerReady, st.integers(1, 2**31)),
    st.builds(events.WorkerDied, st.integers(-64, 255)),
)


@given(st.lists(messages, max_size=6), st.integers(1, 97))
def test_what_is_sent_arrives(sent: list[framing.Message], portion: int) -> None:
    stream = b"".join(map(framing.encode, sent))
    decoder = Decoder()
    arrived = [
        message
        for at in range(0, len(stream), portion)
        for message in decoder.feed(stream[at : at + portion])
    ]
    assert arrived == sent


@given(st.binary(max_size=200))
def test_rubbish_is_an_error_or_nothing(data: bytes) -> None:
    framed = struct.pack(">I", len(data)) + data
    try:
        got = Decoder().feed(framed)
    except FramingError:
        return
    assert (got == [] and not data) or all(framing.encode(message) for message in got)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        struct.pack(">I", 0),
        struct.pack(">IH", 2, 9),
        struct.pack(">IH", 4, 2) + b"{}",
        struct.pack(">IH", 17, 15) + b'{"kind":"Magic"}'[:15],
        struct.pack(">IH", 18, 16) + b'{"kind":"Verify"}'[:16],
    ],
)
def test_what_nobody_knows_is_an_error(data: bytes) -> None:
    with pytest.raises(FramingError):
        Decoder().feed(data)


def test_too_much_is_never_sent() -> None:
    huge = events.Preview(bytes(framing.MAX_MESSAGE), 1, 1, None, Prompt.NONE, 0.0, 0.0)
    with pytest.raises(FramingError):
        framing.encode(huge)


def test_text_forms_keep_personal_data_out() -> None:
    seen = events.Observation(1, tuple([0.123456] * 256), 0.5, 1.0, "dlib+sface-v1")
    shown = events.Preview(b"jpegjpeg", 4, 3, None, Prompt.NONE, 0.0, 0.0)
    assert "0.123456" not in repr(seen)
    assert "jpegjpeg" not in repr(shown)
