"""Checks a session's entries as docs/draw.md says a verifier does; raises AssertionError.

Beside the draws it is told of the seats that are held at the end.
"""

from __future__ import annotations

from typing import Any

from kiosk.core.draw import commitment, draw_terminal
from kiosk.core.hall import Facts, Terminal, hall_sha256, pool_of
from kiosk.store import Entry


class Replay:
    def __init__(self, entries: list[Entry], seed: bytes | None = None) -> None:
        self.hall: dict[str, Terminal] = {}
        self.held: dict[str, tuple[str, dict[str, Any], bool]] = {}  # terminal → who, draw, inside
        self.voided: dict[str, list[dict[str, Any]]] = {}
        self.signed: dict[str, str] = {}
        self.used: set[tuple[str, str]] = set()
        self.draws = 0
        self.seed = seed
        for entry in entries:
            step = getattr(self, f"_{entry.kind}", None)
            if step is not None:
                step(entry, entry.payload)

    @property
    def seats(self) -> dict[str, str]:
        """Pseudonym → terminal."""
        return {who: terminal for terminal, (who, _, _) in self.held.items()}

    def _session_opened(self, entry: Entry, p: dict[str, Any]) -> None:
        for t in p["terminals"]:
            self.hall[t["name"]] = Terminal(**(t | {"classes": tuple(t["classes"])}))
        self.rules = {"capacity": p["capacity"], "spacing": p["rules"]["spacing"]}
        assert hall_sha256(list(self.hall.values()), **self.rules) == p["hall_sha256"]
        if self.seed is not None:
            assert (
                commitment(self.seed, entry.session_id or "", p["hall_sha256"]) == p["commitment"]
            )

    def _terminal_changed(self, entry: Entry, p: dict[str, Any]) -> None:
        if entry.terminal not in self.hall:
            return  # before the session was opened
        old = self.hall[entry.terminal]
        change = {k: v for k, v in p.items() if k not in ("why", "person")}
        assert set(change) <= {"in_service", "reserved", "accessible", "classes"}
        whole = old.published() | change
        self.hall[entry.terminal] = Terminal(**(whole | {"classes": tuple(whole["classes"])}))

    def _signed(self, entry: Entry, p: dict[str, Any]) -> None:
        if p["purpose"] == "entry":  # what is signed at the exit is no signature for a draw
            self.signed[entry.pseudonym or ""] = p["signature_sha256"]
            return
        who, draw, inside = self.held[entry.terminal or ""]
        assert (who, draw["draw_no"], inside) == (entry.pseudonym, p["draw_no"], True)

    def _seat_drawn(self, entry: Entry, p: dict[str, Any]) -> None:
        who, terminal = entry.pseudonym or "", entry.terminal or ""
        self.draws += 1
        assert p["draw_no"] == self.draws
        assert who not in self.seats, "a second seat"
        assert terminal not in self.held, "somebody else's seat"
        assert self.signed.get(who) == p["signature_sha256"], "not what was signed last"
        assert (who, p["signature_sha256"]) not in self.used
        self.used.add((who, p["signature_sha256"]))
        held = {name: draw["facts"]["school"] for name, (_, draw, _) in self.held.items()}
        pool = pool_of(list(self.hall.values()), held, Facts(**p["facts"]), **self.rules)
        assert p["free"] == list(pool.free)
        assert p.get("pool", p["free"]) == list(pool.names)
        assert p["spacing_gave_way"] == pool.spacing_gave_way
        assert pool.names[p["index"]] == terminal
        voided = self.voided.get(who)
        assert p["replaces"] == (voided[-1]["draw_no"] if voided else None)
        if self.seed is not None:
            again = draw_terminal(
                seed=self.seed,
                session_id=entry.session_id or "",
                draw_no=p["draw_no"],
                pseudonym=who,
                signature_sha256=p["signature_sha256"],
                free=pool.free,
                pool=pool.names,
            )
            assert (
                again.terminal,
                again.index,
                again.rounds,
                again.free_hash,
                again.pool_hash,
            ) == (
                terminal,
                p["index"],
                p["rounds"],
                p["free_hash"],
                p["pool_hash"],
            )
        self.held[terminal] = (who, p, False)

    def _admitted(self, entry: Entry, p: dict[str, Any]) -> None:
        who, draw, _ = self.held[entry.terminal or ""]
        assert who == entry.pseudonym
        self.held[entry.terminal or ""] = (who, draw, True)

    def _seat_voided(self, entry: Entry, p: dict[str, Any]) -> None:
        who, draw, inside = self.held.pop(entry.terminal or "")
        assert (who, draw["draw_no"], inside) == (entry.pseudonym, p["draw_no"], p["was_inside"])
        if p["why"] == "terminal_broken":
            assert not self.hall[entry.terminal or ""].in_service
        if p["why"] == "second_attempt":
            assert inside
            assert p["why"] not in [v["why"] for v in self.voided.get(who, [])]
        if p["why"] == "proctor_decision":
            assert p["note"]
            assert p["approved_by"] not in (None, p["person"])
        self.voided.setdefault(who, []).append(p)
        self.signed.pop(who, None)
