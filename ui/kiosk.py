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
    """Install on the application when its window is full screen. `typing`: people write names and
    reasons there, so every key goes that is held with nothing but Shift, editing keys with Ctrl."""

    def __init__(self, typing: bool = False) -> None:
        super().__init__()
        self._typing = typing

    def eventFilter(self, watched: qt.QObject, event: qt.QEvent) -> bool:
        if event.type() == qt.QEvent.ContextMenu:
            return True
        if event.type() in KEYS and isinstance(event, qt.QKeyEvent):
            key, held = event.key(), int(event.modifiers())
            return not (typed(key, held) if self._typing else allowed(key, held))
        return False


def allowed(key: int, modifiers: int) -> bool:
    """Only what the screens themselves need; nothing with Alt, Ctrl or the window key."""
    return key in ALLOWED and not modifiers & HELD


EDITING = frozenset({
    qt.Qt.Key_A, qt.Qt.Key_C, qt.Qt.Key_V, qt.Qt.Key_X, qt.Qt.Key_Z, qt.Qt.Key_Left,
    qt.Qt.Key_Right, qt.Qt.Key_Home, qt.Qt.Key_End, qt.Qt.Key_Backspace, qt.Qt.Key_Delete,
    qt.Qt.Key_Space, qt.Qt.Key_Control,  # Ctrl and space bar change many input methods
})
WINDOW_KEYS = frozenset(
    {qt.Qt.Key_Meta, qt.Qt.Key_Super_L, qt.Qt.Key_Super_R, qt.Qt.Key_Menu, qt.Qt.Key_Alt,
     *range(qt.Qt.Key_F1, qt.Qt.Key_F35 + 1)}
)


def typed(key: int, modifiers: int) -> bool:
    """What people need to write and to move about; nothing that belongs to windows."""
    if modifiers & (int(qt.Qt.AltModifier) | int(qt.Qt.MetaModifier)) or key in WINDOW_KEYS:
        return False
    return not modifiers & int(qt.Qt.ControlModifier) or key in EDITING
