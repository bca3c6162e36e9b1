"""Halls that draw in a known way, fair or not, without any record."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra `analysis` is not installed")

from kiosk.stats.draws import Drawn, Seat, SessionDraws
from kiosk.stats.tally import Tally

#: (dice, pool, index drawn before or None, how far the session is 0..1) → index
Chooser = Callable[[np.random.Generator, list[str], int | None, float], int]


def fair(dice: np.random.Generator, pool: list[str], before: int | None, far: float) -> int:
    return int(dice.integers(len(pool)))


def play(
    choose: Chooser = fair,
    *,
    sessions: int,
    seats: int = 20,
    candidates: int = 16,
    columns: int | None = 5,
    seed: int = 1,
) -> Tally:
    """Sessions of a hall in which nobody gets a seat twice."""
    dice = np.random.default_rng(seed)
    hall = {
        f"{n + 1:02d}": Seat(n, n // columns + 1, n % columns + 1) if columns else Seat(n)
        for n in range(seats)
    }
    tally = Tally()
    for number in range(sessions):
        session, free, before = SessionDraws("KM1", f"S{number}", hall), list(hall), None
        for n in range(candidates):
            before = choose(dice, free, before, n / candidates)
            session.draws.append(Drawn(n + 1, free[before], before, tuple(free)))
            free.pop(before)
        tally.add_session(session)
    return tally
