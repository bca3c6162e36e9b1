"""The signature: drawn with real events, refused when empty, sent as it was written."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk import wire
from kiosk.signature import Pad, check_strokes
from ui import qt
from ui.candidate.window import CandidateWindow
from ui.i18n import commitment, text
from ui.widgets.pad import SignaturePad


@pytest.fixture
def signing(qtbot: Any, daemon: Any, window: CandidateWindow) -> CandidateWindow:
    state = daemon.show("sign", visit=5)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)
    return window


def draw(qtbot: Any, pad: SignaturePad, points: list[tuple[float, float]]) -> None:
    """One stroke with the mouse, in fractions of the pad."""
    at = [qt.QPoint(round(x * pad.width()), round(y * pad.height())) for x, y in points]
    qtbot.mousePress(pad, qt.Qt.LeftButton, pos=at[0])
    for point in at[1:]:
        move = qt.QMouseEvent(qt.QEvent.MouseMove, point, qt.Qt.NoButton, qt.Qt.LeftButton,
                              qt.Qt.NoModifier)
        qt.QApplication.sendEvent(pad, move)
    qtbot.mouseRelease(pad, qt.Qt.LeftButton, pos=at[-1])


def wave(start: float = 0.1) -> list[tuple[float, float]]:
    return [(start + 0.3 * n / 29, 0.5 + 0.2 * math.sin(n / 3)) for n in range(30)]


def ink(pad: SignaturePad) -> int:
    """How many dark pixels the pad shows."""
    image = pad.grab().toImage().scaled(160, 90)
    return sum(qt.QColor(image.pixel(x, y)).lightness() < 150
               for x in range(6, 154) for y in range(4, 86))


def test_strokes_reach_the_daemon_intact(qtbot: Any, daemon: Any, signing: CandidateWindow
                                         ) -> None:
    page = signing.sign_page
    draw(qtbot, page.pad, wave(0.1))
    draw(qtbot, page.pad, wave(0.5))
    strokes = page.pad.strokes()
    qtbot.mouseClick(page.confirm, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.sign")), timeout=5000)
    (sent,) = daemon.called("candidate.sign")
    assert sent["strokes"] == [[list(p) for p in s] for s in strokes]
    assert [len(s) for s in sent["strokes"]] == [30, 30]
    assert (sent["visit"], sent["pointer"]) == (5, "mouse")
    assert (sent["width"], sent["height"]) == (page.pad.width(), page.pad.height())
    assert sent["text_sha256"] == commitment("zh")[1]
    assert page.commitment.text() == commitment("zh")[0]
    assert check_strokes(Pad(**sent))
    times = [p[2] for s in sent["strokes"] for p in s]
    assert times == sorted(times) and times[0] == 0


@pytest.mark.parametrize("points", [[], [(0.5, 0.5)], [(0.5, 0.5), (0.51, 0.5)]])
def test_an_empty_or_one_dot_signature_gets_a_hint(
    qtbot: Any, daemon: Any, signing: CandidateWindow, points: list[tuple[float, float]]
) -> None:
    page = signing.sign_page
    if points:
        draw(qtbot, page.pad, points)
    qtbot.mouseClick(page.confirm, qt.Qt.LeftButton)
    assert page.hint.text() == text("zh", "sign.too_short")
    draw(qtbot, page.pad, wave())
    assert page.hint.text() == ""
    assert daemon.called("candidate.sign") == []


def test_pad_and_daemon_agree_on_what_is_a_signature(
    qtbot: Any, signing: CandidateWindow
) -> None:
    pad = signing.sign_page.pad
    for reach in (0.02, 0.1, 0.14, 0.16, 0.3):
        pad.clear()
        draw(qtbot, pad, [(0.2 + reach * n / 15, 0.5) for n in range(16)])
        sent = Pad(visit=1, strokes=pad.strokes(), width=pad.width(), height=pad.height(),
                   text_sha256="0" * 64)
        assert pad.is_signature() == check_strokes(sent), reach


def test_undo_and_clear(qtbot: Any, signing: CandidateWindow) -> None:
    page = signing.sign_page
    blank = ink(page.pad)
    draw(qtbot, page.pad, wave(0.1))
    one = ink(page.pad)
    draw(qtbot, page.pad, wave(0.5))
    assert ink(page.pad) > one > 0
    qtbot.mouseClick(page.undo, qt.Qt.LeftButton)
    assert len(page.pad.strokes()) == 1 and ink(page.pad) == one
    qtbot.mouseClick(page.clear, qt.Qt.LeftButton)
    assert page.pad.is_blank and ink(page.pad) == blank
    assert not page.undo.isEnabled() and not page.clear.isEnabled()


def test_the_daemon_may_decline_and_the_person_goes_on(
    qtbot: Any, daemon: Any, signing: CandidateWindow
) -> None:
    page = signing.sign_page
    daemon.answers["candidate.sign"] = wire.RpcError(-32000, "no", {"code": "SIGNATURE_EMPTY"})
    draw(qtbot, page.pad, wave())
    page.confirm.click()
    assert not page.pad.isEnabled()
    qtbot.waitUntil(lambda: page.pad.isEnabled(), timeout=5000)
    assert page.hint.text() == text("zh", "sign.too_short")
    daemon.answers["candidate.sign"] = wire.RpcError(-32603, "broken")
    page.confirm.click()
    qtbot.waitUntil(lambda: page.hint.text() == text("zh", "sign.again"), timeout=5000)


def test_nothing_of_a_signature_stays_for_the_next(
    qtbot: Any, daemon: Any, signing: CandidateWindow
) -> None:
    page = signing.sign_page
    draw(qtbot, page.pad, wave())
    daemon.show("sign", visit=6)
    qtbot.waitUntil(lambda: signing._visit == 6, timeout=5000)
    assert page.pad.is_blank
    draw(qtbot, page.pad, wave())
    daemon.show("drawing", visit=6)
    qtbot.waitUntil(lambda: signing.state_name == "drawing", timeout=5000)
    assert page.pad.is_blank


def test_another_language_is_another_text_and_wants_another_signature(
    qtbot: Any, signing: CandidateWindow
) -> None:
    page = signing.sign_page
    draw(qtbot, page.pad, wave())
    signing.switch.click()
    assert page.pad.is_blank and page.commitment.text() == commitment("en")[0]


class Touch:
    """Stands for a QTouchEvent: Qt's Python binding cannot make the points of one."""

    def __init__(self, pad: SignaturePad, *points: tuple[int, Any, float], wide: float = 0.0
                 ) -> None:
        self._pad, self._points, self._wide = pad, points, wide

    def type(self) -> Any:
        return qt.QEvent.TouchUpdate

    def device(self) -> None:
        return None

    def touchPoints(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(
            id=lambda n=n: n, state=lambda s=s: s, pressure=lambda: 1.0,
            ellipseDiameters=lambda: qt.QSizeF(self._wide, self._wide),
            pos=lambda x=x: qt.QPointF(x * self._pad.width(), 0.5 * self._pad.height()))
            for n, s, x in self._points]


def test_touches_are_taken_before_mouse_events_are_made_of_them(
    signing: CandidateWindow
) -> None:
    device = qt.QTouchDevice()  # the event only points at it
    event = qt.QTouchEvent(qt.QEvent.TouchBegin, device, qt.Qt.NoModifier,
                           qt.Qt.TouchPointStates(), [])
    event.ignore()
    assert signing.sign_page.pad.event(event) and event.isAccepted()


def test_one_finger_writes_and_a_second_is_left_alone(signing: CandidateWindow) -> None:
    pad, q = signing.sign_page.pad, qt.Qt
    pad._touch(Touch(pad, (0, q.TouchPointPressed, 0.1)))
    for n in range(1, 12):
        second = q.TouchPointPressed if n == 1 else q.TouchPointMoved
        pad._touch(Touch(pad, (0, q.TouchPointMoved, 0.1 + n * 0.03), (1, second, 0.9)))
    pad._touch(Touch(pad, (0, q.TouchPointReleased, 0.45), (1, q.TouchPointReleased, 0.9)))
    (stroke,) = pad.strokes()
    assert max(p[0] for p in stroke) < 0.5 * pad.width()
    assert {p[3] for p in stroke} == {0.0}
    assert pad.pointer == "touch" and pad.is_signature()


def tablet(pad: SignaturePad, kind: qt.QEvent.Type, x: float, pressure: float) -> None:
    spot = qt.QPointF(x * pad.width(), 0.5 * pad.height())
    event = qt.QTabletEvent(kind, spot, spot, 0, 1, pressure, 0, 0, 0.0, 0.0, 0,
                            qt.Qt.NoModifier, 7, qt.Qt.LeftButton, qt.Qt.LeftButton)
    qt.QApplication.sendEvent(pad, event)


def test_a_pen_writes_with_pressure_and_its_hand_does_not(
    qtbot: Any, signing: CandidateWindow
) -> None:
    pad = signing.sign_page.pad
    tablet(pad, qt.QEvent.TabletPress, 0.2, 0.2)
    for n in range(1, 10):
        tablet(pad, qt.QEvent.TabletMove, 0.2 + n * 0.04, 0.2 + n * 0.08)
    tablet(pad, qt.QEvent.TabletRelease, 0.56, 0.0)
    pad._touch(Touch(pad, (0, qt.Qt.TouchPointPressed, 0.9)))
    (stroke,) = pad.strokes()
    assert pad.pointer == "pen"
    assert stroke[0][3] == pytest.approx(0.2) and stroke[-1][3] == pytest.approx(0.92)


def test_a_signature_by_keyboard(qtbot: Any, daemon: Any, signing: CandidateWindow) -> None:
    pad = signing.sign_page.pad
    assert signing.focusWidget() is pad
    qtbot.keyClick(pad, qt.Qt.Key_Space)
    for _ in range(12):
        qtbot.keyClick(pad, qt.Qt.Key_Right)
    qtbot.keyClick(pad, qt.Qt.Key_Space)
    qtbot.keyClick(pad, qt.Qt.Key_Return)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.sign")), timeout=5000)


def test_a_palm_laid_on_first_writes_nothing_and_the_finger_still_does(
    signing: CandidateWindow
) -> None:
    pad, q = signing.sign_page.pad, qt.Qt
    pad._touch(Touch(pad, (0, q.TouchPointPressed, 0.8), wide=900))
    pad._touch(Touch(pad, (0, q.TouchPointMoved, 0.7), wide=900))
    assert pad.is_blank
    for n in range(12):
        state = q.TouchPointMoved if n else q.TouchPointPressed
        pad._touch(Touch(pad, (1, state, 0.1 + n * 0.03), wide=30))
    pad._touch(Touch(pad, (1, q.TouchPointReleased, 0.45), wide=30))
    assert len(pad.strokes()) == 1 and pad.is_signature()


def test_the_commitment_is_enlarged_and_scrolled_and_ink_stays(
    qtbot: Any, signing: CandidateWindow
) -> None:
    page = signing.sign_page
    draw(qtbot, page.pad, wave())
    before = page.pad.strokes()
    qtbot.mouseClick(page.enlarge, qt.Qt.LeftButton)
    reading = page.reading
    assert reading.isVisible() and not page.pad.isVisible()
    assert reading.label.text() == commitment("zh")[0]
    first = reading.pixels
    assert first > page.commitment.pixels
    for _ in range(4):
        if reading.larger.isEnabled():
            qtbot.mouseClick(reading.larger, qt.Qt.LeftButton)
    assert reading.pixels > 1.5 * first and not reading.larger.isEnabled()
    bar = reading.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=3000)
    qtbot.keyClick(reading.area, qt.Qt.Key_PageDown)
    assert bar.value() > 0
    qtbot.keyClick(reading.area, qt.Qt.Key_Escape)
    assert not reading.isVisible() and page.pad.isVisible()
    assert page.pad.strokes() == before
    assert signing.state_name == "sign"  # Esc left the text, not the visit


def test_the_enlarged_text_goes_with_the_person(
    qtbot: Any, daemon: Any, signing: CandidateWindow
) -> None:
    signing.sign_page.enlarge.click()
    daemon.show("sign", visit=6)
    qtbot.waitUntil(lambda: signing._visit == 6, timeout=5000)
    assert not signing.sign_page.reading.isVisible() and signing.sign_page.pad.isVisible()
