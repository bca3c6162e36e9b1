"""A QR code that a phone reads from the screen: whole pixels, black on white, a quiet zone.

It must not know what the text says.
"""

from __future__ import annotations

import segno

from ui import qt

QUIET = 4  #: white modules around it (ISO/IEC 18004)
DENSE = 81  #: modules a side; from here on the weaker error level, so that they stay large


class QrCode(qt.QWidget):
    """Shows one text; nothing when it is empty or longer than a code holds."""

    def __init__(self, parent: qt.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("code")
        self._text = ""
        self._modules: list[bytes] = []

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._modules = modules_of(text) if text else []
            self.setVisible(bool(self._modules))
            self.update()

    def text(self) -> str:
        return self._text

    @property
    def module_pixels(self) -> int:
        """Pixels a side of one module; 0 when there is nothing or too little room."""
        if not self._modules:
            return 0
        return min(self.width(), self.height()) // (len(self._modules) + 2 * QUIET)

    def paintEvent(self, event: qt.QPaintEvent) -> None:
        side, count = self.module_pixels, len(self._modules)
        if not side:
            return
        painter = qt.QPainter(self)
        whole = side * (count + 2 * QUIET)
        left, top = (self.width() - whole) // 2, (self.height() - whole) // 2
        painter.fillRect(left, top, whole, whole, qt.Qt.white)
        left, top = left + side * QUIET, top + side * QUIET
        for y, line in enumerate(self._modules):
            for x, dark in enumerate(line):
                if dark:
                    painter.fillRect(left + x * side, top + y * side, side, side, qt.Qt.black)


def modules_of(text: str) -> list[bytes]:
    """Rows of 0 and 1, without the quiet zone. Empty when the text is too long for a code.

    Level M, which bears a reflection or a thumb; L where M would need very small modules.
    """
    for error in ("m", "l"):
        try:
            code = segno.make_qr(text, error=error, encoding="utf-8")
        except segno.DataOverflowError:
            continue
        if code.symbol_size(border=0)[0] < DENSE or error == "l":
            return [bytes(line) for line in code.matrix]
    return []
