"""What the screen costs: decoding and painting a preview, and ink under the pen.

Run: python bench/bench_ui.py [--rounds N] [--size 1920x1080]. Off screen, so that the figures
are this program's own work; a display adds its refresh.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import given
from rich.console import Console
from rich.table import Table

from ui import qt, theme
from ui.candidate.window import CandidateWindow
from ui.client import Client
from ui.robot import post_mouse
from ui.screenshots import NOWHERE, example, preview, scribble


class PaintSeen(qt.QObject):
    """Notes when the watched widget has been asked to paint."""

    def __init__(self, widget: qt.QWidget) -> None:
        super().__init__()
        self.painted = False
        widget.installEventFilter(self)

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        if event.type() == qt.QEvent.Paint:
            self.painted = True
        return False


def preview_ms(app: qt.QApplication, window: CandidateWindow, rounds: int) -> list[float]:
    """Milliseconds from a `preview` notification in hand to the painted window."""
    client_state = example("face", visit=1)
    window._on_state(client_state)
    app.processEvents()
    frame = preview()
    taken: list[float] = []
    for n in range(rounds):
        frame["progress"] = n / rounds
        begun = time.perf_counter()
        window._on_preview(frame)
        window.face_page.preview.repaint()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def stroke_ms(app: qt.QApplication, window: CandidateWindow, rounds: int) -> list[float]:
    """Milliseconds from a mouse event in Qt's queue to the end of its paint."""
    window._on_state(example("sign", visit=2))
    app.processEvents()
    pad = window.sign_page.pad
    seen = PaintSeen(pad)
    taken: list[float] = []
    while len(taken) < rounds:
        pad.clear()
        app.processEvents()
        for stroke in scribble(pad.width(), pad.height()):
            post_mouse(pad, qt.QEvent.MouseButtonPress, qt.QPointF(*stroke[0]))
            app.processEvents()
            for x, y in stroke[1:]:
                seen.painted = False
                begun = time.perf_counter()
                post_mouse(pad, qt.QEvent.MouseMove, qt.QPointF(x, y))
                while not seen.painted:
                    app.processEvents()
                taken.append((time.perf_counter() - begun) * 1000)
            post_mouse(pad, qt.QEvent.MouseButtonRelease, qt.QPointF(*stroke[-1]))
            app.processEvents()
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=given.whole(1), default=500)
    parser.add_argument("--size", default="1920x1080")
    arguments = parser.parse_args()
    wide, _, high = arguments.size.partition("x")
    app = qt.QApplication(["bench"])
    theme.set_up(app)
    window = CandidateWindow(Client(NOWHERE, preview=False), "zh")
    window.resize(int(wide), int(high))
    window.show()
    app.processEvents()
    table = Table("what", "p50 ms", "p95 ms", "most ms", title=f"screens, {arguments.size}")
    for name, measure in (
        ("preview decode and paint", preview_ms),
        ("stroke event to paint", stroke_ms),
    ):
        times = sorted(measure(app, window, arguments.rounds))
        table.add_row(
            name, *(f"{times[int(part * (len(times) - 1))]:.2f}" for part in (0.5, 0.95, 1.0))
        )
    Console().print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
