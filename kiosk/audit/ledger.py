"""The signed equipment ledger of a shift's start, read again: whose it is, and unchanged.

Knows the file's form (docs/journal.md) and the journal's public key; no device and no store.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from kiosk.audit.tree import Key

FORMAT = "examgate-equipment/1"


@dataclass(frozen=True, slots=True)
class SignedLedger:
    """What was signed: about the lane and the day, and one check a device (kiosk.acceptance)."""

    about: dict[str, Any]
    checks: list[dict[str, Any]]
    sha256: str  #: of the whole file; the journal has it in `equipment_checked`


def read_ledger(note: str, key: Key) -> SignedLedger:
    """Raises `ValueError`: not a ledger, changed, or of another lane."""
    head, *lines = key.text(note).splitlines()
    if head != FORMAT:
        raise ValueError(f"is signed, but not an equipment ledger ({FORMAT})")
    about, *checks = (_object(line, n) for n, line in enumerate(lines, 2))
    if about.get("origin") != key.origin:
        raise ValueError(f"is of another lane, {about.get('origin')}")
    return SignedLedger(about, checks, hashlib.sha256(note.encode()).hexdigest())


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ValueError(f"line {number} is not a JSON object")
    return found
