"""Suspicion: only another identity, the same day and encoder; the same both ways; never cleared."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.sameface import Seen, suspicion

LIMIT = 0.4
DAYS, ENCODERS = ("2026-11-23", "2026-11-24"), ("one", "two")
faces = st.builds(
    Seen,
    st.integers(1, 99),
    st.sampled_from("ABCD"),
    st.sampled_from(DAYS),
    st.sampled_from(ENCODERS),
    st.booleans(),
)
distances = st.one_of(st.floats(0, 2), st.just(LIMIT), st.just(float("nan")))
pairs = st.sets(st.sampled_from([frozenset(p) for p in ("AB", "AC", "AD", "BC", "BD", "CD")]))


@given(faces, st.lists(st.tuples(faces, distances), max_size=12), pairs)
def test_it_is_the_nearest_comparable_face_of_another_identity(now, earlier, cleared):
    fits = [
        (distance, seen)
        for seen, distance in earlier
        if seen.identity != now.identity
        and (seen.day, seen.encoder) == (now.day, now.encoder)
        and distance <= LIMIT
        and {seen.identity, now.identity} not in cleared
    ]
    found = suspicion(now, earlier, LIMIT, cleared)
    if not fits:
        assert found is None
        return
    assert found is not None
    assert found.distance == min(distance for distance, _ in fits)
    assert (found.distance, found.seen) in fits
    assert found.more == len({seen.identity for _, seen in fits}) - 1


@given(faces, faces, distances, pairs)
def test_two_faces_are_suspicious_whoever_came_first(a, b, distance, cleared):
    one = suspicion(a, [(b, distance)], LIMIT, cleared)
    other = suspicion(b, [(a, distance)], LIMIT, cleared)
    assert (one is None) == (other is None)


@given(faces, st.lists(distances, max_size=5))
def test_who_comes_again_as_themselves_is_nobody_else(now, again):
    earlier = [(Seen(n, now.identity, now.day, now.encoder, True), d) for n, d in enumerate(again)]
    assert suspicion(now, earlier, LIMIT, ()) is None


def test_no_identity_number_in_a_repr():
    seen = Seen(1, "37060219610804301X", DAYS[0], "one", True)
    assert "3706" not in repr(suspicion(seen, [(seen, 0.1)], LIMIT, ())) + repr(seen)
