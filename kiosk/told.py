"""A sentence in two languages that passes for its English one, where only one is expected."""

from __future__ import annotations


class Told(str):
    """English, as everywhere in errors and logs; `zh` besides.

    >>> in_language(Told("it is full", "已满"), "zh"), in_language("as it is", "zh")
    ('已满', 'as it is')
    """

    zh: str

    def __new__(cls, en: str, zh: str) -> Told:
        told = super().__new__(cls, en)
        told.zh = zh
        return told

    def __reduce__(self) -> tuple[type[Told], tuple[str, str]]:
        """So that it can be copied, as `dataclasses.asdict` does."""
        return Told, (str(self), self.zh)


def in_language(text: str, language: str) -> str:
    """`text` where it is told in one language only."""
    return text.zh if language == "zh" and isinstance(text, Told) else text
