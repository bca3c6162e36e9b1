"""Speaks prompts through espeak-ng, in a process of its own; never holds a screen up.

Owns when a prompt is spoken, interrupted or left unsaid. It must not know what it means.
"""

from __future__ import annotations

import re
import sys

from ui import qt

PROGRAM = "espeak-ng"
#: Chinese with the voice that reads its own pinyin: `cmn` of 1.51 takes it for English
VOICES = {"zh": ("cmn-latn-pinyin", 160), "en": ("en-gb", 145)}
LOUDEST = 100  #: amplitude of espeak-ng at volume 100; above this its loud parts are cut
STANDS_MS = 350  #: a prompt that is gone sooner is not spoken
AGAIN_MS = 6000  #: the same words are not said again within this time
#: what the dictionary reads with a wrong sound or tone
READ_AS = {
    "呵口气": "he1 kou3 qi4", "重新": "chong2 xin1", "服务": "fu2 wu4", "告诉": "gao4 su4",
    "不动": "bu2 dong4", "不要": "bu2 yao4", "一点": "yi4 dian3", "一个": "yi2 ge4",
    "一下": "yi2 xia4", "一次": "yi2 ci4", "一位": "yi2 wei4", "眼睛": "yan3 jing1",
}
TIME = re.compile(r"(\d\d):(\d\d)")


def arguments(language: str, volume: int) -> list[str]:
    """How the program is called; the words come through its standard input."""
    voice, words_a_minute = VOICES[language]
    loud = round(LOUDEST * min(100, max(0, volume)) / 100)
    return ["-v", voice, "-s", str(words_a_minute), "-a", str(loud), "-b", "1", "--stdin"]


def readable(words: str, language: str) -> str:
    """The words as the program reads them rightly."""
    if language == "zh":
        words = TIME.sub(lambda at: f"{at[1]}点" + (f"{at[2]}分" if at[2] != "00" else ""), words)
        for written, sound in READ_AS.items():
            words = words.replace(written, f" {sound} ")
    return words


class Speaker(qt.QObject):
    """One sentence at a time; a new one cuts the last one off. `volume` is 0..100.

    Without the program or a sound device it is silent and says so once.
    """

    def __init__(self, volume: int, program: str = PROGRAM, parent: qt.QObject | None = None
                 ) -> None:
        super().__init__(parent)
        self._volume, self._program = volume, program
        self._now: qt.QProcess | None = None
        self._ending: set[qt.QProcess] = set()
        self._said_why = self._gave_up = False

    def say(self, words: str, language: str) -> None:
        self.stop()
        if self._volume <= 0 or self._gave_up:
            return
        process = self._now = qt.QProcess(self)
        process.errorOccurred.connect(lambda error: self._on_error(process, error))
        process.finished.connect(lambda code, _status: self._on_finished(process, code))
        process.start(self._program, arguments(language, self._volume))
        process.write(readable(words, language).encode())
        process.closeWriteChannel()

    def stop(self) -> None:
        """Be silent now; waits for nothing."""
        process, self._now = self._now, None
        if process is not None and process.state() != qt.QProcess.NotRunning:
            self._ending.add(process)
            process.kill()

    def close(self) -> None:
        """Before the program ends: leave no process behind."""
        self.stop()
        for process in list(self._ending):
            process.waitForFinished(500)

    @property
    def is_speaking(self) -> bool:
        return self._now is not None

    def _on_error(self, process: qt.QProcess, error: int) -> None:
        if error == qt.QProcess.FailedToStart:
            self._gave_up, self._now = True, None
            self._tell(f"{self._program} cannot be started: apt-get install espeak-ng")
            process.deleteLater()

    def _on_finished(self, process: qt.QProcess, code: int) -> None:
        complaint = bytes(process.readAllStandardError()).decode(errors="replace").split("\n")
        if process in self._ending:
            self._ending.discard(process)
        else:
            self._now = None
            last = next((line for line in reversed(complaint) if line.strip()), "")
            if code or last:
                self._tell(f"{self._program} cannot be heard ({last or code}): is there a sound "
                           "device, and is this user in the group audio?")
            else:
                self._said_why = False
        process.deleteLater()

    def _tell(self, why: str) -> None:
        if not self._said_why:
            self._said_why = True
            print(f"examgate ui: no voice: {why}", file=sys.stderr, flush=True)


class Prompter(qt.QObject):
    """Says what is shown once it stands; a new step silences the last one at once."""

    def __init__(self, speaker: Speaker, parent: qt.QObject | None = None) -> None:
        super().__init__(parent)
        self._speaker = speaker
        self._step: object = None
        self._wanted = self._last = ("", "")
        self._since_said = qt.QElapsedTimer()
        self._timer = qt.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._stood)

    def show(self, step: object, words: str, language: str) -> None:
        """`step` is one person at one step; `words` is what applies now, "" for nothing."""
        if step != self._step:
            self._step, self._wanted, self._last = step, ("", ""), ("", "")
            self._timer.stop()
            self._speaker.stop()
        if (words, language) == self._wanted:
            return
        if language != self._wanted[1] and self._wanted[0]:
            self._speaker.stop()
        self._wanted = (words, language)
        self._timer.stop()
        if words:
            self._timer.start(STANDS_MS)

    def _stood(self) -> None:
        if self._wanted == self._last and self._since_said.elapsed() < AGAIN_MS:
            return
        self._last = self._wanted
        self._since_said.start()
        self._speaker.say(*self._wanted)
