"""The candidate's window against a daemon on a real socket."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from kiosk import wire
from kiosk.core.codes import State
from kiosk.face.oval import Oval
from ui import qt, theme
from ui.candidate.window import CandidateWindow
from ui.i18n import text
from ui.screenshots import every_state, example, placeholder, preview
from ui.widgets.text import BigText

PAGES = {"closed": "notice", "out_of_order": "notice", "idle": "notice", "paused": "notice",
         "claim": "number", "face": "face", "verify": "face", "finger": "notice", "sign": "sign",
         "drawing": "notice", "gate": "seat", "welcome": "seat", "refused": "notice"}


def see(qtbot: Any, daemon: Any, window: CandidateWindow, name: str, **changes: Any) -> None:
    state = daemon.show(name, **changes)
    qtbot.waitUntil(lambda: window._state == state, timeout=5000)


def words(window: CandidateWindow) -> list[str]:
    return [w.text() for w in window.findChildren(BigText) if w.isVisible() and w.text()]


@pytest.mark.parametrize("state", [s.value for s in State])
def test_each_state_shows_its_page(qtbot: Any, daemon: Any, window: CandidateWindow,
                                   state: str) -> None:
    see(qtbot, daemon, window, state, reason="TOO_EARLY" if state == "refused" else None)
    visible = [name for name, page in window.pages.items() if page.isVisible()]
    assert visible == [PAGES[state]]
    assert window.steps.isVisible()


def test_the_idle_screen_asks_for_what_the_lane_is_set_to(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    assert text("zh", "idle.id_card.title") in words(window)
    see(qtbot, daemon, window, "idle", claim_mode="face")
    assert text("zh", "idle.face.title") in words(window)


def test_retry_reason_attempts_and_terminal_are_said(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "finger", finger_retry="too_dry", finger_attempts_left=2)
    assert {text("zh", "retry.too_dry"), text("zh", "finger.left", n=2)} <= set(words(window))
    see(qtbot, daemon, window, "finger", fingers=["right_thumb", "left_index"])
    assert "请按右手拇指或左手食指" in words(window)
    see(qtbot, daemon, window, "finger", fingers=["right_thumb", "left_index", "left_thumb"])
    assert text("zh", "finger.title") in words(window)
    see(qtbot, daemon, window, "gate", terminal="B-112", kept_seat=True)
    assert {"B-112", text("zh", "gate.kept"), text("zh", "gate.title")} <= set(words(window))


def test_language_is_one_touch_and_goes_back_with_the_next_person(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "face", visit=8)
    qtbot.mouseClick(window.switch, qt.Qt.LeftButton)
    assert text("en", "prompt.look_here") in words(window)
    see(qtbot, daemon, window, "finger", visit=8)
    assert text("en", "finger.title") in words(window)
    see(qtbot, daemon, window, "idle", visit=9)
    assert text("zh", "idle.id_card.title") in words(window)


def test_a_language_that_nobody_took_goes_back_by_itself(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    window.switch.click()
    assert window.language == "en" and window._language_timer.isActive()
    window._language_timer.start(1)
    qtbot.waitUntil(lambda: window.language == "zh", timeout=3000)


def test_another_visit_wipes_everything_personal(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "face", visit=8)
    daemon.tell("preview", preview())
    qtbot.waitUntil(lambda: window.face_page.preview.has_picture, timeout=5000)
    see(qtbot, daemon, window, "gate", visit=8)
    assert not window.face_page.preview.has_picture
    see(qtbot, daemon, window, "idle", visit=9)
    everything = " ".join(w.text() for w in window.findChildren(BigText))
    assert "047" not in everything and "1234" not in everything and "王" not in everything


@pytest.mark.parametrize("gone", ["another person", "connection lost"])
def test_who_chose_the_other_language_leaves_nothing_either(
    qtbot: Any, daemon: Any, window: CandidateWindow, gone: str
) -> None:
    see(qtbot, daemon, window, "gate", visit=8)
    qtbot.mouseClick(window.switch, qt.Qt.LeftButton)
    assert window.language == "en"
    if gone == "another person":
        see(qtbot, daemon, window, "idle", visit=9)
    else:
        daemon.stop()
        qtbot.waitUntil(lambda: window.state_name == "offline", timeout=5000)
    everything = " ".join(w.text() for w in window.findChildren(BigText))
    assert window.language == "zh"
    assert "047" not in everything and "1234" not in everything and "王" not in everything


def test_a_picture_left_in_the_line_is_not_shown_to_the_next(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "face", visit=8)
    last, after = wire.notification("preview", preview()), example("face", visit=9, seq=2)
    # one write, so that the screen may well read both at once
    daemon.send_raw(wire.encode(last) + wire.encode(wire.notification("state", after)))
    qtbot.waitUntil(lambda: window._visit == 9, timeout=5000)
    qtbot.wait(50)
    assert not window.face_page.preview.has_picture


def test_a_picture_after_the_state_is_shown(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    after = wire.notification("state", example("face", visit=9))
    daemon.send_raw(wire.encode(after) + wire.encode(wire.notification("preview", preview())))
    qtbot.waitUntil(lambda: window.face_page.preview.has_picture, timeout=5000)


def test_prompts_are_shown_and_do_not_flicker(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "face")
    daemon.tell("preview", preview("come_closer"))
    title = window.face_page.title
    qtbot.waitUntil(lambda: title.text() == text("zh", "prompt.come_closer"), timeout=5000)
    window.face_page.show_preview(preview("too_dark"))
    assert title.text() == text("zh", "prompt.come_closer")
    qtbot.waitUntil(lambda: window.face_page._held.elapsed() > 600, timeout=3000)
    window.face_page.show_preview(preview("too_dark", 0.75))
    assert title.text() == text("zh", "prompt.too_dark")
    assert window.face_page.preview.progress == 0.75
    window.face_page._held.invalidate()
    window.face_page.show_preview(preview("none"))
    window.face_page.show_preview(preview("blink"))
    assert title.text() == text("zh", "prompt.blink")


def test_a_movement_is_shown_at_once_and_the_next_as_the_next(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    """Who is to answer within a second must not wait for words to have been read."""
    see(qtbot, daemon, window, "face")
    page = window.face_page
    for prompt, words in (("come_closer", "prompt.come_closer"), ("turn_left", "prompt.turn_left"),
                          ("look_up", "then.look_up"), ("more_slowly", "then.look_up")):
        page.show_preview(preview(prompt))
        assert page.title.text() == text("zh", words)


def test_who_is_to_move_the_head_is_not_told_of_a_hat(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "face")
    page = window.face_page
    assert page.body.text() == text("zh", "face.body")
    for prompt, words in (("turn_left", "face.moving"), ("more_slowly", "face.moving"),
                          ("take_off_mask", "face.body")):
        page._held.invalidate()
        page.show_preview(preview(prompt))
        assert page.body.text() == text("zh", words)
    page.show_preview(preview("look_up"))
    page.forget()
    see(qtbot, daemon, window, "face")
    assert page.body.text() != text("zh", "face.moving")


def test_the_arrow_is_on_the_side_that_is_asked(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "face")
    shown = window.face_page.preview
    blue = qt.QColor(theme.PRIMARY)

    def look(prompt: str) -> qt.QImage:
        shown.show_frame(preview(prompt, 0.0))
        return shown.grab().toImage()

    plain = look("look_here")

    def arrow(prompt: str) -> tuple[float, float]:
        """The middle of what is blue now, from the picture's middle, in its sides."""
        image = look(prompt)
        spots = [(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)
                 if image.pixelColor(x, y) == blue != plain.pixelColor(x, y)]
        across, down = (sum(spot) / len(spots) for spot in zip(*spots, strict=True))
        return across / image.width() - 0.5, down / image.height() - 0.5

    assert arrow("turn_left")[0] < -0.2  # a mirror: their own left
    assert arrow("turn_right")[0] > 0.2
    assert arrow("look_up")[1] < -0.1
    assert arrow("look_down")[1] > 0.1


def test_the_preview_is_mirrored(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    see(qtbot, daemon, window, "face")
    image = qt.QImage(640, 480, qt.QImage.Format_RGB32)
    image.fill(qt.QColor("white"))
    painter = qt.QPainter(image)
    painter.fillRect(250, 200, 70, 80, qt.QColor("red"))  # left of the middle, inside the oval
    painter.end()
    data = qt.QByteArray()
    buffer = qt.QBuffer(data)
    buffer.open(qt.QIODevice.WriteOnly)
    image.save(buffer, "JPG", 95)
    window.face_page.show_preview(preview() | {"jpeg": base64.b64encode(bytes(data)).decode()})
    seen = window.face_page.preview.grab().toImage()
    x, y = seen.width() // 2, seen.height() // 2
    assert qt.QColor(seen.pixel(x + 20, y)).green() < 60
    assert qt.QColor(seen.pixel(x - 20, y)).green() > 200


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640), (720, 1280)])
def test_the_oval_is_the_engine_s(
    qtbot: Any, window: CandidateWindow, width: int, height: int
) -> None:
    """The same part of the picture, in its own pixels, whatever is cut off at the sides."""
    shown = window.face_page.preview
    shown.resize(900, 700)
    shown.show_frame(preview() | {"jpeg": placeholder(width, height)})
    frame, oval = shown._frame(shown._image), shown.oval()
    scale = frame.height() / height
    meant = Oval.of(width, height)
    assert oval.width() / scale == pytest.approx(2 * meant.half_width, rel=1e-6)
    assert oval.height() / scale == pytest.approx(2 * meant.half_height, rel=1e-6)
    assert oval.center() == frame.center() and frame.contains(oval)


def test_a_wide_picture_gives_as_large_an_oval(qtbot: Any, window: CandidateWindow) -> None:
    shown = window.face_page.preview
    shown.resize(900, 700)
    sizes = []
    for width, height in ((640, 480), (1280, 720)):
        shown.show_frame(preview() | {"jpeg": placeholder(width, height)})
        sizes.append((shown.oval().width(), shown.oval().height()))
    assert sizes[0] == pytest.approx(sizes[1])


@pytest.mark.parametrize("jpeg", ["", "no base64!", base64.b64encode(b"no jpeg").decode()])
def test_a_broken_preview_changes_nothing(qtbot: Any, window: CandidateWindow, jpeg: str) -> None:
    window.face_page.preview.show_frame({"jpeg": jpeg})
    assert not window.face_page.preview.has_picture


def test_help_and_cancel_name_the_visit(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "finger", visit=12)
    qtbot.mouseClick(window.help, qt.Qt.LeftButton)
    qtbot.mouseClick(window.cancel, qt.Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(daemon.called("candidate.cancel")), timeout=5000)
    assert daemon.called("candidate.help") == [{"visit": 12}]
    assert daemon.called("candidate.cancel") == [{"visit": 12}]
    see(qtbot, daemon, window, "finger", visit=12, help_waiting=True)
    assert window.help.text() == text("zh", "button.help_coming") and not window.help.isEnabled()


@pytest.mark.parametrize(("state", "cancel", "ok"), [
    ("idle", False, False), ("sign", True, False), ("drawing", False, False),
    ("gate", False, False), ("refused", False, True), ("welcome", False, True)])
def test_only_what_can_be_done_is_offered(qtbot: Any, daemon: Any, window: CandidateWindow,
                                          state: str, cancel: bool, ok: bool) -> None:
    see(qtbot, daemon, window, state, reason="TOO_LATE")
    assert (window.cancel.isVisible(), window.ok.isVisible()) == (cancel, ok)


def test_the_countdown_counts_by_itself(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "finger", deadline_in_s=12.0, deadline_total_s=30.0)
    first = window.countdown.left_s()
    assert first is not None and 11 < first <= 12
    qtbot.waitUntil(lambda: (window.countdown.left_s() or 99) < first - 0.2, timeout=3000)
    see(qtbot, daemon, window, "idle")
    assert window.countdown.left_s() is None


def test_it_survives_a_restart_of_the_daemon(
    qtbot: Any, daemon: Any, window: CandidateWindow
) -> None:
    see(qtbot, daemon, window, "sign", visit=3)
    daemon.stop()
    qtbot.waitUntil(lambda: window.state_name == "offline", timeout=5000)
    said = " ".join(words(window))
    assert "系统正在重新启动" in said and "王" not in said
    assert not window.help.isEnabled()
    daemon.requests.clear()
    daemon.start()
    qtbot.waitUntil(lambda: window.state_name == "sign", timeout=10_000)
    assert daemon.called("lane.subscribe") == [{"preview": True, "screen": "candidate"}]


@pytest.mark.parametrize("noise", [b"{broken\n", b"[1,2]\n", b"\xff\xfe\n"])
def test_noise_on_the_line_only_reconnects(qtbot: Any, daemon: Any, window: CandidateWindow,
                                           noise: bytes) -> None:
    daemon.requests.clear()
    daemon.send_raw(noise)
    qtbot.waitUntil(lambda: bool(daemon.called("lane.subscribe")), timeout=10_000)
    qtbot.waitUntil(lambda: window.state_name == "idle", timeout=5000)


def test_a_line_may_come_in_pieces(qtbot: Any, daemon: Any, window: CandidateWindow) -> None:
    line = wire.encode(wire.notification("state", every_state()["gate"]))
    for n in range(0, len(line), 97):
        daemon.send_raw(line[n:n + 97])
    qtbot.waitUntil(lambda: window.state_name == "gate", timeout=5000)
