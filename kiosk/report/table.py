"""A session's report as CSV: one candidate a line. Spreadsheet programs show its Chinese, and no
cell can be taken for a formula. Knows no paper."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

from kiosk.report.model import Report
from kiosk.report.words import STATUS, claim_word, label, pick

BOM = "\ufeff"  #: without it spreadsheet programs take UTF-8 for something else
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """A cell that begins like a formula gets an apostrophe, by which it is text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def report_csv(report: Report, lang: str) -> bytes:
    """UTF-8 with BOM, lines ended by CRLF (RFC 4180)."""
    zone = ZoneInfo(report.timezone)
    out = io.StringIO()
    writer = csv.writer(out)
    who = ["pseudonym"] if report.public else ["admission_no", "name", "pseudonym"]
    keys = ["session", *who, "class", "status", "entered", "left", "terminal", "draw_no", "claim"]
    writer.writerow([label(key, lang) for key in (*keys, "face", "finger")])
    for row in report.rows:
        cells = [
            report.session_id,
            *(getattr(row, key) for key in who),
            row.licence_class,
            pick(STATUS[row.status], lang),
            _local(row.entered_at, zone),
            _local(row.left_at, zone),
            row.terminal,
            row.draw_no,
            claim_word(row.claim, lang),
            _mark(row.face, row.face_distance, lang),
            _mark(row.finger, row.finger_score, lang),
        ]
        writer.writerow([safe_cell(cell) for cell in cells])
    return (BOM + out.getvalue()).encode()


def _local(at: str | None, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(at).astimezone(zone).isoformat(" ")[:19] if at else ""


def _mark(done: bool, figure: float | None, lang: str) -> str:
    if not done:
        return ""
    return label("passed_mark", lang) if figure is None else f"{figure:g}"
