"""What cannot be taken back wants a second press, soon after the first.

Knows no button: whoever owns one shows by `of` which press is waited for.
"""

from __future__ import annotations

from typing import Any

from ui import qt

SURE_MS = 4000  #: the second press must come within this time


class Sure(qt.QObject):
    """`changed` when another press is waited for, or none any more."""

    changed = qt.pyqtSignal()

    def __init__(self, owner: qt.QObject) -> None:
        super().__init__(owner)
        self.of: Any = None  #: what was pressed once; None: nothing
        self._timer = qt.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SURE_MS)
        self._timer.timeout.connect(self.forget)

    def press(self, what: Any) -> bool:
        """True: it was pressed for the second time and is meant."""
        meant = bool(self.of == what)
        self._wait_for(None if meant else what)
        return meant

    def forget(self) -> None:
        self._wait_for(None)

    def _wait_for(self, what: Any) -> None:
        self.of = what
        if what is None:
            self._timer.stop()
        else:
            self._timer.start()
        self.changed.emit()
