"""The draw: recomputable, uniform, and dependent on every one of its inputs."""

import hashlib
import hmac
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.draw import commitment, draw_terminal, names_hash, uniform
from kiosk.core.hall import sort_names

SEED = bytes(range(32))
SIGNATURE = hashlib.sha256(b"strokes").hexdigest()
FORTY = [f"{n:03d}" for n in range(1, 41)]


def draw(**change):
    arguments = {
        "seed": SEED,
        "session_id": "S1",
        "draw_no": 1,
        "pseudonym": "a" * 32,
        "signature_sha256": SIGNATURE,
        "free": FORTY,
        "pool": FORTY,
    }
    if "pool" in change:
        change.setdefault("free", change["pool"])
    return draw_terminal(**(arguments | change))


def test_a_verifier_written_from_the_description_agrees():
    free, pool = FORTY, FORTY[5:30]
    hashes = [hashlib.sha256("".join(n + "\n" for n in names).encode()) for names in (free, pool)]
    lines = ["examgate/draw/v2", "S1", "1", "a" * 32, SIGNATURE]
    message = "\n".join([*lines, *(h.hexdigest() for h in hashes), "0"])
    value = int.from_bytes(hmac.new(SEED, message.encode(), hashlib.sha256).digest(), "big")
    result = draw(free=free, pool=pool)
    assert result.rounds == 1
    assert result.index == value % 25
    assert result.terminal == pool[result.index]
    assert result.free_hash == hashes[0].hexdigest() == names_hash(reversed(free))
    assert result.pool_hash == hashes[1].hexdigest()


def test_each_input_matters():
    many = [str(n) for n in range(100_000)]
    results = {
        draw(**({"pool": many} | change)).index
        for change in (
            {},
            {"seed": bytes(32)},
            {"session_id": "S2"},
            {"draw_no": 2},
            {"pseudonym": "b" * 32},
            {"signature_sha256": hashlib.sha256(b"other").hexdigest()},
            {"free": [*many, "one more"]},
        )
    }
    assert len(results) == 7


def test_twenty_thousand_draws_are_uniform():
    count, draws = 37, 20_000
    pool = [str(n) for n in range(count)]
    seen = Counter(draw(draw_no=n, pool=pool).index for n in range(draws))
    expected = draws / count
    chi2 = sum((seen[i] - expected) ** 2 / expected for i in range(count))
    # 36 degrees of freedom: mean 36, sd sqrt(72); the inputs are fixed, so this cannot flake
    assert abs(chi2 - 36) < 4 * math.sqrt(72)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)


@given(
    st.lists(names, min_size=1, max_size=120, unique=True),
    st.integers(1, 120),
    st.integers(1, 10_000),
    st.binary(min_size=32, max_size=32),
    st.randoms(),
)
def test_one_of_the_pool_whatever_the_order(free, size, number, seed, random):
    pool = free[:size]
    result = draw(seed=seed, draw_no=number, free=free, pool=pool)
    assert sort_names(pool)[result.index] == result.terminal
    random.shuffle(free)
    random.shuffle(pool)
    assert result == draw(seed=seed, draw_no=number, free=free, pool=pool)


@given(st.integers(1, 2000), st.lists(st.binary(min_size=32, max_size=32), min_size=1))
def test_a_block_is_thrown_away_only_at_or_above_the_largest_multiple(size, blocks):
    limit = 2**256 // size * size
    usable = [n for b in blocks if (n := int.from_bytes(b, "big")) < limit]
    if usable:
        index, rounds = uniform(blocks, size)
        assert index == usable[0] % size
        assert int.from_bytes(blocks[rounds - 1], "big") == usable[0]
    else:
        with pytest.raises(ValueError, match="run out"):
            uniform(blocks, size)


def test_the_edge_of_rejection():
    limit = 2**256 // 3 * 3
    blocks = [n.to_bytes(32, "big") for n in (limit, limit - 1)]
    assert uniform(blocks, 3) == (2, 2)


@pytest.mark.parametrize(
    ("free", "pool"), [(["1"], []), (["1", "1"], ["1"]), (["1"], ["1", "1"]), (["1"], ["2"])]
)
def test_bad_lists_are_refused(free, pool):
    with pytest.raises(ValueError, match="terminal"):
        draw(free=free, pool=pool)


def test_commitment_hides_and_binds():
    hall = "0" * 64
    published = {
        commitment(SEED, "s1", hall),
        commitment(SEED, "s2", hall),
        commitment(bytes(32), "s1", hall),
        commitment(SEED, "s1", "1" * 64),
    }
    assert len(published) == 4
    with pytest.raises(ValueError, match="32"):
        commitment(b"short", "s1", hall)
