"""A report on the proctor's screen: made, turned over, put on a stick, printed, and gone again."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from ui import qt
from ui.i18n import text
from ui.proctor import papers
from ui.proctor.papers import put, sticks
from ui.proctor.window import ProctorWindow

PART = 700


def pdf(pages: int = 3) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(300, 420))
    for n in range(pages):
        canvas.drawString(50, 300, f"page {n + 1}")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


FILES = {"pdf": pdf(), "csv": "准考证号,考台\r\n…1234,047\r\n".encode()}


@pytest.fixture
def page(qtbot: Any, daemon: Any, proctor: ProctorWindow) -> Any:
    waits = iter([{"ready": False}])
    daemon.answers |= {
        "report.begin": {"document_id": "d1"},
        "document.wait": lambda params: next(
            waits, {"ready": True, "sizes": {n: len(f) for n, f in FILES.items()}}),
        "document.part": lambda params: {"data": base64.b64encode(
            FILES[params["name"]][params["after"]:][:PART]).decode()},
    }
    proctor.tabs.setCurrentWidget(proctor.tabs.report)
    return proctor.tabs.report


def made(qtbot: Any, page: Any) -> None:
    qtbot.mouseClick(page.make, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: page.said.text() == text("zh", "report.ready"), timeout=10_000)


def test_it_is_made_and_turned_over(qtbot: Any, daemon: Any, page: Any) -> None:
    assert not page.save.isEnabled() and not page.print.isEnabled()
    made(qtbot, page)
    (asked,) = daemon.called("report.begin")
    assert (asked["session_id"], asked["public"]) == ("KM1-0930", False)
    assert page._files == FILES, "whole, in its parts"
    assert page.number.text() == text("zh", "report.page", n=1, of=3)
    assert not page.sheet.is_blank and not page.before.isEnabled()
    qtbot.mouseClick(page.after, qt.Qt.LeftButton)
    qtbot.mouseClick(page.after, qt.Qt.LeftButton)
    assert page.number.text() == text("zh", "report.page", n=3, of=3)
    assert not page.after.isEnabled()


def test_it_is_saved_beside_what_is_there(qtbot: Any, page: Any, tmp_path: Path) -> None:
    made(qtbot, page)
    page.where.setEditText(str(tmp_path))
    for _ in range(2):
        qtbot.mouseClick(page.save, qt.Qt.LeftButton)
    names = sorted(file.name for file in tmp_path.glob("KM1*"))
    assert names == ["KM1-0930-2.csv", "KM1-0930-2.pdf", "KM1-0930.csv", "KM1-0930.pdf"]
    assert (tmp_path / "KM1-0930.pdf").read_bytes() == FILES["pdf"]
    assert "KM1-0930-2.pdf" in page.said.text()
    page.where.setEditText(str(tmp_path / "gone"))
    qtbot.mouseClick(page.save, qt.Qt.LeftButton)
    assert page.said.text().startswith("✕") and "gone" in page.said.text()


def test_nothing_of_it_stays_when_somebody_leaves(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, page: Any
) -> None:
    made(qtbot, page)
    folder = page._folder.path
    assert folder.stat().st_mode & 0o777 == 0o700 and list(folder.glob("*.png"))
    daemon.tell("staff", {"person": None, "set_up": True, "locked": False})
    qtbot.waitUntil(lambda: not folder.exists(), timeout=5000)
    assert page._files == {} and page.sheet.is_blank and not page.save.isEnabled()


def test_another_session_or_kind_begins_anew(
    qtbot: Any, proctor: ProctorWindow, page: Any
) -> None:
    made(qtbot, page)
    page.kind.setCurrentIndex(1)
    assert page._files == {}
    made(qtbot, page)
    proctor.session.choice.setCurrentIndex(1)
    qtbot.waitUntil(lambda: page._files == {}, timeout=5000)


@pytest.mark.parametrize(
    ("lpstat", "lp", "key"),
    [(None, None, "no_lp"), ("exit 0", "exit 0", "no_printer"),
     ("echo office", "echo offline >&2; exit 1", "not_printed"),
     ("echo office", 'cp "$6" printed.pdf', "printed")],
)  # fmt: skip
def test_it_is_printed_or_said_why_not(
    qtbot: Any, page: Any, tmp_path: Path, monkeypatch: Any, lpstat: str | None, lp: str | None,
    key: str,
) -> None:
    made(qtbot, page)
    for name, script in (("lpstat", lpstat), ("lp", lp)):
        if script is not None:
            (tmp_path / name).write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
            (tmp_path / name).chmod(0o755)
    usual = "" if lpstat is None else f":{os.environ['PATH']}"
    monkeypatch.setenv("PATH", f"{tmp_path}{usual}")
    qtbot.mouseClick(page.print, qt.Qt.LeftButton)
    words = text("zh", f"report.{key}", why="offline") if key == "not_printed" else text(
        "zh", f"report.{key}")
    qtbot.waitUntil(lambda: words in page.said.text(), timeout=5000)
    assert page.print.isEnabled()
    if key == "printed":
        assert (tmp_path / "printed.pdf").read_bytes() == FILES["pdf"]


def test_a_declined_report_is_said_and_can_be_tried_again(
    qtbot: Any, daemon: Any, proctor: ProctorWindow, page: Any
) -> None:
    from kiosk import wire

    daemon.answers["report.begin"] = wire.RpcError(-32000, "no", {"problems": ["还没有开放过"]})
    qtbot.mouseClick(page.make, qt.Qt.LeftButton)
    qtbot.waitUntil(proctor.message.isVisible, timeout=5000)
    assert "还没有开放过" in proctor.message.text() and page.make.isEnabled()


def test_half_a_file_is_none(tmp_path: Path, monkeypatch: Any) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(papers.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        put(tmp_path, "r", "pdf", b"x")
    assert list(tmp_path.iterdir()) == []


def test_only_mounted_media_are_sticks(tmp_path: Path, monkeypatch: Any) -> None:
    for name in ("usb", "user/stick", "user/plain"):
        (tmp_path / name).mkdir(parents=True)
    mounted = {str(tmp_path / "usb"), str(tmp_path / "user/stick")}
    monkeypatch.setattr(papers, "MEDIA", (tmp_path, tmp_path / "none"))
    monkeypatch.setattr(papers.os.path, "ismount", lambda place: str(place) in mounted)
    assert {str(place) for place in sticks()} == mounted
