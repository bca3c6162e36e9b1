"""The receipt that a candidate takes along: their draw's place in the journal, and a signed head.

Pure text, docs/draw.md has its form. It holds no personal data, not even the pseudonym; who
signed the head and whether the entry is there is checked elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kiosk.core.checkpoint import Head, parse_note
from kiosk.core.hall import is_name

TAG = "examgate/receipt/v1"
MAX_BYTES = 2300  #: what the largest QR code of error level M holds, as UTF-8
_NUMBER = re.compile(r"[1-9][0-9]{0,15}")
_HASH = re.compile(r"[0-9a-f]{64}")
_LINES = 6  #: before the empty one


@dataclass(frozen=True, slots=True)
class Receipt:
    """One draw, and a checkpoint whose tree has its entry."""

    session_id: str
    terminal: str
    draw_no: int
    seq: int  #: of the `seat_drawn` entry
    leaf_hash: str  #: of that entry, 64 hex digits
    checkpoint: str  #: the whole signed note (kiosk.core.checkpoint)

    @property
    def head(self) -> Head:
        """Size and root that the checkpoint says. Its signature is not looked at."""
        return _head(self.checkpoint)


def write_receipt(receipt: Receipt) -> str:
    """The text, with an LF at its end. Raises `ValueError` for what `parse_receipt` would not
    read back."""
    lines = (
        TAG,
        receipt.session_id,
        receipt.terminal,
        str(receipt.draw_no),
        str(receipt.seq),
        receipt.leaf_hash,
    )
    text = "\n".join(lines) + "\n\n" + receipt.checkpoint
    if parse_receipt(text) != receipt:
        raise ValueError("cannot be written as a receipt")
    return text


def parse_receipt(text: str) -> Receipt:
    """A receipt as it was shown. Raises `ValueError` with what is wrong.

    Programs that read QR codes may turn line ends to CRLF or drop the last one; that alone is
    forgiven.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ValueError(f"the receipt is longer than {MAX_BYTES} bytes")
    text = text.replace("\r\n", "\n").removesuffix("\n") + "\n"
    lines = text.split("\n", _LINES + 1)
    if lines[0] != TAG:
        raise ValueError(f"not a receipt: its first line is not {TAG}")
    if len(lines) != _LINES + 2 or lines[_LINES]:
        raise ValueError(f"the receipt has not {_LINES} lines and an empty one before its head")
    session_id, terminal, draw_no, seq, leaf_hash = lines[1:_LINES]
    for n, what in ((2, "session"), (3, "terminal")):
        if not is_name(lines[n - 1]):
            raise ValueError(f"line {n}: {lines[n - 1]!r} is no name of a {what}")
    for n, what in ((4, "draw"), (5, "entry")):
        if not _NUMBER.fullmatch(lines[n - 1]):
            raise ValueError(f"line {n}: {lines[n - 1]!r} is not the number of a {what}")
    if not _HASH.fullmatch(leaf_hash):
        raise ValueError(f"line 6: {leaf_hash!r} is not a SHA-256")
    found = Receipt(session_id, terminal, int(draw_no), int(seq), leaf_hash, lines[-1])
    try:
        head = found.head
    except ValueError as error:
        raise ValueError(f"the head from line 8 on: {error}") from None
    if head.size < found.seq:
        raise ValueError(
            f"the head is of {head.size} entries and cannot have entry {found.seq} of the receipt"
        )
    return found


def _head(checkpoint: str) -> Head:
    """The name of the key is that of the journal (docs/journal.md, Signed heads)."""
    return parse_note(checkpoint, checkpoint.partition("\n")[0]).head
