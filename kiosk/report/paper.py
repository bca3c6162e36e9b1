"""A4 pages with Chinese text: font, styles, tables that repeat their heads, numbered feet.

Knows nothing of sessions. The same content gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)

from kiosk.report.words import label

FONT = "examgate-cjk"
FONT_FILES = (
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/wenquanyi/wqy-zenhei/wqy-zenhei.ttc"),
)
MARGIN = 15 * mm
FRAME_PADDING = 6  #: points; reportlab's own, inside the margins
WIDTH = A4[0] - 2 * MARGIN
INK, GREY, LINE, SHADE = HexColor("#1b1f24"), HexColor("#5c6670"), HexColor("#c9d0d6"), HexColor(
    "#eef2f5"
)  # fmt: skip
ACCENT, ALARM = HexColor("#0b4f82"), HexColor("#a32018")


class FontMissing(Exception):
    """There is no font with Chinese characters to embed."""

    def __init__(self, why: str = "is not installed") -> None:
        super().__init__(
            f"the font WenQuanYi Zen Hei {why}; install it: apt-get install fonts-wqy-zenhei"
        )


@cache
def _font() -> TTFont:
    """Registered once. Only the characters that are used are embedded. Raises `FontMissing`."""
    file = next((f for f in FONT_FILES if f.is_file()), None)
    if file is None:
        raise FontMissing
    try:
        font = TTFont(FONT, str(file), subfontIndex=0)
    except TTFError as error:
        raise FontMissing(f"cannot be read from {file} ({error})") from error
    pdfmetrics.registerFont(font)
    return font


def printable(text: str) -> str:
    """A character that the font lacks is printed by its number: a rare name stays readable."""
    known = _font().face.charToGlyph
    return "".join(c if c.isspace() or ord(c) in known else f"[U+{ord(c):04X}]" for c in text)


class Paper:
    """Makes flowables in one language."""

    def __init__(self, lang: str) -> None:
        _font()
        self.lang = lang
        wrap = "CJK" if lang == "zh" else None

        def style(name: str, size: float, color: Any = INK, **more: Any) -> ParagraphStyle:
            return ParagraphStyle(
                name,
                fontName=FONT,
                fontSize=size,
                leading=size * 1.4,
                textColor=color,
                wordWrap=wrap,
                **more,
            )

        self.title = style("title", 18, ACCENT)
        self.heading = style("heading", 12, ACCENT, spaceBefore=12, spaceAfter=4)
        self.body = style("body", 9)
        self.cell = style("cell", 7.8)
        self.small = style("small", 7, GREY)
        self.head_cell = style("head", 7.5, GREY)
        self.alarm = style("alarm", 9, ALARM)
        self.number = style("number", 15, INK, alignment=1)
        self.number_label = style("number_label", 7, GREY, alignment=1)
        self.code = ParagraphStyle("code", self.small, wordWrap="CJK", textColor=INK)

    def text(self, text: str, style: ParagraphStyle | None = None) -> Paragraph:
        plain = escape(printable(text)).replace("\n", "<br/>")
        return Paragraph(plain, style or self.body)

    def section(self, key: str) -> list[Flowable]:
        """A heading that does not stand alone at the end of a page."""
        return [CondPageBreak(28 * mm), self.text(label(key, self.lang), self.heading)]

    def table(
        self, heads: Sequence[str], widths: Sequence[float], rows: Iterable[Sequence[object]]
    ) -> Flowable:
        """`widths` are shares of the page's width. Heads repeat on every page."""
        whole = sum(widths)
        body = [[self.text(h, self.head_cell) for h in heads]]
        body += [[self._cell(value) for value in row] for row in rows]
        return LongTable(
            body,
            colWidths=[WIDTH * w / whole for w in widths],
            repeatRows=1,
            splitInRow=1,
            style=_TABLE,
            spaceBefore=2,
            spaceAfter=6,
        )

    def _cell(self, value: object) -> Paragraph:
        if isinstance(value, Paragraph):
            return value
        return self.text("–" if value is None or value == "" else str(value), self.cell)

    def pairs(self, pairs: Sequence[tuple[str, str]], columns: int = 2) -> Flowable:
        """Labels and values side by side."""
        cells: list[Flowable] = []
        for name, value in pairs:
            cells += [self.text(name, self.small), self.text(value or "–", self.body)]
        cells += [self.text("", self.body)] * (-len(cells) % (2 * columns))
        rows = [cells[n : n + 2 * columns] for n in range(0, len(cells), 2 * columns)]
        share = WIDTH / columns
        return LongTable(
            rows, colWidths=[share * 0.24, share * 0.76] * columns, style=_PAIRS, spaceAfter=4
        )

    def figures(self, figures: Sequence[tuple[str, int, bool]]) -> Flowable:
        """Large numbers in boxes: label, number, whether it should catch the eye."""
        alarmed = ParagraphStyle("alarmed", self.number, textColor=ALARM)
        numbers = [self.text(str(n), alarmed if eye else self.number) for _, n, eye in figures]
        labels = [self.text(name, self.number_label) for name, _, _ in figures]
        return LongTable(
            [numbers, labels],
            colWidths=[WIDTH / len(figures)] * len(figures),
            style=_FIGURES,
            spaceBefore=6,
            spaceAfter=6,
        )

    def value(self, name: str, value: str) -> Flowable:
        """A small label with a long value below it, on one page."""
        texts = [self.text(name, self.small), self.text(value, self.code), self.gap(1.2)]
        return KeepTogether(texts)

    def gap(self, height_mm: float = 2) -> Flowable:
        return Spacer(1, height_mm * mm)

    def write(self, story: list[Flowable], title: str, foot: str) -> bytes:
        """The whole document. `foot` stands on every page, beside its number."""
        out = io.BytesIO()
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            leftMargin=MARGIN - FRAME_PADDING,
            rightMargin=MARGIN - FRAME_PADDING,
            topMargin=14 * mm,
            bottomMargin=16 * mm,
            invariant=1,
            title=title,
            author="examgate",
            lang="zh-CN" if self.lang == "zh" else "en",
        )
        lang = self.lang

        class Numbered(_Numbered):
            footer = printable(foot)
            language = lang

        document.build(story, canvasmaker=Numbered)
        return out.getvalue()


class _Numbered(Canvas):  # type: ignore[misc]
    """Knows how many pages there are before it draws their feet."""

    footer = ""
    language = "zh"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._states: list[dict[str, Any]] = []

    def showPage(self) -> None:
        self._states.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, state in enumerate(self._states, 1):
            self.__dict__.update(state)
            self._foot(number, len(self._states))
            super().showPage()
        super().save()

    def _foot(self, number: int, pages: int) -> None:
        self.setStrokeColor(LINE)
        self.line(MARGIN, 12.5 * mm, A4[0] - MARGIN, 12.5 * mm)
        self.setFont(FONT, 7)
        self.setFillColor(GREY)
        place = label("page", self.language, page=number, pages=pages)
        self.drawRightString(A4[0] - MARGIN, 8.5 * mm, place)
        room = WIDTH - pdfmetrics.stringWidth(place, FONT, 7) - 5 * mm
        self.drawString(MARGIN, 8.5 * mm, _fitting(self.footer, room))


def _fitting(text: str, room: float) -> str:
    """As much of it as the foot of a page has room for, in points; all of it is on the first."""
    if pdfmetrics.stringWidth(text, FONT, 7) <= room:
        return text
    while text and pdfmetrics.stringWidth(f"{text}…", FONT, 7) > room:
        text = text[:-1]
    return f"{text}…"


_TABLE = TableStyle(
    [
        ("BACKGROUND", (0, 0), (-1, 0), SHADE),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
)
_PAIRS = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
    ]
)
_FIGURES = TableStyle(
    [
        ("BOX", (0, 0), (-1, -1), 0.5, LINE),
        ("LINEBEFORE", (1, 0), (-1, -1), 0.5, LINE),
        ("BACKGROUND", (0, 0), (-1, -1), SHADE),
        ("TOPPADDING", (0, 0), (-1, 0), 4),
        ("BOTTOMPADDING", (0, 0), (-1, 0), 4),
        ("TOPPADDING", (0, 1), (-1, 1), 0),
        ("BOTTOMPADDING", (0, 1), (-1, 1), 4),
    ]
)
