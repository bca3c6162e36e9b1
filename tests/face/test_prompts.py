"""Prompts can be read: they do not flicker, and they do go when all is good."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.codes import Prompt
from kiosk.face.prompts import HoldTimes, PromptHold

FAULTS = (
    Prompt.LOOK_HERE, Prompt.COME_CLOSER, Prompt.TOO_DARK, Prompt.TAKE_OFF_MASK,
    Prompt.HOLD_STILL, Prompt.BLURRED, Prompt.OPEN_EYES,
)  # fmt: skip
TIMES = HoldTimes()
FRAME_S = 1 / 15

frames = st.lists(
    st.tuples(st.sampled_from((Prompt.NONE, *FAULTS)), st.floats(0.01, 0.2)), max_size=120
)


def played(stream: list[tuple[Prompt, float]]) -> list[tuple[float, Prompt, Prompt]]:
    """Time, what the frame said, what was shown."""
    hold, at_s, out = PromptHold(), 100.0, []
    for prompt, gap in stream:
        at_s += gap
        out.append((at_s, prompt, hold.update(prompt, at_s)))
    return out


@given(frames)
def test_a_prompt_stays_long_enough_to_be_read(stream: list[tuple[Prompt, float]]) -> None:
    shown, since, good = Prompt.NONE, 0.0, 0
    for at_s, prompt, now in played(stream):
        good = good + 1 if prompt is Prompt.NONE else 0
        if now is not shown:
            if shown is not Prompt.NONE:
                assert good >= TIMES.good_frames or at_s - since >= TIMES.stay_s
            shown, since = now, at_s


@given(frames)
def test_only_a_fault_that_lasted_is_told(stream: list[tuple[Prompt, float]]) -> None:
    """Nothing comes out of nothing: what begins is this frame's fault, and not its first."""
    before, ran_from, last = Prompt.NONE, 0.0, Prompt.NONE
    for at_s, prompt, now in played(stream):
        if prompt is not last:
            last, ran_from = prompt, at_s
        if now is not before and now is not Prompt.NONE:
            assert now is prompt
            if before is Prompt.NONE:
                assert at_s - ran_from >= TIMES.slow_s.get(now, TIMES.begin_s)
        before = now


@given(frames)
def test_three_good_frames_end_everything(stream: list[tuple[Prompt, float]]) -> None:
    good = 0
    for _, prompt, now in played(stream):
        good = good + 1 if prompt is Prompt.NONE else 0
        if good >= TIMES.good_frames:
            assert now is Prompt.NONE


@given(st.lists(st.sampled_from(FAULTS), min_size=1, max_size=60))
def test_a_wrong_prompt_does_not_stay(stream: list[Prompt]) -> None:
    """A fault that has gone is not told for ever because others take turns."""
    out = played([(prompt, FRAME_S) for prompt in stream])
    for index, (at_s, _, now) in enumerate(out):
        if now is Prompt.NONE:
            continue
        recent = [was for then, was, _ in out[: index + 1] if at_s - then <= 2 * TIMES.stay_s]
        assert now in recent


def test_a_blink_and_a_missed_frame_are_not_told() -> None:
    hold = PromptHold()
    at_s = 0.0
    for prompt in [Prompt.NONE, *[Prompt.OPEN_EYES] * 4, Prompt.NONE, Prompt.LOOK_HERE] * 5:
        at_s += FRAME_S
        assert hold.update(prompt, at_s) is Prompt.NONE


def test_what_lasts_is_told_and_then_something_else() -> None:
    hold = PromptHold()
    shown = [hold.update(Prompt.COME_CLOSER, n * FRAME_S) for n in range(15)]
    assert shown[0] is Prompt.NONE and shown[2:] == [Prompt.COME_CLOSER] * 13
    shown = [hold.update(Prompt.TOO_DARK, (15 + n) * FRAME_S) for n in range(15)]
    assert shown[0] is Prompt.COME_CLOSER and shown[-1] is Prompt.TOO_DARK
    hold.show(Prompt.NONE, 3.0)
    assert hold.update(Prompt.TOO_DARK, 3.0) is Prompt.NONE


def test_what_is_shown_at_once_stays_too() -> None:
    hold = PromptHold(Prompt.LOOK_HERE)
    assert hold.update(Prompt.LOOK_HERE, 0.0) is Prompt.LOOK_HERE
    assert hold.show(Prompt.FACE_FORWARD, 1.0) is Prompt.FACE_FORWARD
    shown = [hold.update(Prompt.CENTRE, 1.0 + n * 0.1) for n in range(1, 10)]
    assert shown[:6] == [Prompt.FACE_FORWARD] * 6 and shown[-1] is Prompt.CENTRE
