"""What keeps a full-screen window in front: window keys, menus and shortcuts go nowhere.

An event filter for the whole process. It must not know the screens.
"""

from __future__ import annotations

from ui import qt

ALLOWED = frozenset({
    qt.Qt.Key_Tab, qt.Qt.Key_Backtab, qt.Qt.Key_Return, qt.Qt.Key_Enter, qt.Qt.Key_Escape,
    qt.Qt.Key_Space, qt.Qt.Key_Left, qt.Qt.Key_Right, qt.Qt.Key_Up, qt.Qt.Key_Down,
    qt.Qt.Key_F1, qt.Qt.Key_F2, qt.Qt.Key_Backspace, qt.Qt.Key_Delete, qt.Qt.Key_Minus,
    *range(qt.Qt.Key_0, qt.Qt.Key_9 + 1), *range(qt.Qt.Key_A, qt.Qt.Key_Z + 1),  # numbers, scanned
})
HELD = int(qt.Qt.AltModifier) | int(qt.Qt.ControlModifier) | int(qt.Qt.MetaModifier)
KEYS = (qt.QEvent.KeyPress, qt.QEvent.KeyRelease, qt.QEvent.ShortcutOverride)


class KioskFilter(qt.QObject):
    """Install on the application when the candidate's window is full screen."""

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        if event.type() == qt.QEvent.ContextMenu:
            return True
        if event.type() in KEYS and isinstance(event, qt.QKeyEvent):
            return not allowed(event.key(), int(event.modifiers()))
        return False


def allowed(key: int, modifiers: int) -> bool:
    """Only what the screens themselves need; nothing with Alt, Ctrl or the window key."""
    return key in ALLOWED and not modifiers & HELD
