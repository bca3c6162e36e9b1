"""Calls a person to the proctor's screen: a bell and a spoken sentence, again while it waits.

Everything that is said stands on the screen too. It must not know what it is about.
"""

from __future__ import annotations

from typing import Protocol

from ui import qt

AGAIN_MS = 30_000  #: while nobody has answered


class Voice(Protocol):
    def say(self, words: str, language: str) -> None: ...


class Caller(qt.QObject):
    """`call(reason, n, words)`: more of a reason than before rings; 0 of it is silence."""

    def __init__(self, voice: Voice | None, language: str, parent: qt.QObject) -> None:
        super().__init__(parent)
        self._voice, self._language = voice, language
        self._waiting: dict[str, tuple[int, str]] = {}
        self._again = qt.QTimer(self)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._remind)

    def call(self, reason: str, number: int, words: str) -> None:
        before = self._waiting.get(reason, (0, ""))[0]
        if number <= 0:
            self._waiting.pop(reason, None)
        else:
            self._waiting[reason] = (number, words)
        if number > before:
            self._ring(words)
            self._again.start()
        elif not self._waiting:
            self._again.stop()

    def silence(self) -> None:
        """Nobody is connected: what waits is not known."""
        self._waiting.clear()
        self._again.stop()

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def _remind(self) -> None:
        if self._waiting:
            self._ring(next(iter(self._waiting.values()))[1])

    def _ring(self, words: str) -> None:
        qt.QApplication.beep()
        if self._voice is not None:
            self._voice.say(words, self._language)
