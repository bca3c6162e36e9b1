"""The report's page: made, looked at page by page, printed, put on a stick.

The report itself is the daemon's, which also journals who had it made.
"""

from __future__ import annotations

import re
from pathlib import Path

from ui import qt, theme
from ui.i18n import text
from ui.proctor.page import Line, choice
from ui.proctor.panels import button, label
from ui.proctor.papers import DPI, MOST_PAGES, Fetcher, Folder, Program, put, sticks

WIDEST = 1000  #: pixels that a page is shown in


class Sheet(qt.QScrollArea):
    """One page, as wide as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("report_sheet")
        self.setAlignment(qt.Qt.AlignHCenter | qt.Qt.AlignTop)
        self.setMinimumHeight(200)
        self._page = qt.QLabel()
        self._pixels = qt.QImage()
        self.setWidget(self._page)

    def show_page(self, pixels: qt.QImage) -> None:
        self._pixels = pixels
        self._scale()
        self.verticalScrollBar().setValue(0)

    @property
    def is_blank(self) -> bool:
        return bool(self._pixels.isNull())

    def resizeEvent(self, event: qt.QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scale()

    def _scale(self) -> None:
        if self._pixels.isNull():
            self._page.setPixmap(qt.QPixmap())
        else:
            wide = min(self.viewport().width(), WIDEST)
            shown = self._pixels.scaledToWidth(wide, qt.Qt.SmoothTransformation)
            self._page.setPixmap(qt.QPixmap.fromImage(shown))
        self._page.adjustSize()


class ReportPage(qt.QWidget):
    def __init__(self, language: str, line: Line) -> None:
        super().__init__()
        self._language, self._line = language, line
        self._session_id = ""
        self._may_act = self._busy = False
        self._files: dict[str, bytes] = {}
        self._folder = Folder()
        self._at, self._of = 0, 0
        self._fetcher = Fetcher(line, self)
        self._fetcher.ready.connect(self._on_files)
        self._fetcher.failed.connect(lambda: self._idle(""))
        self._build()
        self.forget()

    def _build(self) -> None:
        say = self._language
        self.kind = choice("report_kind")
        for kind in ("full", "public"):
            self.kind.addItem(text(say, f"report.{kind}"), kind == "public")
        self.make, self.print = button("report_make"), button("report_print")
        self.save = button("report_save")
        self.before, self.after = button("report_before"), button("report_after")
        self.where = choice("report_where")
        self.where.setEditable(True)
        self.where.lineEdit().setContextMenuPolicy(qt.Qt.NoContextMenu)
        self.where.lineEdit().setPlaceholderText(text(say, "report.where"))
        for press, key in ((self.make, "make"), (self.print, "print"), (self.save, "save"),
                           (self.before, "before"), (self.after, "after")):
            press.setText(text(say, f"report.{key}"))
        self.said = label("report_said", 19)
        self.number = label("report_number", 18, ink=theme.SOFT_INK)
        self.number.setAlignment(qt.Qt.AlignCenter)
        self.sheet = Sheet()
        top, bottom = qt.QHBoxLayout(), qt.QHBoxLayout()
        for part in (self.kind, self.make, self.print):
            top.addWidget(part)
        top.addStretch(1)
        for part in (self.before, self.number, self.after):
            bottom.addWidget(part)
        out = qt.QHBoxLayout()
        out.addWidget(self.where, 1)
        out.addWidget(self.save)
        column = qt.QVBoxLayout(self)
        column.addLayout(top)
        column.addLayout(out)
        column.addWidget(self.said)
        column.addWidget(self.sheet, 1)
        column.addLayout(bottom)
        self.make.clicked.connect(self._make)
        self.print.clicked.connect(self._ask_printers)
        self.save.clicked.connect(self._save)
        self.before.clicked.connect(lambda: self._turn(-1))
        self.after.clicked.connect(lambda: self._turn(1))
        self.kind.currentIndexChanged.connect(lambda _n: self.forget())

    # --- what it is about -----------------------------------------------------------------------

    def refresh(self, session_id: str | None) -> None:
        """Another session: what was made before is not of this one."""
        if (session_id or "") != self._session_id:
            self._session_id = session_id or ""
            self.forget()

    def allow(self, may_act: bool) -> None:
        self._may_act = may_act
        self._set_buttons()

    def forget(self) -> None:
        """No page and no file of a report is left."""
        self._fetcher.stop()
        self._files = {}
        self._folder.forget()
        self._at = self._of = 0
        self._show_page()
        self._idle(text(self._language, "report.begin"))

    def _idle(self, words: str) -> None:
        self._busy = False
        self.said.setText(words)
        self._set_buttons()

    def _set_buttons(self) -> None:
        free = self._may_act and not self._busy
        self.make.setEnabled(free and bool(self._session_id))
        for press in (self.print, self.save):
            press.setEnabled(free and bool(self._files))
        self.before.setEnabled(self._at > 0)
        self.after.setEnabled(self._at < self._of - 1)

    # --- made -----------------------------------------------------------------------------------

    def _make(self) -> None:
        public = bool(self.kind.currentData())
        self.forget()
        self._busy = True
        self.said.setText(text(self._language, "report.making"))
        self._set_buttons()
        asked = {"session_id": self._session_id, "public": public, "lang": self._language}
        self._fetcher.begin("report.begin", asked, ["pdf", "csv"])

    def _on_files(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._fill_sticks()
        pdf = self._folder.path / "report.pdf"
        pdf.write_bytes(files["pdf"])
        renderer = Program(self)
        renderer.ended.connect(self._on_pages)
        renderer.run("pdftoppm", ["-png", "-r", str(DPI), "-l", str(MOST_PAGES), str(pdf),
                                  str(self._folder.path / "page")])

    def _on_pages(self, code: int | None, said: str) -> None:
        if not self._files:
            self._folder.forget()  # somebody has left meanwhile
            return
        self._of = len(self._folder.pages) if code == 0 else 0
        key = "ready" if self._of else "no_preview"
        self._idle(text(self._language, f"report.{key}"))
        self._at = 0
        self._show_page()

    def _turn(self, step: int) -> None:
        self._at = max(0, min(self._of - 1, self._at + step))
        self._show_page()

    def _show_page(self) -> None:
        pixels = qt.QImage()
        if self._of:
            pixels = qt.QImage(str(self._folder.pages[self._at]))
        self.sheet.show_page(pixels)
        self.number.setText(text(self._language, "report.page", n=self._at + 1, of=self._of)
                            if self._of else "")
        self._set_buttons()

    # --- out ------------------------------------------------------------------------------------

    def _fill_sticks(self) -> None:
        typed = self.where.currentText()
        self.where.clear()
        for place in sticks():
            self.where.addItem(str(place))
        if typed:
            self.where.setEditText(typed)

    def _save(self) -> None:
        if not self.where.currentText().strip():
            self._fill_sticks()
        typed = self.where.currentText().strip()
        if not typed:
            self.said.setText("! " + text(self._language, "report.no_stick"))
            return
        name = re.sub(r"[^\w.-]+", "_", self._session_id)
        if self.kind.currentData():
            name += "-public"
        try:
            done = [put(Path(typed), name, ending, data) for ending, data in self._files.items()]
        except OSError as error:
            self.said.setText("✕ " + text(self._language, "report.not_saved", folder=typed,
                                          why=error.strerror or ""))
            return
        names = "、".join(file.name for file in done)
        self.said.setText("✓ " + text(self._language, "report.saved", files=names, folder=typed))

    def _ask_printers(self) -> None:
        self._busy = True
        self._set_buttons()
        asker = Program(self)
        asker.ended.connect(self._on_printers)
        asker.run("lpstat", ["-e"])

    def _on_printers(self, code: int | None, said: str) -> None:
        if code is None:
            self._idle("✕ " + text(self._language, "report.no_lp"))
            return
        printers = said.split() if code == 0 else []
        if not printers:
            self._idle("✕ " + text(self._language, "report.no_printer"))
            return
        if not self._files:
            return
        printer = Program(self)
        printer.ended.connect(self._on_printed)
        printer.run("lp", ["-o", "media=A4", "-t", f"examgate {self._session_id}", "--",
                           str(self._folder.path / "report.pdf")])

    def _on_printed(self, code: int | None, said: str) -> None:
        if code == 0:
            self._idle("✓ " + text(self._language, "report.printed"))
        else:
            self._idle("✕ " + text(self._language, "report.not_printed", why=said[:200]))


