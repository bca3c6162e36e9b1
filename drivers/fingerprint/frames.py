"""Messages between a driver and a child process of its own: a JSON head and bytes. Standard
library only: a child may run in another Python than ours.
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

MAX_BYTES = 64 * 1024 * 1024
_PREFIX_BYTES = 8


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """4 bytes of the head's length, 4 of the body's, both big endian; head; body."""
    text = json.dumps(head).encode()
    return len(text).to_bytes(4, "big") + len(body).to_bytes(4, "big") + text + body


def lengths(prefix: bytes) -> tuple[int, int]:
    """(head, body). Raises ValueError for what is no message."""
    head, body = int.from_bytes(prefix[:4], "big"), int.from_bytes(prefix[4:], "big")
    if len(prefix) != _PREFIX_BYTES or head + body > MAX_BYTES:
        raise ValueError("no message")
    return head, body


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next message; None at the end of the stream."""
    prefix = stream.read(_PREFIX_BYTES)
    if len(prefix) < _PREFIX_BYTES:
        return None
    head, body = lengths(prefix)
    return json.loads(stream.read(head)), stream.read(body)
