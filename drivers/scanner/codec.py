"""What a barcode or QR scanner sends: the code's text, mostly with an end of line after it.

Bytes to codes; knows nothing of what a code means.
"""

from __future__ import annotations

LONGEST = 128  #: bytes; an admission slip has 18 characters at most, a receipt's QR code more
ENDS = b"\r\n\t\x00\x03"  #: suffixes that scanners are set to: CR, LF, CR LF, TAB, NUL, ETX
STARTS = b"\x02"  #: STX, which some send first


class Parser:
    """Bytes in, codes out. `BadCode` stands in the list for what is none."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._too_long = False

    @property
    def pending(self) -> bool:
        """A code has begun; where the scanner sends no suffix, silence ends it (`flush`)."""
        return bool(self._pending) or self._too_long

    def feed(self, data: bytes) -> list[str | BadCode]:
        found: list[str | BadCode] = []
        for byte in data:
            if byte in ENDS:
                found += self.flush()
            elif byte not in STARTS and not self._too_long:
                self._pending.append(byte)
                if len(self._pending) > LONGEST:
                    self._pending.clear()
                    self._too_long = True  # what follows, up to its end, belongs to it
        return found

    def flush(self) -> list[str | BadCode]:
        """What has come is all of it."""
        raw, too_long = bytes(self._pending), self._too_long
        self.reset()
        if too_long:
            return [BadCode(f"longer than {LONGEST} bytes")]
        try:
            text = raw.decode("utf-8").strip(" ")
        except UnicodeDecodeError:
            return [BadCode("no text")]
        if not text:
            return []
        return [text] if text.isprintable() else [BadCode("control characters")]

    def reset(self) -> None:
        self._pending.clear()
        self._too_long = False


class BadCode:
    """Bytes that are no code; what they were is not kept."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __repr__(self) -> str:
        return f"BadCode({self.why})"
