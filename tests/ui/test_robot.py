"""The real process with its robot's hand: started, signed on, clicked, pictured, ended."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ui.screenshots import example

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from ui.app import UiOptions, run
sys.exit(run(sys.argv[1], Path(sys.argv[2]), UiOptions("zh", False, Path(sys.argv[3]))))
"""
WAVES = [[[0.15 + 0.3 * s + 0.2 * n / 39, 0.5 + 0.25 * math.sin(n / 5)] for n in range(40)]
         for s in range(2)]


def wait_for(what: Any, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


class Hand:
    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(15)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")

    def do(self, **command: Any) -> dict[str, Any]:
        self._socket.sendall(json.dumps(command).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@pytest.fixture(params=["candidate"])
def process(daemon: Any, tmp_path: Path, request: Any) -> Iterator[subprocess.Popen[bytes]]:
    robot = tmp_path / "robot.sock"
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    environment = os.environ | {"EXAMGATE_SCREEN": "1080x1920", "QT_QPA_PLATFORM": "offscreen",
                                "XDG_RUNTIME_DIR": str(runtime)}
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, request.param, str(daemon.path), str(robot)], cwd=ROOT,
        env=environment, stderr=subprocess.PIPE)
    wait_for(lambda: robot.exists() and bool(daemon.called("lane.subscribe")))
    yield started
    if started.poll() is None:
        started.kill()
    started.communicate(timeout=10)


@pytest.fixture
def hand(process: Any, tmp_path: Path) -> Iterator[Hand]:
    made = Hand(tmp_path / "robot.sock")
    yield made
    made.close()


def test_it_signs_with_real_events_and_ends_on_sigterm(
    daemon: Any, process: Any, hand: Hand, tmp_path: Path
) -> None:
    daemon.state = example("sign", visit=3)
    daemon.tell("state", daemon.state)
    begun = time.monotonic()
    assert hand.do(do="sign", strokes=WAVES, speed=4.0) == {"ok": True}
    assert time.monotonic() - begun >= 0.3
    wait_for(lambda: bool(daemon.called("candidate.sign")))
    (sent,) = daemon.called("candidate.sign")
    assert sent["visit"] == 3 and sent["pointer"] == "mouse" and len(sent["strokes"]) == 2
    x, y = sent["strokes"][0][0][:2]
    assert abs(x / sent["width"] - 0.15) < 0.01 and abs(y / sent["height"] - 0.5) < 0.01
    assert sent["strokes"][1][-1][2] > 200
    picture = tmp_path / "sign.png"
    assert hand.do(do="screenshot", path=str(picture))["ok"]
    assert picture.read_bytes()[16:24] == (1080).to_bytes(4, "big") + (1920).to_bytes(4, "big")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, b"")


def test_it_clicks_and_describes(daemon: Any, hand: Hand) -> None:
    daemon.tell("state", example("finger", visit=6))
    wait_for(lambda: hand.do(do="describe")["screen"] == "finger")
    seen = hand.do(do="describe")
    assert seen["texts"]["title"] == "请按指纹"
    assert set(seen["buttons"]) == {"help", "language", "cancel"}
    assert hand.do(do="click", name="cancel")["ok"]
    wait_for(lambda: daemon.called("candidate.cancel") == [{"visit": 6}])
    assert hand.do(do="click", name="language")["ok"]
    wait_for(lambda: hand.do(do="describe")["texts"]["title"] == "Finger on the sensor")


def test_it_presses_keys(daemon: Any, hand: Hand) -> None:
    daemon.tell("state", example("finger", visit=6))
    wait_for(lambda: hand.do(do="describe")["screen"] == "finger")
    assert hand.do(do="key", name="F2")["ok"]
    wait_for(lambda: hand.do(do="describe")["texts"]["title"] == "Finger on the sensor")
    for name in ("Tab", "Space"):  # the first button is the one for help
        assert hand.do(do="key", name=name)["ok"]
    wait_for(lambda: daemon.called("candidate.help") == [{"visit": 6}])
    assert hand.do(do="key", name="Escape")["ok"]
    wait_for(lambda: daemon.called("candidate.cancel") == [{"visit": 6}])


@pytest.mark.parametrize("command", [
    {"do": "dance"}, {"do": "key", "name": "Nonsense"}, {"do": "key"}, {"do": "screenshot"},
    {"do": "sign", "strokes": []}, {"do": "sign"},
    {"do": "screenshot", "path": "/nowhere/at/all.png"}, {"do": "click", "name": "ok"}])
def test_what_it_cannot_do_it_says(hand: Hand, command: dict[str, Any]) -> None:
    answer = hand.do(**command)
    assert answer["ok"] is False and answer["error"]


@pytest.mark.parametrize("process", ["proctor"], indirect=True)
def test_the_proctors_window_is_a_process_too(daemon: Any, hand: Hand) -> None:
    daemon.tell("state", example("sign"))
    wait_for(lambda: "cancel" in hand.do(do="describe")["buttons"])
    assert hand.do(do="click", name="cancel")["ok"]
    wait_for(lambda: daemon.called("proctor.cancel") == [{}])
