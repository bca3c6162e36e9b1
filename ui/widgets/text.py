"""Large words that always fit: the type shrinks between two sizes until the text has room.

It must not know what the words mean.
"""

from __future__ import annotations

from ui import qt, theme

FLAGS = int(qt.Qt.TextWordWrap)
UNBROKEN = 0.8  #: short words may shrink to this part where that saves breaking a line
SHORT = 2  #: lines; longer texts are for reading and keep their size


class BigText(qt.QWidget):
    """A label whose size is given in design pixels (theme.unit), from `largest` to `smallest`."""

    def __init__(
        self,
        name: str,
        largest: float,
        smallest: float,
        *,
        bold: bool = False,
        align: int = qt.Qt.AlignCenter,
        parent: qt.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._largest, self._smallest, self._bold = largest, smallest, bold
        self._align = int(align)
        self._text = ""
        self._ink = theme.INK
        self._ground: str | None = None
        self._unit = 1.0
        self._pixels = largest
        self.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Expanding)

    def text(self) -> str:
        return self._text

    def set_text(self, text: str, ink: str = theme.INK, ground: str | None = None) -> None:
        if (text, ink, ground) == (self._text, self._ink, self._ground):
            return
        self._text, self._ink, self._ground = text, ink, ground
        self.setAccessibleName(text)
        self._fit()

    def set_align(self, align: int) -> None:
        self._align = int(align)
        self.update()

    def set_unit(self, unit: float) -> None:
        self._unit = unit
        self._fit()

    @property
    def pixels(self) -> float:
        """The size of the type in use."""
        return self._pixels

    def fits(self) -> bool:
        """Whether the whole text has room at the present size."""
        return not self._text or self._has_room(self._pixels)

    def _inner(self) -> qt.QRectF:
        pad = 20 * self._unit if self._ground else 0
        return qt.QRectF(self.rect()).adjusted(pad, 0, -pad, 0)

    def _has_room(self, pixels: float) -> bool:
        room = self._inner()
        metrics = qt.QFontMetricsF(theme.font(pixels, bold=self._bold))
        huge = qt.QRectF(0, 0, room.width(), 1e6)
        needed = metrics.boundingRect(huge, self._align | FLAGS, self._text)
        return needed.width() <= room.width() + 1 and needed.height() <= room.height() + 1

    def _fit(self) -> None:
        low = self._smallest * self._unit
        high = self._largest * self._unit * theme.text_scale()
        if self._text and self.width() > 1 and self.height() > 1 and not self._has_room(high):
            while high - low > 1:
                middle = (low + high) / 2
                low, high = (middle, high) if self._has_room(middle) else (low, middle)
            high = low
        self._pixels = max(self._smallest * self._unit, self._unbroken(high))
        self.update()

    def _unbroken(self, pixels: float) -> float:
        """A little less than `pixels` where no line need be broken then: no last word alone."""
        lines = self._text.split("\n")
        metrics = qt.QFontMetricsF(theme.font(pixels, bold=self._bold))
        longest = max(metrics.horizontalAdvance(line) for line in lines)
        part = (self._inner().width() - 1) / longest if longest else 1.0
        return pixels * part - 1 if len(lines) <= SHORT and UNBROKEN <= part < 1 else pixels

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        self._fit()

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        if not self._text:
            return
        painter = qt.QPainter(self)
        painter.setRenderHint(qt.QPainter.Antialiasing)
        painter.setFont(theme.font(self._pixels, bold=self._bold))
        room = self._inner()
        if self._ground:
            words = painter.boundingRect(room, self._align | FLAGS, self._text)
            pad = 20 * self._unit
            pill = words.adjusted(-pad, -pad / 2, pad, pad / 2) & qt.QRectF(self.rect())
            painter.setPen(qt.Qt.NoPen)
            painter.setBrush(qt.QColor(self._ground))
            painter.drawRoundedRect(pill, pad, pad)
        painter.setPen(qt.QColor(self._ink))
        # Qt draws very large type from outlines and leaves the emboldening away
        heavy = self._pixels * 0.022 if self._bold and self._pixels > 60 else 0.0
        for shift in (qt.QPointF(0, 0), qt.QPointF(heavy, 0), qt.QPointF(0, heavy),
                      qt.QPointF(heavy, heavy))[: 4 if heavy else 1]:
            painter.drawText(room.translated(shift), self._align | FLAGS, self._text)
