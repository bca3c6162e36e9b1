"""The signature pad: strokes from touch, pen, mouse or arrow keys, drawn as smooth ink.

Strokes live only here until `clear`. It must not know whose they are or where they go.
"""

from __future__ import annotations

import math
from itertools import pairwise

from ui import qt, theme
from ui.widgets.ink import Ink

Point = tuple[float, float, float, float]  #: x, y in pad pixels; t_ms; pressure 0..1
FEWEST_POINTS = 8
SHORTEST = 0.15  #: of the pad's width; a shorter line is a dot or a slip
KEY_STEP = 0.02  #: of the pad's width, for one press of an arrow key
NO_PRESSURE = 0.0  #: the pointer does not measure any
PALM_MM = 22.0  #: a touch wider than this is no fingertip
PALM_MS = 500  #: after a pen's stroke, touches within this time are the hand that holds it

_ARROWS = {qt.Qt.Key_Left: (-1, 0), qt.Qt.Key_Right: (1, 0), qt.Qt.Key_Up: (0, -1),
           qt.Qt.Key_Down: (0, 1)}


class SignaturePad(qt.QWidget):
    """`changed` after each stroke begun, ended, undone or cleared."""

    changed = qt.pyqtSignal()

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pad")
        self.setAttribute(qt.Qt.WA_AcceptTouchEvents)
        self.setFocusPolicy(qt.Qt.StrongFocus)
        self.setCursor(qt.Qt.CrossCursor)
        self._strokes: list[list[Point]] = []
        self._drawing = False
        self._finger: int | None = None
        self._pen_clock = qt.QElapsedTimer()
        self._key_pen: qt.QPointF | None = None
        self._clock = qt.QElapsedTimer()
        self._ink = Ink()
        self._hint = ""
        self.pointer = "touch"

    # --- what was written -----------------------------------------------------------------------

    def strokes(self) -> list[list[Point]]:
        """Every stroke, a list of (x, y, t_ms, pressure)."""
        return [list(stroke) for stroke in self._strokes]

    @property
    def is_blank(self) -> bool:
        return not self._strokes

    def is_signature(self) -> bool:
        """Enough points and a line long enough; the daemon asks for the same."""
        points = sum(len(stroke) for stroke in self._strokes)
        length = sum(math.dist(a[:2], b[:2]) for s in self._strokes for a, b in pairwise(s))
        return points >= FEWEST_POINTS and length >= SHORTEST * self.width()

    def undo(self) -> None:
        if self._strokes:
            self._end()
            self._strokes.pop()
            self._repaint_all()
            self.changed.emit()

    def clear(self) -> None:
        self._drawing, self._finger, self._key_pen = False, None, None
        self._strokes = []
        self._repaint_all()
        self.changed.emit()

    def set_hint(self, hint: str) -> None:
        """Words under the ink while nothing is written."""
        self._hint = hint
        self.setAccessibleName(hint)
        self.update()

    def fits(self) -> bool:
        """Whether the hint has room in one line."""
        metrics = qt.QFontMetricsF(self._hint_font())
        return metrics.horizontalAdvance(self._hint) <= self.width()

    def _hint_font(self) -> qt.QFont:
        return theme.font(min(self.height() * 0.13, self.width() * 0.085))

    # --- strokes --------------------------------------------------------------------------------

    def _begin(self, at: qt.QPointF, pressure: float, pointer: str) -> None:
        if not self._strokes:
            self._clock.start()
        self.pointer = pointer
        self._drawing = True
        self._strokes.append([self._point(at, pressure)])
        self.update(self._ink.begin(self._strokes[-1][0], self._thickness(), pointer))
        self.changed.emit()

    def _move(self, at: qt.QPointF, pressure: float) -> None:
        if not self._drawing:
            return
        point, stroke = self._point(at, pressure), self._strokes[-1]
        if point[:2] == stroke[-1][:2]:
            return
        stroke.append(point)
        self.update(self._ink.extend(point))

    def _end(self) -> None:
        if self._drawing:
            self._drawing = False
            self._finger = None
            self.update(self._ink.end())
            self.changed.emit()

    def _point(self, at: qt.QPointF, pressure: float) -> Point:
        x = min(max(at.x(), 0.0), self.width() - 1.0)
        y = min(max(at.y(), 0.0), self.height() - 1.0)
        return (round(x, 2), round(y, 2), float(self._clock.elapsed()), round(pressure, 3))

    def _thickness(self) -> float:
        return max(3.0, self.height() / 55)

    def _repaint_all(self) -> None:
        self._ink.reset(self.size())
        for stroke in self._strokes:
            self._ink.draw(stroke, self._thickness(), self.pointer)
        self.update()

    # --- pointers -------------------------------------------------------------------------------

    def mousePressEvent(self, event: qt.QMouseEvent) -> None:
        if event.button() == qt.Qt.LeftButton:
            self._begin(event.localPos(), NO_PRESSURE, "mouse")

    def mouseMoveEvent(self, event: qt.QMouseEvent) -> None:
        self._move(event.localPos(), NO_PRESSURE)

    def mouseReleaseEvent(self, event: qt.QMouseEvent) -> None:
        if event.button() == qt.Qt.LeftButton:
            self._move(event.localPos(), NO_PRESSURE)
            self._end()

    def tabletEvent(self, event: qt.QTabletEvent) -> None:
        event.accept()
        self._pen_clock.start()
        if event.type() == qt.QEvent.TabletPress:
            self._begin(event.posF(), event.pressure(), "pen")
        elif event.type() == qt.QEvent.TabletMove:
            self._move(event.posF(), event.pressure())
        elif event.type() == qt.QEvent.TabletRelease:
            self._end()

    def event(self, event: qt.QEvent) -> bool:
        kinds = (qt.QEvent.TouchBegin, qt.QEvent.TouchUpdate, qt.QEvent.TouchEnd,
                 qt.QEvent.TouchCancel)
        if event.type() in kinds and isinstance(event, qt.QTouchEvent):
            event.accept()  # no mouse events are made of these
            self._touch(event)
            return True
        return super().event(event)

    def _touch(self, event: qt.QTouchEvent) -> None:
        """One finger writes; further ones, and the palm under a pen, are left alone."""
        if event.type() == qt.QEvent.TouchCancel:
            self._end()
            return
        device = event.device()
        measures = device is not None and bool(device.capabilities() & qt.QTouchDevice.Pressure)
        for point in event.touchPoints():
            pressure = point.pressure() if measures else NO_PRESSURE
            if point.state() == qt.Qt.TouchPointPressed and not self._drawing:
                if self._pen_clock.isValid() and self._pen_clock.elapsed() < PALM_MS:
                    continue
                if self._is_palm(point.ellipseDiameters()):
                    continue
                self._finger = point.id()
                self._begin(point.pos(), pressure, "touch")
            elif point.id() == self._finger:
                self._move(point.pos(), pressure)
                if point.state() == qt.Qt.TouchPointReleased:
                    self._end()

    def _is_palm(self, size: qt.QSizeF) -> bool:
        """By the size of the touch, where the screen tells it (0 where it does not)."""
        handle = self.window().windowHandle()
        a_mm = (handle.screen().physicalDotsPerInch() if handle else 96.0) / 25.4
        return min(size.width(), size.height()) > PALM_MM * a_mm

    # --- keyboard -------------------------------------------------------------------------------

    def keyPressEvent(self, event: qt.QKeyEvent) -> None:
        """Arrows move a pen, the space bar puts it down and lifts it."""
        if event.key() in _ARROWS:
            dx, dy = _ARROWS[qt.Qt.Key(event.key())]
            step = KEY_STEP * self.width()
            at = self._key_pen or qt.QPointF(self.width() * 0.2, self.height() * 0.5)
            self._key_pen = qt.QPointF(min(max(at.x() + dx * step, 0), self.width()),
                                       min(max(at.y() + dy * step, 0), self.height()))
            self._move(self._key_pen, NO_PRESSURE)
            self.update()
        elif event.key() == qt.Qt.Key_Space and not event.isAutoRepeat():
            if self._drawing:
                self._end()
            else:
                self._key_pen = self._key_pen or qt.QPointF(self.width() * 0.2,
                                                            self.height() * 0.5)
                self._begin(self._key_pen, NO_PRESSURE, "mouse")
        else:
            event.ignore()

    # --- paint ----------------------------------------------------------------------------------

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        self._repaint_all()

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.fillRect(event.rect(), qt.QColor(theme.PANEL))
        wide = self.hasFocus()
        painter.setPen(qt.QPen(qt.QColor(theme.FOCUS if wide else theme.SOFT_INK),
                               6 if wide else 3))
        painter.drawRect(self.rect().adjusted(2, 2, -2, -2))
        base, margin = self.height() * 0.78, self.width() * 0.06
        painter.setPen(qt.QPen(qt.QColor(theme.LINE), 3, qt.Qt.DashLine))
        painter.drawLine(qt.QPointF(margin, base), qt.QPointF(self.width() - margin, base))
        if self.is_blank and self._hint:
            painter.setPen(qt.QColor(theme.SOFT_INK))
            painter.setFont(self._hint_font())
            painter.drawText(self.rect(), int(qt.Qt.AlignCenter), self._hint)
        self._ink.paint(painter, event.rect())
        if self._key_pen is not None and self.hasFocus():
            painter.setPen(qt.QPen(qt.QColor(theme.FOCUS), 4))
            painter.drawEllipse(self._key_pen, 12, 12)
