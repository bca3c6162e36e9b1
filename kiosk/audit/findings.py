"""What an audit finds: codes as in docs/journal.md, and a sentence for each in both languages.

Owns the words; knows nothing of how something is found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kiosk.audit.texts import TEXTS


class Code(StrEnum):
    """Closed; docs/journal.md, Findings."""

    FORM = "FORM"
    SEQUENCE = "SEQUENCE"
    CHANGED = "CHANGED"
    CLOCK = "CLOCK"
    HEAD = "HEAD"
    SIGNATURE = "SIGNATURE"
    UNSIGNED = "UNSIGNED"
    EARLIER = "EARLIER"
    FORK = "FORK"
    UNPROVEN = "UNPROVEN"
    SESSION = "SESSION"
    OPEN = "OPEN"
    HALL = "HALL"
    COMMITMENT = "COMMITMENT"
    NUMBER = "NUMBER"
    STROKES = "STROKES"
    SEAT = "SEAT"
    RULES = "RULES"
    DRAW = "DRAW"
    TERMINAL = "TERMINAL"
    VOID = "VOID"
    INTENT = "INTENT"
    AUTHORITY = "AUTHORITY"
    OVERRIDE = "OVERRIDE"
    PULSE = "PULSE"
    OUTCOME = "OUTCOME"
    ADMITTED = "ADMITTED"
    LEFT = "LEFT"
    RETURN = "RETURN"
    COUNTS = "COUNTS"
    RESTORED = "RESTORED"
    ANCHOR = "ANCHOR"
    RECEIPT = "RECEIPT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `what` is a key of `texts.TEXTS`; `args` fill its sentence."""

    code: Code
    seq: int  #: the entry; 0: the file, or a head as a whole
    what: str
    args: dict[str, Any] = field(default_factory=dict)

    def sentence(self, language: str) -> str:
        """`entry 17: …`, in "zh" or "en"."""
        zh, en = TEXTS[self.what]
        where = (f"第 {self.seq} 条", f"entry {self.seq}") if self.seq else ("记录文件", "record")
        if language == "zh":
            return f"{where[0]}：{zh.format(**self.args)}"
        return f"{where[1]}: {en.format(**self.args)}"

    def as_dict(self, language: str) -> dict[str, Any]:
        return {"code": self.code.value, "seq": self.seq, "sentence": self.sentence(language)}
