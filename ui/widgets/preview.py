"""The live picture, mirrored, with the oval to put the face in and the ring of progress.

Keeps only the newest picture, and drops it on `clear`. It must not know who is on it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ui import qt, theme
from ui.widgets.pictures import SIDE, draw_arrow, draw_face

#: the oval, as the engine means it (kiosk/face/oval.py; a test holds the two together)
OVAL_ASPECT = 0.76  #: width to height
OVAL_HEIGHT = 0.86  #: of the picture's height
OVAL_WIDEST = 0.95  #: of the picture's width, for tall pictures
ARROW = 0.22  #: its length, of the picture's height
WIDEST_SHOWN = 4 / 3  #: width to height; what is beyond, at the sides, is not shown

#: Which way the arrow points, for each movement that is asked: across and down. The picture is a
#: mirror, so a person's own left is on its left.
ARROWS = {"turn_left": (-1, 0), "turn_right": (1, 0), "look_up": (0, -1), "look_down": (0, 1)}


class Preview(qt.QWidget):
    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preview")
        self._image: qt.QImage | None = None
        self._progress = 0.0
        self._good = False
        self._asked = ""

    def show_frame(self, preview: dict[str, Any]) -> None:
        """Take one `preview` notification; a picture that cannot be read changes nothing."""
        try:
            data = base64.b64decode(preview.get("jpeg") or "", validate=True)
        except (binascii.Error, ValueError):
            return
        image = qt.QImage.fromData(data, "JPG")
        if image.isNull():
            return
        self._image = image
        self._progress = min(1.0, max(0.0, float(preview.get("progress") or 0.0)))
        self._good = preview.get("prompt") in ("none", "hold_still")
        self._asked = str(preview.get("prompt") or "")
        self.update()

    def clear(self) -> None:
        self._image, self._progress, self._good, self._asked = None, 0.0, False, ""
        self.update()

    @property
    def has_picture(self) -> bool:
        return self._image is not None

    @property
    def progress(self) -> float:
        return self._progress

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        if self._image is None:
            side = min(self.width(), self.height())
            painter.translate((self.width() - side) / 2, (self.height() - side) / 2)
            painter.scale(side / SIDE, side / SIDE)
            draw_face(painter, 0.0)
            return
        self._paint_picture(painter, self._image)
        self._paint_oval(painter)
        if self._asked in ARROWS:
            self._paint_arrow(painter, *ARROWS[self._asked])

    @staticmethod
    def _shown(image: qt.QImage) -> qt.QRectF:
        """The part of the picture that is shown: the middle, at most 4:3."""
        across = min(image.width(), image.height() * WIDEST_SHOWN)
        return qt.QRectF((image.width() - across) / 2, 0, across, image.height())

    def _frame(self, image: qt.QImage) -> qt.QRectF:
        """Where the picture goes: whole height or width, in its own proportions."""
        part = self._shown(image)
        scale = min(self.width() / part.width(), self.height() / part.height())
        across, down = part.width() * scale, part.height() * scale
        return qt.QRectF((self.width() - across) / 2, (self.height() - down) / 2, across, down)

    def oval(self) -> qt.QRectF:
        """Where the oval is, in the widget's pixels; empty without a picture."""
        if self._image is None:
            return qt.QRectF()
        frame = self._frame(self._image)
        whole = frame.width() * self._image.width() / self._shown(self._image).width()
        tall = min(frame.height() * OVAL_HEIGHT, whole * OVAL_WIDEST / OVAL_ASPECT)
        oval = qt.QRectF(0, 0, tall * OVAL_ASPECT, tall)
        oval.moveCenter(frame.center())
        return oval

    def _paint_picture(self, painter: qt.QPainter, image: qt.QImage) -> None:
        frame = self._frame(image)
        painter.save()
        painter.translate(frame.left() + frame.right(), 0)
        painter.scale(-1, 1)  # a mirror, as people expect of their own picture
        painter.drawImage(frame, image, self._shown(image))
        painter.restore()

    def _paint_oval(self, painter: qt.QPainter) -> None:
        assert self._image is not None
        frame = self._frame(self._image)
        oval = self.oval()
        around = qt.QPainterPath()
        around.addRect(frame)
        hole = qt.QPainterPath()
        hole.addEllipse(oval)
        painter.fillPath(around - hole, theme.colour(theme.GROUND, 0.72))
        thick = max(6.0, frame.height() / 50)
        painter.setBrush(qt.Qt.NoBrush)
        painter.setPen(qt.QPen(qt.QColor(theme.PANEL), thick * 1.8))
        painter.drawEllipse(oval)
        style = qt.Qt.SolidLine if self._good else qt.Qt.DashLine
        painter.setPen(qt.QPen(qt.QColor(theme.PRIMARY), thick * 0.6, style))
        painter.drawEllipse(oval)
        if self._progress > 0:
            pen = qt.QPen(qt.QColor(theme.GOOD), thick * 1.8, qt.Qt.SolidLine, qt.Qt.FlatCap)
            painter.setPen(pen)
            painter.drawArc(oval, 90 * 16, -round(self._progress * 360 * 16))

    def _paint_arrow(self, painter: qt.QPainter, across: int, down: int) -> None:
        """Large, at the side of the oval to which the head is to go: seen without reading, and
        it changes its place with the prompt."""
        assert self._image is not None
        frame, oval = self._frame(self._image), self.oval()
        size = ARROW * frame.height()
        edge = (oval.width() + size if across else oval.height() - 1.3 * size) / 2
        tip = oval.center() + qt.QPointF(across, down) * (edge + size / 2)
        tail = tip - qt.QPointF(across, down) * size
        for colour, width in ((theme.PANEL, 0.34 * size), (theme.PRIMARY, 0.20 * size)):
            draw_arrow(painter, tail, tip, colour, width, head=0.5 * size)
