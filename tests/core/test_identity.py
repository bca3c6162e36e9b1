"""Evidence over frames: accept, not sure, nobody; and never on a single frame."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.codes import Reason
from kiosk.core.identity import (
    PATIENCE,
    Accept,
    Evidence,
    NotSure,
    Policy,
    Reject,
    Scores,
    decide,
)

POLICY = Policy(0.50, 0.45, 0.08, frames=5)


def seen(*frames, claimed=None, live=True):
    return Evidence(claimed, live, tuple(Scores(tuple(f)) for f in frames))


def test_one_to_one():
    near, far = [(7, 0.4)], [(7, 0.7)]
    assert decide(POLICY, seen(*[near] * 4, claimed=7)) is None, "too few frames"
    assert decide(POLICY, seen(*[near] * 5, claimed=7)) == Accept(7, 0.4)
    assert decide(POLICY, seen(*[near] * 5, claimed=7, live=False)) is None, "waits for liveness"
    assert decide(POLICY, seen(*[far] * 5, claimed=7)) is None, "poor first frames are forgiven"
    assert decide(POLICY, seen(*[far] * 15, claimed=7)) == Reject(Reason.FACE_MISMATCH)
    assert decide(POLICY, seen(*[far] * 10, *[near] * 5, claimed=7)) == Accept(7, 0.4)


def test_a_face_that_differs_is_turned_away_without_waiting_for_liveness():
    assert decide(POLICY, seen(*[[(7, 0.7)]] * 15, claimed=7, live=False)) == Reject(
        Reason.FACE_MISMATCH
    )


def test_one_to_many():
    clear, twins = [(1, 0.3), (2, 0.5)], [(1, 0.3), (2, 0.35)]
    assert decide(POLICY, seen(*[clear] * 5)) == Accept(1, 0.3)
    assert decide(POLICY, seen(*[twins] * 15)) == NotSure(0.3)
    assert decide(POLICY, seen(*[[(1, 0.6)]] * 15)) == Reject(Reason.FACE_UNKNOWN)
    assert decide(POLICY, seen(*[[]] * 15)) == Reject(Reason.FACE_UNKNOWN), "an empty roster"


def test_one_good_frame_among_bad_ones_is_luck():
    frames = [[(1, 0.2)], [(2, 0.6)], [(3, 0.6)], [(2, 0.6)], [(3, 0.6)]] * 3
    assert not isinstance(decide(POLICY, seen(*frames)), Accept)


distances = st.floats(0, 2, allow_nan=False)
frame = st.lists(st.tuples(st.integers(1, 4), distances), max_size=4, unique_by=lambda x: x[0])


@given(st.lists(frame, max_size=20), st.sampled_from([None, 1]), st.booleans())
def test_what_is_accepted_was_near_in_most_frames_and_live(frames, claimed, live):
    verdict = decide(POLICY, seen(*frames, claimed=claimed, live=live))
    if isinstance(verdict, Accept):
        assert live and len(frames) >= POLICY.frames
        limit = POLICY.identify_max_distance if claimed is None else POLICY.verify_max_distance
        near = [
            f
            for f in frames[-POLICY.frames :]
            if any(c == verdict.candidate_id and d <= limit for c, d in f)
        ]
        assert 2 * len(near) > POLICY.frames
    elif verdict is not None:
        assert len(frames) >= PATIENCE * POLICY.frames
