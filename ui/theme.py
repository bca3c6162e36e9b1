"""How the screens look: colours, type, sizes, in one place.

Every ink is at least 4.5:1 on its ground (WCAG AA; tests/ui computes it), and no meaning is
carried by colour alone. It must not know any screen.
"""

from __future__ import annotations

from ui import qt

GROUND = "#F3F6FA"
PANEL = "#FFFFFF"
INK = "#0E2038"
SOFT_INK = "#42546B"
LINE = "#B9C5D3"
PRIMARY = "#0B4C9C"
PRIMARY_DARK = "#083A78"
PALE = "#DCE8F6"
GOOD = "#0A6538"
PALE_GOOD = "#DDF1E5"
WARN = "#8A4300"
PALE_WARN = "#FFEBCF"
BAD = "#9C1420"
PALE_BAD = "#FBE1E3"
FOCUS = "#C24E00"
ON_DARK = "#FFFFFF"
SKIN = "#F2C9A4"

#: (ink, ground) pairs in use; a test checks the contrast of each
PAIRS = (
    (INK, GROUND), (INK, PANEL), (SOFT_INK, GROUND), (SOFT_INK, PANEL), (ON_DARK, PRIMARY),
    (ON_DARK, PRIMARY_DARK), (INK, PALE), (PRIMARY, PALE), (PRIMARY, GROUND), (GOOD, PALE_GOOD),
    (GOOD, GROUND), (WARN, PALE_WARN), (WARN, GROUND), (BAD, PALE_BAD), (BAD, GROUND),
    (INK, PALE_WARN), (INK, PALE_BAD), (SOFT_INK, PALE_WARN), (SOFT_INK, PALE_BAD),
    (GOOD, PANEL), (WARN, PANEL), (SOFT_INK, PALE), (PRIMARY, PALE_WARN),
    (ON_DARK, GOOD), (ON_DARK, BAD), (ON_DARK, WARN), (PRIMARY, PANEL), (BAD, PANEL),
)

#: words that the candidate reads from an arm's length or more
TONES = {"plain": INK, "good": GOOD, "warn": WARN, "bad": BAD}

FAMILIES = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback",
)
NO_FONT = (
    "examgate ui: no Chinese font is installed; Chinese text cannot be shown.\n"
    "Install one and start again: apt-get install fonts-wqy-zenhei"
)


def chinese_family() -> str | None:
    """The best installed family with Chinese glyphs, or None."""
    base = qt.QFontDatabase()
    installed = base.families(qt.QFontDatabase.SimplifiedChinese)
    for family in FAMILIES:
        if family in installed:
            return family
    return installed[0] if installed else None


def font(pixels: float, *, bold: bool = False) -> qt.QFont:
    """The application's family at a pixel size."""
    made = qt.QFont(qt.QApplication.font())
    made.setPixelSize(max(1, round(pixels)))
    made.setBold(bold)
    return made


def colour(value: str, alpha: float = 1.0) -> qt.QColor:
    made = qt.QColor(value)
    made.setAlphaF(alpha)
    return made


_text_scale = 1.0


def set_text_scale(scale: float) -> None:
    """How much larger the candidate's words may be than designed, where there is room."""
    global _text_scale
    _text_scale = scale


def text_scale() -> float:
    return _text_scale


LEAST_REACH = 0.5  #: of the height: a name has to be written in it
_reach = 1.0


def set_reach(part: float) -> None:
    """The lower part of a tall candidate's screen in which everything is that one touches."""
    global _reach
    _reach = min(1.0, max(LEAST_REACH, part))


def reach() -> float:
    return _reach


def unit(width: int, height: int) -> float:
    """Pixels per design pixel: everything is drawn for a short side of 1080."""
    return max(0.3, min(width, height) / 1080)


def set_up(app: qt.QApplication) -> str | None:
    """Style, palette and family for the whole process. Returns the family, None without one."""
    app.setStyle("Fusion")
    palette = qt.QPalette()
    for role, value in (
        (qt.QPalette.Window, GROUND), (qt.QPalette.Base, PANEL), (qt.QPalette.Button, PANEL),
        (qt.QPalette.AlternateBase, GROUND), (qt.QPalette.WindowText, INK),
        (qt.QPalette.Text, INK), (qt.QPalette.ButtonText, INK),
        (qt.QPalette.PlaceholderText, SOFT_INK),
        (qt.QPalette.Highlight, PRIMARY), (qt.QPalette.HighlightedText, ON_DARK),
    ):
        palette.setColor(role, qt.QColor(value))
    app.setPalette(palette)
    family = chinese_family()
    chosen = qt.QFont(family) if family else qt.QFont(app.font())
    chosen.setPixelSize(18)
    app.setFont(chosen)
    return family
