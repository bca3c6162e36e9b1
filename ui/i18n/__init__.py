"""Words of the screens by key, in Chinese (the source of truth) and English.

Only looks words up; which words apply is decided by the screens from the daemon's codes.
"""

from __future__ import annotations

from kiosk.core.signed_texts import text_sha256
from ui.i18n import en, lane_en, lane_zh, office_en, office_zh, out_en, out_zh, zh

LANGUAGES = ("zh", "en")
CATALOGUES: dict[str, dict[str, str]] = {
    "zh": zh.TEXTS | office_zh.TEXTS | lane_zh.TEXTS | out_zh.TEXTS,
    "en": en.TEXTS | office_en.TEXTS | lane_en.TEXTS | out_en.TEXTS,
}


def text(language: str, key: str, **args: object) -> str:
    """The words for `key`. Raises `KeyError` for a key that the catalogue does not have."""
    words = CATALOGUES[language][key]
    return words.format(**args) if args else words


def has(key: str) -> bool:
    return key in CATALOGUES["zh"]


def coded(language: str, prefix: str, code: object) -> str:
    """The words for a code of the daemon; the bare code when it is newer than this screen."""
    key = f"{prefix}.{code}"
    return text(language, key) if has(key) else str(code)


def commitment(language: str) -> tuple[str, str]:
    """The commitment as it is shown, and the SHA-256 (hex) of exactly that text in UTF-8."""
    words = text(language, "commitment.text")
    return words, text_sha256(words)
