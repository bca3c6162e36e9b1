"""Sessions drawn with the real draw code in a made-up hall with all rules, in several processes.

Everything follows from one text, so a run can be repeated. Knows nothing of a store.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from kiosk.core.draw import draw_terminal
from kiosk.core.hall import Facts, Terminal, pool_of
from kiosk.stats.draws import Drawn, Seat, SessionDraws
from kiosk.stats.tally import Tally

VENUE = "simulated"
ROWS, COLUMNS = 10, 10
CANDIDATES = 90  #: of a session; the hall has 97 terminals in service
SCHOOLS = 12
_BATCH = 10  #: sessions a task


def hall() -> list[Terminal]:
    """100 terminals: two out of service, one reserved, four accessible, ten for D and E alone."""
    found = []
    for n in range(ROWS * COLUMNS):
        found.append(
            Terminal(
                f"{n + 1:03d}",
                n,
                n // COLUMNS + 1,
                n % COLUMNS + 1,
                in_service=n not in (36, 81),
                reserved=n == 99,
                accessible=n in (0, 9, 10, 19),
                classes=("D", "E") if 50 <= n < 60 else (),
            )
        )
    return found


def session(seed: str, number: int, candidates: int = CANDIDATES) -> SessionDraws:
    """One session, drawn until `candidates` have come; who finds no terminal is sent away."""
    name = f"{seed}/{number}"
    dice = random.Random(name)
    secret = hashlib.sha256(f"seed {name}".encode()).digest()
    terminals = hall()
    found = SessionDraws(VENUE, name, {t.name: Seat(t.position, t.row, t.column)
                                       for t in terminals})  # fmt: skip
    held: dict[str, str | None] = {}
    schools = [hashlib.sha256(f"school {n}".encode()).hexdigest()[:32] for n in range(SCHOOLS)]
    for n in range(candidates):
        facts = Facts(
            dice.choices(["C1", "C2", "D"], [70, 20, 10])[0],
            accessible=dice.random() < 0.02,
            school=dice.choice(schools) if dice.random() < 0.9 else None,
        )
        pool = pool_of(terminals, held, facts, capacity=len(terminals), spacing=True)
        if pool.refusal is not None:
            continue
        who = hashlib.sha256(f"candidate {name} {n}".encode()).hexdigest()
        drawn = draw_terminal(
            seed=secret,
            session_id=name,
            draw_no=len(found.draws) + 1,
            pseudonym=who[:32],
            signature_sha256=hashlib.sha256(who.encode()).hexdigest(),
            free=pool.free,
            pool=pool.names,
        )
        held[drawn.terminal] = facts.school
        found.draws.append(Drawn(len(found.draws) + 1, drawn.terminal, drawn.index, pool.names))
    return found


def _some(seed: str, numbers: range) -> Tally:
    tally = Tally()
    for number in numbers:
        tally.add_session(session(seed, number))
    return tally


def simulate(draws: int, seed: str, processes: int | None = None) -> Iterator[Tally]:
    """The sums so far, after each part, until there are at least `draws`.

    The last one is the whole. Memory does not grow with `draws`.
    """
    wanted = -(-draws // (CANDIDATES - 1))  # now and then one is sent away
    processes = processes or os.cpu_count() or 1
    whole = Tally()
    if processes == 1:
        number = 0
        while whole.draws < draws:
            whole.merge(_some(seed, range(number, number + 1)))
            number += 1
            yield whole
        return
    with ProcessPoolExecutor(processes) as pool:
        number = 0
        while whole.draws < draws:
            missing = max(1, min(wanted, -(-(draws - whole.draws) // (CANDIDATES - 1))))
            starts = range(number, number + missing, _BATCH)
            parts = [range(n, min(n + _BATCH, number + missing)) for n in starts]
            number += missing
            for part in pool.map(partial(_some, seed), parts):
                whole.merge(part)
                yield whole
