"""What the proctor's pages have in common: how they reach the daemon, fields and tables of theirs.

A page shows and asks; what may be done is the daemon's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ui import qt, theme

OnResult = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Line:
    """`ask(method, params, on_result)` for looking, `act(method, params)` for doing: the window
    says under whose name, and shows what is declined. `say(words)` shows a sentence of the page's
    own; `failed` is called with each refusal of `ask`, after it was shown."""

    ask: Callable[..., None]
    act: Callable[..., None]
    say: Callable[[str], None]


def field(name: str, hint: str, longest: int = 200) -> qt.QLineEdit:
    made = qt.QLineEdit()
    made.setObjectName(name)
    made.setFont(theme.font(18))
    made.setMinimumHeight(44)
    made.setMaxLength(longest)
    made.setContextMenuPolicy(qt.Qt.NoContextMenu)
    made.setPlaceholderText(hint)
    return made


def choice(name: str) -> qt.QComboBox:
    made = qt.QComboBox()
    made.setObjectName(name)
    made.setFont(theme.font(18))
    made.setMinimumHeight(44)
    return made
