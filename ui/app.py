"""Starts one of the two screens: the candidate's or the proctor's. Each is its own process.

Reaches the daemon only through the socket; it must not open a device, a file of the lane or the
configuration.
"""

from __future__ import annotations

import signal
import socket as sockets
import sys
from dataclasses import dataclass
from pathlib import Path

from ui import qt, theme, times
from ui.candidate.window import CandidateWindow
from ui.client import Client
from ui.kiosk import KioskFilter
from ui.robot import Robot
from ui.voice import Speaker

ROLES = ("candidate", "proctor")


@dataclass(frozen=True, slots=True)
class UiOptions:
    language: str = "zh"  #: zh or en
    fullscreen: bool = True
    robot: Path | None = None  #: socket of the demonstration's hand
    text_scale: float = 1.0  #: of the candidate's words, 1 to 2
    reach: float = 1.0  #: lower part of a tall screen where controls may be
    timezone: str | None = None  #: the venue's; None is this computer's
    volume: int = 0  #: of the candidate's voice prompts, 0..100; 0 is none


def run(role: str, socket: Path, options: UiOptions) -> int:
    """Show the screen of `role` until the process is ended. Returns the exit code."""
    if role not in ROLES:
        print(f"examgate ui: role must be one of {', '.join(ROLES)}", file=sys.stderr)
        return 2
    app = qt.QApplication.instance() or qt.QApplication(["examgate"])
    assert isinstance(app, qt.QApplication)
    if theme.set_up(app) is None:
        print(theme.NO_FONT, file=sys.stderr)
    client = Client(socket, preview=role == "candidate", screen=role)
    times.set_zone(options.timezone)
    theme.set_text_scale(options.text_scale)
    theme.set_reach(options.reach)
    speaker = Speaker(options.volume)
    window = make_window(role, client, options, speaker)
    if options.robot is not None:
        try:
            Robot(window, options.robot)
        except OSError as error:
            print(f"examgate ui: {error}", file=sys.stderr)
            return 1
    pair = quit_on_signals(app)
    guard = KioskFilter(typing=role == "proctor")
    if options.fullscreen:
        app.installEventFilter(guard)
    if options.fullscreen:
        window.showFullScreen()
    else:
        window.show()
    client.start()
    code = int(app.exec_())
    client.stop()
    speaker.close()
    app.removeEventFilter(guard)
    signal.set_wakeup_fd(-1)
    for end in pair:
        end.close()
    return code


def make_window(role: str, client: Client, options: UiOptions, speaker: Speaker) -> qt.QWidget:
    if role == "candidate":
        return CandidateWindow(client, options.language, speaker)
    from ui.proctor.window import ProctorWindow

    return ProctorWindow(client, options.language, speaker)


def quit_on_signals(app: qt.QApplication) -> tuple[sockets.socket, sockets.socket]:
    """SIGTERM and SIGINT end the loop at once; Qt alone would not notice them.

    The two sockets must be kept until the loop has ended.
    """
    ours, theirs = sockets.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    notifier = qt.QSocketNotifier(ours.fileno(), qt.QSocketNotifier.Read, app)
    notifier.activated.connect(lambda: app.quit())
    return ours, theirs
