"""The texts that candidates put their name to, and how to find one again by its hash.

A text that has once been signed is never changed or dropped: a new wording is added in front of
its predecessors. Knows no screen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["entry", "exit"]
LOWEST, HIGHEST = 0, 100  #: scores

#: language → wordings of the exam commitment, the one in use first
COMMITMENTS: dict[str, tuple[str, ...]] = {
    "zh": (
        "本人参加机动车驾驶人科目一考试，郑重承诺：\n"
        "一、所提供的身份信息真实，由本人参加考试。\n"
        "二、遵守考场纪律，服从考试员管理。\n"
        "三、不带手机等电子设备进入考场，不作弊，不替考。\n"
        "如有违反，愿意接受取消成绩等处理，并承担法律责任。",
    ),
    "en": (
        "I am taking the driving-theory exam (subject 1) and promise:\n"
        "1. My identity information is true and I take the exam myself.\n"
        "2. I keep the rules of the hall and follow the proctors.\n"
        "3. I bring no phone or other device; I do not cheat or sit for another.\n"
        "If I break this, I accept the loss of my result and the legal consequences.",
    ),
}
#: language → wordings of the statement under which a score is signed at the exit
SCORES: dict[str, tuple[str, ...]] = {
    "zh": ("本人已查看科目一考试成绩：{score} 分，对成绩无异议。",),
    "en": ("I have seen my result of the driving-theory exam (subject 1): {score} points. "
           "I have no objection.",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedText:
    purpose: Purpose
    language: str
    score: int | None  #: of a score statement
    text: str


def text_sha256(text: str) -> str:
    """SHA-256, hex, of exactly this text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def score_statement(score: int, language: str) -> str:
    """The present wording for this score. Raises `ValueError` for one that does not exist."""
    if not LOWEST <= score <= HIGHEST:
        raise ValueError(f"a score is from {LOWEST} to {HIGHEST}")
    return SCORES[language][0].format(score=score)


def _all() -> dict[str, SignedText]:
    found = [
        SignedText("entry", language, None, text)
        for language, texts in COMMITMENTS.items()
        for text in texts
    ] + [
        SignedText("exit", language, score, text.format(score=score))
        for language, texts in SCORES.items()
        for text in texts
        for score in range(LOWEST, HIGHEST + 1)
    ]
    return {text_sha256(signed.text): signed for signed in found}


_BY_HASH = _all()


def find_text(sha256: str) -> SignedText | None:
    """The text with this hash; None when no version of the program has shown it."""
    return _BY_HASH.get(sha256)
