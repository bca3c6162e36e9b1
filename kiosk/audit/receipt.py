"""Holds a candidate's receipt against a record: docs/draw.md, Receipt."""

from __future__ import annotations

from collections.abc import Iterator

from kiosk.audit.findings import Code, Finding
from kiosk.audit.record import Record
from kiosk.audit.tree import Key, Tree
from kiosk.core.codes import JournalKind
from kiosk.core.receipt import Receipt, parse_receipt


def check_receipt(record: Record, tree: Tree, key: Key, text: str) -> Iterator[Finding]:
    """That the draw is in the record as the candidate saw it, and that the lane signed it so."""
    try:
        receipt = parse_receipt(text)
        head = key.head(receipt.checkpoint)
    except ValueError as error:
        yield Finding(Code.RECEIPT, 0, "receipt_bad", {"why": str(error)})
        return
    if receipt.session_id != record.session_id:
        args = {"session": receipt.session_id}
        yield Finding(Code.RECEIPT, 0, "receipt_session", args)
        return
    root = tree.root(head.size)
    if root is None:
        yield Finding(Code.RECEIPT, 0, "receipt_head", {"size": head.size})
    elif root != head.root:
        yield Finding(Code.FORK, 0, "fork", {"name": "receipt", "size": head.size})
    yield from _entry(record, receipt)


def _entry(record: Record, receipt: Receipt) -> Iterator[Finding]:
    found = next((e for e in record.entries if e.seq == receipt.seq), None)
    if found is None or (found.kind, found.session_id) != (
        JournalKind.SEAT_DRAWN,
        record.session_id,
    ):
        yield Finding(Code.RECEIPT, 0, "receipt_entry", {"entry": receipt.seq})
        return
    if found.leaf.hex() != receipt.leaf_hash:
        yield Finding(Code.RECEIPT, found.seq, "receipt_leaf")
    for name, said, seen in (
        ("terminal", found.terminal, receipt.terminal),
        ("draw_no", found.payload.get("draw_no"), receipt.draw_no),
    ):
        if said != seen:
            args = {"field": name, "said": said, "seen": seen}
            yield Finding(Code.RECEIPT, found.seq, "receipt_field", args)
