"""A hand at the screen for demonstrations and tests: real Qt events, asked for over a socket.

Runs only when a path is given. JSON lines in, one answer a line. It must not call what the
screens do themselves, only press, move and look.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ui import qt
from ui.candidate.window import CandidateWindow
from ui.widgets.pad import SignaturePad

SIGN_MS = 1200  #: a whole signature at speed 1
TICK_MS = 8
PATIENCE_MS = 3000  #: how long a button or the pad may take to come up
LONGEST_LINE = 4 * 1024 * 1024

Answer = Callable[[dict[str, Any]], None]


class Robot(qt.QObject):
    """Listens at `path` until the process ends. Raises `OSError` when it cannot."""

    def __init__(self, window: qt.QWidget, path: Path) -> None:
        super().__init__(window)
        self._window = window
        self._server = qt.QLocalServer(self)
        self._server.setSocketOptions(qt.QLocalServer.UserAccessOption)
        qt.QLocalServer.removeServer(str(path))
        if not self._server.listen(str(path)):
            raise OSError(f"robot: cannot listen at {path}: {self._server.errorString()}")
        self._server.newConnection.connect(self._on_connection)
        self._signing = False
        # kept here, or the collector of cycles cuts them off from their slots
        self._peers: set[qt.QLocalSocket] = set()

    def _on_connection(self) -> None:
        while (peer := self._server.nextPendingConnection()) is not None:
            peer.readyRead.connect(partial(self._on_bytes, peer))
            peer.disconnected.connect(partial(self._on_gone, peer))
            self._peers.add(peer)
            self._on_bytes(peer)

    def _on_gone(self, peer: qt.QLocalSocket) -> None:
        self._peers.discard(peer)
        peer.deleteLater()

    def _on_bytes(self, peer: qt.QLocalSocket) -> None:
        while peer.canReadLine():
            line = bytes(peer.readLine(LONGEST_LINE))
            answer = partial(_send, peer)
            try:
                command = json.loads(line)
                self._do(dict(command), answer)
            except (ValueError, TypeError, KeyError) as error:
                answer({"ok": False, "error": f"{type(error).__name__}: {error}"})

    def _do(self, command: dict[str, Any], answer: Answer) -> None:
        match command.get("do"):
            case "screenshot":
                self._screenshot(str(command["path"]), answer)
            case "describe":
                answer({"ok": True} | describe(self._window))
            case "click":
                self._click(str(command["name"]), answer)
            case "key":
                self._key(str(command["name"]), answer)
            case "sign":
                strokes = [[(float(x), float(y)) for x, y in s] for s in command["strokes"]]
                self._sign(strokes, float(command.get("speed", 1.0)), answer)
            case other:
                answer({"ok": False, "error": f"cannot do {other!r}"})

    # --- look -----------------------------------------------------------------------------------

    def _screenshot(self, path: str, answer: Answer) -> None:
        saved = self._window.grab().save(path, "PNG")
        answer({"ok": True, "path": path} if saved else {"ok": False, "error": "not saved"})

    # --- press ----------------------------------------------------------------------------------

    def _click(self, name: str, answer: Answer) -> None:
        def then(button: qt.QAbstractButton) -> None:
            press(button)
            answer({"ok": True})

        self._when_ready(
            lambda: _button(self._window, name),
            then,
            partial(answer, {"ok": False, "error": f"no enabled button {name!r} on the screen"}),
        )

    def _key(self, name: str, answer: Answer) -> None:
        """One key by Qt's name (Tab, Return, Escape, F1, Space, A …), to what has the focus."""
        key = getattr(qt.Qt, f"Key_{name}", None)
        if key is None:
            answer({"ok": False, "error": f"no key {name!r}"})
            return
        for kind in (qt.QEvent.KeyPress, qt.QEvent.KeyRelease):
            target = self._window.focusWidget() or self._window
            qt.QApplication.postEvent(target, qt.QKeyEvent(kind, key, qt.Qt.NoModifier))
            qt.QApplication.sendPostedEvents(target, 0)
        answer({"ok": True})

    def _sign(self, strokes: list[list[tuple[float, float]]], speed: float,
              answer: Answer) -> None:
        if self._signing or not strokes or speed <= 0:
            answer({"ok": False, "error": "busy, no strokes, or no speed"})
            return
        self._signing = True

        def over(result: dict[str, Any]) -> None:
            self._signing = False
            answer(result)

        self._when_ready(
            lambda: _pad(self._window),
            lambda pad: Hand(self, pad, strokes, speed, lambda: self._click("confirm", over)),
            partial(over, {"ok": False, "error": "no signature pad on the screen"}),
        )

    def _when_ready(self, find: Callable[[], Any], then: Callable[[Any], Any],
                    give_up: Callable[[], None]) -> None:
        """`then` with what `find` finds, as soon as it is there."""
        clock = qt.QElapsedTimer()
        clock.start()

        def look() -> None:
            found = find()
            if found is not None:
                then(found)
            elif clock.elapsed() > PATIENCE_MS:
                give_up()
            else:
                qt.QTimer.singleShot(20, look)

        look()


class Hand(qt.QObject):
    """Moves over the pad with the left button, point by point, in the given time."""

    def __init__(self, parent: qt.QObject, pad: SignaturePad,
                 strokes: list[list[tuple[float, float]]], speed: float,
                 done: Callable[[], None]) -> None:
        super().__init__(parent)
        self._pad, self._done = pad, done
        self._acts = [act for stroke in strokes if stroke for act in _acts(stroke)]
        self._whole_ms = SIGN_MS / speed
        self._sent = 0
        self._clock = qt.QElapsedTimer()
        self._clock.start()
        self._timer = qt.QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        part = min(1.0, self._clock.elapsed() / self._whole_ms)
        due = round(part * len(self._acts))
        for kind, x, y in self._acts[self._sent:due]:
            at = qt.QPointF(x * self._pad.width(), y * self._pad.height())
            post_mouse(self._pad, kind, at)
        self._sent = due
        if due == len(self._acts):
            self._timer.stop()
            qt.QTimer.singleShot(0, self._done)
            self.deleteLater()


def _acts(stroke: list[tuple[float, float]]) -> list[tuple[qt.QEvent.Type, float, float]]:
    moves = [(qt.QEvent.MouseMove, x, y) for x, y in stroke[1:]]
    return [(qt.QEvent.MouseButtonPress, *stroke[0]), *moves,
            (qt.QEvent.MouseButtonRelease, *stroke[-1])]


def post_mouse(widget: qt.QWidget, kind: qt.QEvent.Type, at: qt.QPointF) -> None:
    """One mouse event into Qt's queue, as the window system would."""
    held = qt.Qt.NoButton if kind == qt.QEvent.MouseButtonRelease else qt.Qt.LeftButton
    which = qt.Qt.NoButton if kind == qt.QEvent.MouseMove else qt.Qt.LeftButton
    window_at = qt.QPointF(widget.mapTo(widget.window(), at.toPoint()))
    global_at = qt.QPointF(widget.mapToGlobal(at.toPoint()))
    event = qt.QMouseEvent(kind, at, window_at, global_at, which, held, qt.Qt.NoModifier)
    qt.QApplication.postEvent(widget, event)


def press(button: qt.QAbstractButton) -> None:
    """Press and release in the middle, and let Qt deal with both."""
    middle = qt.QPointF(button.rect().center())
    post_mouse(button, qt.QEvent.MouseButtonPress, middle)
    post_mouse(button, qt.QEvent.MouseButtonRelease, middle)
    qt.QApplication.sendPostedEvents(button, 0)


def _button(window: qt.QWidget, name: str) -> qt.QAbstractButton | None:
    for button in window.findChildren(qt.QAbstractButton, name):
        if button.isVisible() and button.isEnabled():
            return button
    return None


def _pad(window: qt.QWidget) -> SignaturePad | None:
    for pad in window.findChildren(SignaturePad):
        if pad.isVisible() and pad.isEnabled():
            return pad
    return None


def describe(window: qt.QWidget) -> dict[str, Any]:
    """The screen in words: `screen`, `texts` by name, names of buttons that can be pressed."""
    texts = {}
    for child in window.findChildren(qt.QWidget):
        words = getattr(child, "text", None)
        if child.objectName() and child.isVisible() and callable(words) and words():
            texts[child.objectName()] = str(words())
    buttons = [b.objectName() for b in window.findChildren(qt.QAbstractButton)
               if b.objectName() and b.isVisible() and b.isEnabled()]
    screen = window.state_name if isinstance(window, CandidateWindow) else window.objectName()
    return {"screen": screen, "texts": texts, "buttons": buttons}


def _send(peer: qt.QLocalSocket, message: dict[str, Any]) -> None:
    if peer.state() == qt.QLocalSocket.ConnectedState:
        peer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        peer.flush()
