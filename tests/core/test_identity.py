"""Evidence over frames: accept, not sure, nobody; and never on a single frame."""

from math import inf
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.codes import Reason
from kiosk.core.identity import (
    NOBODY,
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
    near_enough_for_a_claim = [(1, 0.48), (2, 0.9)]
    assert decide(POLICY, seen(*[near_enough_for_a_claim] * 15)) == NotSure(0.48)
    assert decide(POLICY, seen(*[[]] * 15)) == Reject(Reason.FACE_UNKNOWN), "an empty roster"


def test_one_good_frame_among_bad_ones_is_luck():
    frames = [[(1, 0.2)], [(2, 0.6)], [(3, 0.6)], [(2, 0.6)], [(3, 0.6)]] * 3
    assert not isinstance(decide(POLICY, seen(*frames)), Accept)


def test_poor_looks_do_not_count_once_better_ones_have_come():
    poor, good = Scores(((7, 0.8),), quality=0.2), Scores(((7, 0.4),), quality=0.7)
    for seen_ in ([poor] * 12 + [good] * 5, [good] * 5 + [poor] * 12):
        assert decide(POLICY, Evidence(7, True, tuple(seen_))) == Accept(7, 0.4)
    assert decide(POLICY, Evidence(7, True, (poor,) * 15)) == Reject(Reason.FACE_MISMATCH)


def test_liveness_starts_the_evidence_anew():
    """The worker says it again when the face was lost: what was seen before was another's."""
    before = seen(*[[(7, 0.4)]] * 4, claimed=7).with_liveness()
    assert before.live and before.seen == ()


def test_a_claim_as_the_other_twin():
    """Roster: 1 and 2 are twins. Before the camera: 1."""
    clear, close = [(1, 0.25), (2, 0.40)], [(1, 0.30), (2, 0.33)]
    assert decide(POLICY, seen(*[clear] * 5, claimed=1)) == Accept(1, 0.25)
    assert decide(POLICY, seen(*[clear] * 15, claimed=2)) == NotSure(0.40)
    for claimed in (1, 2):
        assert isinstance(decide(POLICY, seen(*[close] * 5, claimed=claimed)), Accept)


def test_a_number_of_nobody_ends_like_a_face_that_differs_after_as_many_looks():
    near = [(1, 0.2), (2, 0.6)]
    for looks in (14, 15):
        of_nobody = decide(POLICY, seen(*[near] * looks, claimed=NOBODY))
        differs = decide(POLICY, seen(*[[(1, 0.2), (2, 0.6)]] * looks, claimed=2))
        assert of_nobody == differs


distances = st.floats(0, 2, allow_nan=False)
frame = st.lists(st.tuples(st.integers(1, 4), distances), max_size=4, unique_by=lambda x: x[0])
qualities = st.integers(0, 8).map(lambda n: n / 8)
looks = st.lists(st.builds(Scores, frame.map(tuple), qualities), max_size=20).map(tuple)
#: of four candidates all are seen in every look
whole_frame = st.lists(distances, min_size=4, max_size=4).map(lambda ds: tuple(enumerate(ds, 1)))
whole_looks = st.lists(st.builds(Scores, whole_frame, qualities), min_size=15, max_size=20)


def medians(evidence):
    """Written once more, the plain way: each candidate's median over the best looks."""
    best = sorted(enumerate(evidence.seen), key=lambda x: (x[1].quality, x[0]))[-POLICY.frames :]
    chosen = [dict(scores.nearest) for _, scores in best]
    return {c: median(look.get(c, inf) for look in chosen) for look in chosen for c in look}


@given(looks, st.sampled_from([None, 1, NOBODY]), st.booleans())
def test_what_is_accepted_was_near_in_most_of_the_best_looks_and_live(looks, claimed, live):
    evidence = Evidence(claimed, live, looks)
    verdict = decide(POLICY, evidence)
    if isinstance(verdict, Accept):
        assert live and len(looks) >= POLICY.frames
        limit = POLICY.identify_max_distance if claimed is None else POLICY.verify_max_distance
        assert claimed in (None, verdict.candidate_id)
        near = [
            scores
            for scores in evidence.best(POLICY.frames)
            if any(c == verdict.candidate_id and d <= limit for c, d in scores.nearest)
        ]
        assert 2 * len(near) > POLICY.frames
    elif verdict is not None:
        assert len(looks) >= PATIENCE * POLICY.frames


@given(whole_looks, st.integers(1, 4))
def test_a_claim_is_accepted_exactly_when_near_and_nobody_is_clearly_nearer(looks, claimed):
    evidence = Evidence(claimed, True, tuple(looks))
    of = medians(evidence)
    rival = min(d for c, d in of.items() if c != claimed)
    near = of[claimed] <= POLICY.verify_max_distance
    clear = rival < of[claimed] and of[claimed] - rival >= POLICY.identify_margin
    verdict = decide(POLICY, evidence)
    assert isinstance(verdict, Accept) == (near and not clear)
    assert isinstance(verdict, NotSure) == (near and clear)


@given(whole_looks, st.integers(1, 4))
def test_whom_one_to_many_takes_for_one_cannot_claim_to_be_another(looks, claimed):
    taken_for = decide(POLICY, Evidence(None, True, tuple(looks)))
    as_claimed = decide(POLICY, Evidence(claimed, True, tuple(looks)))
    if isinstance(taken_for, Accept) and taken_for.candidate_id != claimed:
        assert not isinstance(as_claimed, Accept)


@given(whole_looks, st.integers(1, 4), st.floats(0.5, 1))
def test_looking_more_like_the_claim_never_hurts(looks, claimed, factor):
    nearer = tuple(
        Scores(tuple((c, d * factor if c == claimed else d) for c, d in s.nearest), s.quality)
        for s in looks
    )
    if isinstance(decide(POLICY, Evidence(claimed, True, tuple(looks))), Accept):
        assert isinstance(decide(POLICY, Evidence(claimed, True, nearer)), Accept)


@given(whole_looks, st.sampled_from([None, 1, 2]), st.lists(whole_frame, max_size=10))
def test_poorer_looks_in_front_change_no_verdict(looks, claimed, poor):
    worse = tuple(Scores(frame, quality=-1.0) for frame in poor)
    verdict = decide(POLICY, Evidence(claimed, True, tuple(looks)))
    assert decide(POLICY, Evidence(claimed, True, (*worse, *looks))) == verdict
