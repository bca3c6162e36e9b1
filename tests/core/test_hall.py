"""The rules of the hall, each as a property over arbitrary halls."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiosk.core.codes import Reason
from kiosk.core.hall import Facts, Terminal, hall_json, hall_sha256, is_name, neighbours, pool_of

CLASSES = ("C1", "C2", "D")
SCHOOLS = ("a", "b")


@st.composite
def halls(draw: st.DrawFn) -> tuple[list[Terminal], dict[str, str | None]]:
    """Some terminals, with or without places, and who holds which."""
    count = draw(st.integers(1, 14))
    width = draw(st.integers(1, 5))
    placed = draw(st.booleans())
    terminals = [
        Terminal(
            name=f"{n:02d}",
            position=n,
            row=n // width + 1 if placed else None,
            column=n % width + 1 if placed else None,
            in_service=draw(st.integers(0, 4)) > 0,
            reserved=draw(st.integers(0, 5)) == 0,
            accessible=draw(st.integers(0, 3)) == 0,
            classes=tuple(sorted(draw(st.sets(st.sampled_from(CLASSES), max_size=2)))),
        )
        for n in range(count)
    ]
    held = draw(
        st.dictionaries(
            st.sampled_from([t.name for t in terminals]),
            st.none() | st.sampled_from(SCHOOLS),
            max_size=count,
        )
    )
    return terminals, held


people = st.builds(
    Facts, st.sampled_from(CLASSES), st.booleans(), st.none() | st.sampled_from(SCHOOLS)
)


@given(halls(), people, st.integers(1, 14), st.booleans(), st.randoms())
def test_every_rule(hall, facts, capacity, spacing, random):
    terminals, held = hall
    rules = {"capacity": capacity, "spacing": spacing}
    pool = pool_of(terminals, held, facts, **rules)
    by_name = {t.name: t for t in terminals}
    free = {t.name for t in terminals if t.in_service and not t.reserved and t.name not in held}

    # the same whatever order the terminals come in
    random.shuffle(terminals)
    assert pool_of(terminals, held, facts, **rules) == pool

    assert set(pool.free) == free
    assert list(pool.free) == sorted(pool.free)
    assert list(pool.names) == sorted(set(pool.names))
    assert set(pool.names) <= free
    assert (pool.refusal is None) == bool(pool.names)

    fits = [by_name[n] for n in free if by_name[n].serves(facts.licence_class)]
    if not free or len(held) >= capacity:
        assert pool.refusal is Reason.HALL_FULL
    elif not fits:
        assert pool.refusal is Reason.NO_TERMINAL_FOR_CLASS
    elif facts.accessible and not any(t.accessible for t in fits):
        assert pool.refusal is Reason.NO_ACCESSIBLE_TERMINAL
    else:
        assert pool.refusal is None
        drawn_from = [by_name[n] for n in pool.names]
        assert all(t.serves(facts.licence_class) for t in drawn_from)
        if facts.accessible:
            assert all(t.accessible for t in drawn_from)
        elif any(not t.accessible for t in fits):
            assert not any(t.accessible for t in drawn_from), "given away while others are free"
        else:
            assert all(t.accessible for t in drawn_from)


@given(halls(), people)
def test_spacing_takes_away_only_neighbours_and_gives_way_only_for_nothing(hall, facts):
    terminals, held = hall
    without = pool_of(terminals, held, facts, capacity=99, spacing=False)
    assume(without.refusal is None)
    with_it = pool_of(terminals, held, facts, capacity=99, spacing=True)
    assert not without.spacing_gave_way
    by_name = {t.name: t for t in terminals}

    def has_mate(name: str) -> bool:
        return facts.school is not None and any(
            school == facts.school and neighbours(by_name[name], by_name[other])
            for other, school in held.items()
        )

    apart = [n for n in without.names if not has_mate(n)]
    if apart:
        assert list(with_it.names) == apart
        assert not with_it.spacing_gave_way
    else:
        assert with_it.names == without.names
        assert with_it.spacing_gave_way


@given(halls())
def test_nobody_is_their_own_neighbour_and_it_goes_both_ways(hall):
    terminals, _ = hall
    for a in terminals:
        assert not neighbours(a, a)
        for b in terminals:
            assert neighbours(a, b) == neighbours(b, a)


def test_neighbours():
    a = Terminal("a", 0, 1, 1)
    assert neighbours(a, Terminal("b", 9, 1, 2))
    assert not neighbours(a, Terminal("b", 1, 2, 1)), "behind, not beside"
    assert not neighbours(a, Terminal("b", 1, 1, 3))
    assert not neighbours(a, Terminal("b", 1)), "nobody knows where b stands"
    assert neighbours(Terminal("a", 4), Terminal("b", 5))


@given(halls(), st.randoms())
def test_the_committed_json_binds_everything_but_the_order(hall, random):
    terminals, _ = hall
    text = hall_json(terminals, capacity=3, spacing=True)
    whole = json.loads(text)
    assert set(whole) == {"capacity", "rules", "terminals"}
    assert [t["position"] for t in whole["terminals"]] == list(range(len(terminals)))
    shuffled = list(terminals)
    random.shuffle(shuffled)
    known = hall_sha256(terminals, capacity=3, spacing=True)
    assert hall_sha256(shuffled, capacity=3, spacing=True) == known
    last = terminals[-1]
    for change in (
        {"in_service": not last.in_service},
        {"reserved": not last.reserved},
        {"accessible": not last.accessible},
        {"classes": ("X",)},
        {"row": 99, "column": 99},
        {"name": "other"},
    ):
        bent = [*terminals[:-1], replace(last, **change)]
        assert hall_sha256(bent, capacity=3, spacing=True) != known
    assert hall_sha256(terminals, capacity=4, spacing=True) != known
    assert hall_sha256(terminals, capacity=3, spacing=False) != known


@pytest.mark.parametrize(
    "name", ["", " 1", "1 ", "a\nb", "\x00", "x" * 65, 'a"b', "a\\b", "\ud800"]
)
def test_what_is_no_name(name):
    assert not is_name(name)


@pytest.mark.parametrize("name", ["1", "001", "考台 1", "A-7", "é", "x" * 64])
def test_what_is_a_name(name):
    assert is_name(name)
    assert json.dumps(name, ensure_ascii=False) == f'"{name}"', "it never needs an escape"
