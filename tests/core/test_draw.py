"""The draw: recomputable, uniform, and dependent on every one of its inputs."""

import hashlib
import hmac
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.draw import commitment, draw_terminal, free_hash

SEED = bytes(range(32))
SIGNATURE = hashlib.sha256(b"strokes").hexdigest()


def draw(**change):
    arguments = {
        "seed": SEED,
        "draw_no": 1,
        "pseudonym": "a" * 32,
        "signature_sha256": SIGNATURE,
        "free_terminals": [f"{n:03d}" for n in range(1, 41)],
    }
    return draw_terminal(**(arguments | change))


def test_a_verifier_written_from_the_description_agrees():
    free = [f"{n:03d}" for n in range(1, 41)]
    hashed = hashlib.sha256("".join(n + "\n" for n in free).encode()).hexdigest()
    message = f"examgate/draw/v1\n1\n{'a' * 32}\n{SIGNATURE}\n{hashed}\n0".encode()
    value = int.from_bytes(hmac.new(SEED, message, hashlib.sha256).digest(), "big")
    result = draw()
    assert result.rounds == 1
    assert result.index == value % 40
    assert result.terminal == free[result.index]
    assert result.free_hash == hashed == free_hash(free)


def test_each_input_matters():
    results = {
        draw(free_terminals=[str(n) for n in range(100_000)], **change).index
        for change in (
            {},
            {"seed": bytes(32)},
            {"draw_no": 2},
            {"pseudonym": "b" * 32},
            {"signature_sha256": hashlib.sha256(b"other").hexdigest()},
        )
    }
    assert len(results) == 5


def test_twenty_thousand_draws_are_uniform():
    count, draws = 37, 20_000
    free = [str(n) for n in range(count)]
    seen = Counter(draw(draw_no=n, free_terminals=free).index for n in range(draws))
    expected = draws / count
    chi2 = sum((seen[i] - expected) ** 2 / expected for i in range(count))
    # 36 degrees of freedom: mean 36, sd sqrt(72); the inputs are fixed, so this cannot flake
    assert abs(chi2 - 36) < 4 * math.sqrt(72)


@given(
    st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=120, unique=True),
    st.integers(1, 10_000),
    st.binary(min_size=32, max_size=32),
)
def test_always_one_of_the_free(names, number, seed):
    result = draw(seed=seed, draw_no=number, free_terminals=names)
    assert names[result.index] == result.terminal
    assert result == draw(seed=seed, draw_no=number, free_terminals=names)


@pytest.mark.parametrize("free", [[], ["1", "1"]])
def test_bad_lists_are_refused(free):
    with pytest.raises(ValueError, match="terminal"):
        draw(free_terminals=free)


def test_commitment_hides_and_binds():
    assert commitment(SEED, "s1") != commitment(SEED, "s2") != commitment(bytes(32), "s2")
    with pytest.raises(ValueError, match="32"):
        commitment(b"short", "s1")
