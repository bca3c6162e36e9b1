"""Receipts of draws: where the entry is, and a signed head that covers it.

Knows the journal's rows; the text's form is kiosk.core.receipt's. Signs a head when none covers
the entry yet, so it is asked for after the gate was opened, not before.
"""

from __future__ import annotations

from kiosk.core.codes import JournalKind
from kiosk.core.receipt import Receipt, write_receipt
from kiosk.store.errors import StoreError, StoreRefused
from kiosk.store.heads import Heads


class Receipts(Heads):
    def receipt(self, session_id: str, candidate_id: int) -> str:
        """The receipt of the seat that this candidate holds, as text (docs/draw.md, Receipt).

        Raises `StoreRefused` when they hold none.
        """
        seat = self._row(
            "select terminal, draw_no, pseudonym from assignments"
            " join candidates using (candidate_id, session_id)"
            " where session_id = ? and candidate_id = ? and voided_at is null",
            session_id,
            candidate_id,
        )
        if seat is None:
            raise StoreRefused("this candidate has no terminal")
        terminal, draw_no, pseudonym = seat
        seq, leaf_hash = self._drawn_at(session_id, pseudonym)
        head = self.newest_checkpoint()
        if head is None or head.size < seq:
            head = self.sign_head()
        assert head is not None, "the journal has at least the draw"
        return write_receipt(Receipt(session_id, terminal, draw_no, seq, leaf_hash, head.note))

    def _drawn_at(self, session_id: str, pseudonym: str) -> tuple[int, str]:
        """Their newest draw is the one that counts: an earlier one was voided before it."""
        row = self._row(
            "select seq, leaf_hash from journal where session_id = ? and pseudonym = ?"
            " and kind = ? order by seq desc limit 1",
            session_id,
            pseudonym,
            JournalKind.SEAT_DRAWN.value,
        )
        if row is None:
            raise StoreError("the journal has no draw of this seat; examgate journal verify tells")
        return int(row[0]), str(row[1])
