"""The right sentence for each state, spoken aside, cut off in time, silent where it must be."""

from __future__ import annotations

import shutil
import subprocess
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.core.codes import Prompt, Reason
from ui import qt
from ui.candidate.present import present
from ui.candidate.spoken import spoken
from ui.candidate.window import CandidateWindow
from ui.client import Client
from ui.i18n import LANGUAGES, text
from ui.screenshots import NOWHERE, every_state, example, preview
from ui.voice import PROGRAM, Prompter, Speaker, arguments, readable

needs_program = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="espeak-ng: make setup")


def said(state: dict[str, Any], language: str = "zh", prompt: str | None = None) -> str:
    return spoken(state, present(state, language), prompt, language)


@pytest.mark.parametrize(("state", "prompt", "words"), [
    (example("idle"), None, ""),
    (example("closed"), None, ""),
    (example("out_of_order", reason="DEVICE_FAULT"), None, ""),
    (example("out_of_order", reason="FIRE"), None, "请从闸机离开。闸机已打开，请听从考试员指挥"),
    (example("claim"), None, "请刷身份证，或输入号码"),
    (example("face"), None, "请看镜头"),
    (example("face"), "come_closer", "请靠近一点"),
    (example("face"), "none", ""),
    (example("finger"), None, "请按指纹。手指平放，按住不动"),
    (example("idle", card_hint="card_removed"), None, "还没读完：请放好，等一下再拿"),
    (example("idle", card_hint="card_left"), None, ""),
    (example("finger", finger_retry="too_dry"), None, "手指太干：呵口气再按"),
    (example("finger", help_waiting=True), None, "考试员马上就到"),
    (example("sign"), None, "请在框内签名"),
    (example("drawing"), None, ""),
    (example("gate"), None, "您的考台，零 四 七号。请通过闸机"),
    (example("welcome"), None, "请对号入座"),
    (example("refused", reason="TOO_LATE"), None, "请到服务台。这一场的入场时间已经结束"),
])
def test_each_state_has_its_sentence(state: dict[str, Any], prompt: str | None, words: str
                                     ) -> None:
    assert said(state, "zh", prompt) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_personal_and_no_code_is_said_aloud(language: str) -> None:
    for name, state in every_state().items():
        words = said(state, language)
        assert "\n" not in words and "{" not in words
        for secret in ("王", "1234", *Reason):
            assert secret not in words, name


def test_no_daemon_no_voice() -> None:
    assert spoken(None, present(example("idle"), "zh"), None, "zh") == ""


def test_the_terminal_is_spelled_and_times_are_read_as_times() -> None:
    assert said(example("gate", terminal="B-112"), "en").startswith("Your terminal is B 1 1 2.")
    assert readable("6月12日 14:00", "zh") == "6月12日 14点"
    assert readable("14:30", "zh") == "14点30分"
    assert "chong2" in readable("请重新开始", "zh") and readable("on time", "en") == "on time"


# --- the program ------------------------------------------------------------------------------


def record(words: str, language: str, volume: int, file: Path) -> tuple[float, float]:
    """Seconds and greatest loudness 0..1 of what the program makes of it."""
    call = [PROGRAM, *arguments(language, volume), "-w", str(file)]
    subprocess.run(call, input=readable(words, language).encode(), check=True, timeout=20)
    with wave.open(str(file)) as sound:
        data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)
        return sound.getnframes() / sound.getframerate(), float(np.abs(data).max()) / 32768


@needs_program
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_heard_and_not_too_long(language: str, tmp_path: Path) -> None:
    sentences = {said(state, language) for state in every_state().values()}
    sentences |= {text(language, f"prompt.{prompt}") for prompt in Prompt}
    for words in sorted(sentences - {""}):
        seconds, loud = record(words, language, 80, tmp_path / "said.wav")
        assert 0.5 < seconds < 10 and loud > 0.2, words


@needs_program
def test_the_volume_is_heard(tmp_path: Path) -> None:
    quiet, loud = (record("请看镜头", "zh", v, tmp_path / "v.wav")[1] for v in (20, 100))
    assert quiet < loud / 3
    assert record("请看镜头", "zh", 0, tmp_path / "v.wav")[1] == 0


@needs_program
def test_chinese_is_read_as_chinese() -> None:
    """Its plain Mandarin voice of 1.51 reads the pinyin of each character as English."""
    voice = arguments("zh", 50)[1]
    call = [PROGRAM, "-v", voice, "-q", "-x", readable("请重新开始，服务台", "zh")]
    sounds = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    assert "(en)" not in sounds
    assert "ts.h'ong35" in sounds and "w'u51" in sounds


# --- the speaker ------------------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path: Path) -> Callable[..., tuple[str, Path]]:
    """A program that notes what it is told and speaks for a while."""

    def make(seconds: float = 0.0, complaint: str = "") -> tuple[str, Path]:
        heard, program = tmp_path / "heard", tmp_path / "speak"
        program.write_text(f'#!/bin/sh\n{{ cat; echo; }} >>{heard}\n'
                           f'[ -z "{complaint}" ] || echo "{complaint}" >&2\n'
                           f'exec sleep {seconds}\n')
        program.chmod(0o755)
        return str(program), heard

    return make


def heard(file: Path) -> list[str]:
    return file.read_text().split("\n")[:-1] if file.exists() else []


def test_a_new_sentence_cuts_the_last_one_off(qtbot: Any, fake: Callable) -> None:
    program, file = fake(seconds=30)
    speaker = Speaker(80, program)
    began = time.monotonic()
    speaker.say("一", "zh")
    qtbot.waitUntil(lambda: heard(file) == ["一"], timeout=5000)
    speaker.say("二", "zh")
    qtbot.waitUntil(lambda: heard(file) == ["一", "二"], timeout=5000)
    qtbot.waitUntil(lambda: not speaker._ending, timeout=5000)
    assert len(speaker.findChildren(qt.QProcess)) <= 2 and speaker.is_speaking
    speaker.close()
    assert not speaker.is_speaking and time.monotonic() - began < 10


def test_the_screen_never_waits_for_the_voice(qtbot: Any, fake: Callable) -> None:
    speaker = Speaker(80, fake(seconds=30)[0])
    taken = []
    for n in range(10):
        began = time.perf_counter()
        speaker.say(str(n), "zh")
        taken.append(time.perf_counter() - began)
        qtbot.wait(10)
    speaker.close()
    # a sentence takes 30 s: whoever waited for one would take that long, a busy machine does not
    assert max(taken) < 5


@pytest.mark.parametrize("volume", [0, 80])
def test_off_is_off(qtbot: Any, fake: Callable, volume: int) -> None:
    program, file = fake()
    speaker = Speaker(volume, program)
    speaker.say("一", "zh")
    qtbot.wait(200)
    assert bool(heard(file)) == bool(volume)
    speaker.close()


def test_without_the_program_it_says_so_once(qtbot: Any, capsys: Any) -> None:
    speaker = Speaker(80, "/nonexistent/espeak-ng")
    for words in ("一", "二", "三"):
        speaker.say(words, "zh")
        qtbot.wait(50)
    err = capsys.readouterr().err
    assert err.count("no voice") == 1 and "apt-get install espeak-ng" in err
    assert "一" not in err


def test_without_a_sound_device_it_says_so_once(qtbot: Any, fake: Callable, capsys: Any) -> None:
    program, file = fake(complaint="cannot find card '0'")
    speaker = Speaker(80, program)
    for n, words in enumerate(("一", "二", "三")):
        speaker.say(words, "zh")
        qtbot.waitUntil(lambda n=n: len(heard(file)) > n and not speaker.is_speaking, timeout=5000)
    err = capsys.readouterr().err
    assert err.count("no voice") == 1 and "cannot find card" in err


# --- when ---------------------------------------------------------------------------------------


class Heard:
    """Stands for a speaker."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str] | str] = []

    def say(self, words: str, language: str) -> None:
        self.said.append((words, language))

    def stop(self) -> None:
        self.said.append("stop")

    @property
    def words(self) -> list[str]:
        return [one[0] for one in self.said if isinstance(one, tuple)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("ui.voice.STANDS_MS", 60)
    return 60


def test_a_prompt_that_flickers_is_said_once(qtbot: Any, quick: int) -> None:
    speaker = Heard()
    prompter = Prompter(speaker)
    for _ in range(6):
        prompter.show("face", "靠近", "zh")
        qtbot.wait(10)
        prompter.show("face", "后退", "zh")
        qtbot.wait(10)
    assert speaker.words == []
    prompter.show("face", "靠近", "zh")
    qtbot.waitUntil(lambda: speaker.words == ["靠近"], timeout=3000)
    prompter.show("face", "后退", "zh")
    prompter.show("face", "靠近", "zh")
    qtbot.wait(4 * quick)
    assert speaker.words == ["靠近"]
    prompter.show("face", "后退", "zh")
    qtbot.waitUntil(lambda: speaker.words == ["靠近", "后退"], timeout=3000)


def test_a_new_step_silences_the_last_at_once(qtbot: Any, quick: int) -> None:
    speaker = Heard()
    prompter = Prompter(speaker)
    prompter.show((1, "face"), "请看镜头", "zh")
    qtbot.waitUntil(lambda: speaker.words == ["请看镜头"], timeout=3000)
    prompter.show((1, "drawing"), "", "zh")
    assert speaker.said[-1] == "stop"
    qtbot.wait(3 * quick)
    assert speaker.words == ["请看镜头"]
    prompter.show((2, "face"), "请看镜头", "zh")  # the next person hears it anew
    qtbot.waitUntil(lambda: speaker.words == ["请看镜头"] * 2, timeout=3000)


def test_the_window_speaks_what_it_shows_in_the_language_shown(
    themed: Any, qtbot: Any, quick: int
) -> None:
    speaker = Heard()
    client = Client(NOWHERE, preview=False)
    window = CandidateWindow(client, "zh", speaker)
    qtbot.addWidget(window)
    window.show()
    client.state.emit(example("face", visit=1))
    client.preview.emit(preview("come_closer"))
    qtbot.waitUntil(lambda: speaker.words == ["请靠近一点"], timeout=3000)
    window.switch.click()
    qtbot.waitUntil(lambda: speaker.words[-1] == "Come a little closer", timeout=3000)
    assert speaker.said[-1] == ("Come a little closer", "en")
    client.state.emit(example("gate", visit=1))
    qtbot.waitUntil(lambda: speaker.words[-1].startswith("Your terminal is 0 4 7"), timeout=3000)
    client.state.emit(example("idle", visit=2))
    assert speaker.said[-1] == "stop" and window.language == "zh"
    client.state.emit(example("finger", visit=2))
    asked = ("请按指纹。手指平放，按住不动", "zh")
    qtbot.waitUntil(lambda: speaker.said[-1] == asked, timeout=3000)
