"""Pictures of every screen with invented people: `python -m ui.screenshots OUTDIR`.

The live picture is a drawn placeholder. Nothing here speaks with a daemon.
"""

from __future__ import annotations

import argparse
import base64
import math
import os
from pathlib import Path
from typing import Any

from kiosk.core.codes import Reason, Step
from ui import qt, theme
from ui.client import Client
from ui.i18n import text
from ui.screenshots_lane import save_lane
from ui.screenshots_office import save_pages
from ui.widgets.pictures import draw_face

SIZES = ((1920, 1080), (1080, 1920), (1280, 720))
NOWHERE = Path("/nonexistent/examgate.sock")
CANDIDATE = {"name": "王*明", "admission_no": "…1234", "licence_class": "C1"}
SESSION = {
    "session_id": "KM1-0930", "subject": "科目一", "starts_at": "2025-06-12T09:30:00+08:00",
    "checkin_from": "2025-06-12T09:00:00+08:00", "checkin_until": "2025-06-12T09:30:00+08:00",
    "state": "open", "booked": 96, "seated": 3, "inside": 38, "late": 3,
    "left": 2, "capacity": 100,
    "free_terminals": 59,
    "commitment": "87b724d8c9928cee00e002a80d3559dacdbefa12075fe9238118d0b501a3b688",
}
#: of the form of docs/draw.md, signed by nobody
RECEIPT = """examgate/receipt/v1
KM1-0930
047
41
1207
5cd8df8a217ca324972ecf9e23b90eeabd212e3627d687d590b3bac1bd7ec02e

examgate/YT-03/entry-1
1209
4pN5yKgH0mVYp0Jb8dGm1mZQvXH0d1b2b7yq3aJk5X4=

— examgate/YT-03/entry-1 """ + base64.b64encode(bytes(range(68))).decode() + "\n"
#: ten rows of ten, 047 in the fifth row; the door where row 1 is
HALL = {"seats": [[f"{n + 1:03d}", n // 10 + 1, n % 10 + 1] for n in range(100)],
        "entrance": "front_left"}
_WELL = {"ok": True, "code": None, "since": "2025-06-12T08:31:07+08:00", "detail": ""}
DEVICES = {role: dict(_WELL) for role in ("turnstile", "fingerprint", "camera", "id_card")}
_OUT = {"face": "now", "finger": "skipped", "sign": "skipped", "seat": "skipped"}
_DONE = {"face": "done", "finger": "done", "sign": "done", "seat": "now"}


def example(state: str, **changes: Any) -> dict[str, Any]:
    """A `state` notification with invented content."""
    known = state not in ("closed", "out_of_order", "idle", "paused", "claim")
    steps = {"face": "todo", "finger": "todo", "sign": "todo", "seat": "todo"}
    order = {"claim": 0, "face": 0, "verify": 0, "finger": 1, "sign": 2, "drawing": 3,
             "gate": 3}.get(state)
    if order is not None:
        for n, name in enumerate(steps):
            steps[name] = "done" if n < order else "now" if n == order else "todo"
    if state == "welcome":
        steps = dict.fromkeys(steps, "done")
    seat = state in ("gate", "welcome")
    timed = {"claim": 60.0, "face": 25.0, "verify": 300.0, "finger": 30.0, "sign": 90.0,
             "gate": 8.0, "welcome": 8.0, "refused": 8.0}.get(state)
    return {
        "seq": 1, "state": state, "steps": steps, "claim_mode": "id_card",
        "candidate": dict(CANDIDATE) if known else None, "reason": None, "finger_retry": None,
        "finger_attempts_left": 3, "fingers": [], "terminal": "047" if seat else None,
        "draw_no": 41 if seat else None, "receipt": RECEIPT if seat else None,
        "hall": HALL if seat else None, "kept_seat": False,
        "deadline_in_s": timed and timed * 0.7, "deadline_total_s": timed,
        "other_session_at": None, "session": dict(SESSION), "devices": DEVICES,
        "help_waiting": False, "help_open": 0, "sticks": 0, "two_people": True, "visit": 7,
        "awaits_proctor": False, "mode": {"rung": "full", "missing": []},
        "may_type": state == "claim", "may_lay_card": True, "may_leave": False,
        "lets_out": False, "leaving": False,
        "alerts": 0, "warnings": 0, "number_failed": False,
        "numbers_left": 3 if state == "claim" else None,
    } | changes


def every_state() -> dict[str, dict[str, Any]]:
    """Every screen that a candidate can meet, by a name fit for a file."""
    found = {
        "closed": example("closed", session=None),
        "out_of_order": example("out_of_order", reason="DEVICE_FAULT"),
        "out_of_order_fire": example("out_of_order", reason="FIRE"),
        "idle_card": example("idle"),
        "idle_number": example("idle", claim_mode="number", may_type=True, may_lay_card=False),
        "idle_proctor": example("idle", claim_mode="proctor", may_lay_card=False),
        "verify_waiting": example("verify", awaits_proctor=True),
        "idle_face": example("idle", claim_mode="face"),
        "idle_card_left": example("idle", card_hint="card_left"),
        "idle_card_not_trusted": example("idle", card_hint="card_not_trusted"),
        "idle_card_or_number": example("idle", may_type=True),
        "claim": example("claim", claim_mode="face"),
        "claim_failed": example("claim", claim_mode="face", numbers_left=2, number_failed=True),
        "claim_no_reader": example("claim", claim_mode="face", may_lay_card=False),
        "claim_card_only": example("claim", claim_mode="face", may_type=False),
        "face": example("face"),
        "paused": example("paused"),
        "verify": example("verify"),
        "finger": example("finger"),
        "finger_named": example("finger", fingers=["right_thumb", "left_index"]),
        "finger_dry": example("finger", finger_retry="too_dry"),
        "finger_lifted": example("finger", finger_retry="finger_lifted"),
        "finger_wet": example("finger", finger_retry="too_wet"),
        "finger_press": example("finger", finger_retry="too_few_features"),
        "finger_smeared": example("finger", finger_retry="smeared"),
        "finger_no_match": example("finger", finger_retry="no_match", finger_attempts_left=1),
        "sign": example("sign"),
        "drawing": example("drawing"),
        "gate": example("gate"),
        "gate_kept": example("gate", kept_seat=True, terminal="B-112"),
        "gate_no_map": example("gate", hall=None),
        "welcome": example("welcome", reason="ADMITTED"),
        "help_waiting": example("finger", help_waiting=True),
        "out_of_order_drill": example("out_of_order", reason="DRILL"),
        "idle_card_both": example("idle", may_leave=True, may_type=True),
        "closed_both": example("closed", session=None, may_leave=True),
        "out_claim": example("claim", leaving=True),
        "out_claim_card_only": example("claim", leaving=True, may_type=False),
        "out_face": example("face", leaving=True, steps=_OUT),
        "out_gate": example("gate", leaving=True, steps=_OUT | {"face": "done"}),
        "out_left": example("welcome", leaving=True, reason="LEFT", steps=_OUT | {"face": "done"}),
        "out_again": example("refused", leaving=True, reason="GATE_TURNED_BACK",
                             steps=_OUT | {"face": "done"}),
        "out_unknown": example("refused", leaving=True, reason="GATE_UNKNOWN",
                               steps=_OUT | {"face": "done"}),
    }
    for reason in Reason:
        if reason is not Reason.ADMITTED:
            found[f"refused_{reason.lower()}"] = example(
                "refused", reason=reason.value, steps=_failed_at(reason),
                candidate=None if reason is Reason.NOT_ON_ROSTER else dict(CANDIDATE),
                other_session_at="2025-06-12T14:00:00+08:00"
                if reason is Reason.OTHER_SESSION else None)
    return found


def _failed_at(reason: Reason) -> dict[str, str]:
    """The steps of somebody refused for `reason`: done before it, failed at it."""
    at = {"FACE": 0, "LIVENESS": 0, "FINGER": 1, "NO": 1, "SIGNATURE": 2, "GATE": 3, "HALL": 3}
    order = at.get(reason.split("_")[0], 0)
    if reason in (Reason.NOT_ON_ROSTER, Reason.OTHER_SESSION):
        order = 0
    return {step.value: "done" if n < order else "failed" if n == order else "todo"
            for n, step in enumerate(Step)}


def placeholder(width: int = 640, height: int = 480) -> str:
    """A drawn face, as the base64 JPEG of a `preview`."""
    image = qt.QImage(width, height, qt.QImage.Format_RGB32)
    image.fill(qt.QColor("#8FA3B8"))
    painter = qt.QPainter(image)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.translate(width / 2 - 0.5 * height, 0)
    painter.scale(height / 400, height / 400)
    draw_face(painter, 0.0)
    painter.end()
    data = qt.QByteArray()
    buffer = qt.QBuffer(data)
    buffer.open(qt.QIODevice.WriteOnly)
    image.save(buffer, "JPG", 85)
    return base64.b64encode(bytes(data)).decode()


def preview(prompt: str = "turn_left", progress: float = 0.4) -> dict[str, Any]:
    """A `preview` notification with the drawn face."""
    return {"jpeg": placeholder(), "width": 640, "height": 480, "box": [0.35, 0.2, 0.3, 0.5],
            "prompt": prompt, "progress": progress, "at_s": 1.0}


def scribble(width: float, height: float) -> list[list[tuple[float, float]]]:
    """Two invented strokes in pad pixels."""
    return [[(width * (0.2 + 0.28 * s + 0.2 * n / 40),
              height * (0.5 + 0.2 * math.sin(n / 4 + s))) for n in range(41)] for s in range(2)]


def settle(app: qt.QApplication, times: int = 3) -> None:
    for _ in range(times):
        app.processEvents()


def save_candidate(app: qt.QApplication, folder: Path, language: str, size: tuple[int, int],
                   only: str) -> None:
    from ui.candidate.window import CandidateWindow

    client = Client(NOWHERE, preview=False)
    window = CandidateWindow(client, language)
    window.resize(*size)
    window.show()
    frame = preview()
    shots = {"restarting": None} | every_state()
    for number, (name, state) in enumerate(shots.items()):
        if only and only not in name:
            continue
        if state is not None:
            client.state.emit(state | {"visit": number})
            client.preview.emit(frame)
        if name == "sign":
            write(window.sign_page.pad)
        if name == "claim":
            for key in "37060219610804":
                window.number_page.keys[key].click()
        settle(app)
        window.grab().save(str(folder / f"{name}.png"))
        if name == "face":  # from the first movement to the next
            for prompt in ("look_up", "turn_right", "look_down"):
                client.preview.emit(preview(prompt, 0.6))
                settle(app)
                window.grab().save(str(folder / f"face_then_{prompt}.png"))
        if name == "sign":
            window.sign_page.enlarge.click()
            settle(app)
            window.grab().save(str(folder / "sign_enlarged.png"))
    window.close()


EVENTS = (
    ("09:12:05", "claimed", None, "李*", None),
    ("09:12:11", "identity_verified", None, "李*", None),
    ("09:12:15", "finger_failed", "FINGER_NO_MATCH", "李*", None),
    ("09:12:19", "finger_verified", None, "李*", None), ("09:12:33", "signed", None, "李*", None),
    ("09:12:33", "seat_drawn", None, "李*", "012"),
    ("09:12:36", "admitted", "ADMITTED", "李*", "012"),
    ("09:13:02", "refused", "OTHER_SESSION", "陈*静", None),
    ("09:13:40", "help", "HELP_REQUESTED", "王*明", None),
)


def _person(name: str, number: str, standing: str, terminal: str | None = None) -> dict[str, Any]:
    return {"name": name, "admission_no": number, "session_id": "KM1-0930",
            "session_state": "open", "standing": standing, "terminal": terminal}


ALERTS = [
    {"alert_id": 3, "origin": "lane", "at": "2025-06-12T09:16:40+08:00", "distance": 0.31,
     "earlier_verified": True, "earlier": _person("王*明", "…1234", "inside", "047"),
     "now": _person("周*立", "…0520", "booked")},
    {"alert_id": 2, "origin": "lane", "at": "2025-06-12T09:12:01+08:00", "distance": 0.38,
     "earlier_verified": False, "earlier": _person("赵*", "…0311", "booked"),
     "now": _person("孙*", "…0915", "seated", "077")},
    {"alert_id": 1, "origin": "roster", "at": "2025-06-11T17:20:00+08:00", "distance": 0.02,
     "earlier_verified": False, "earlier": _person("李*", "…0032", "inside", "012"),
     "now": _person("李*军", "…0033", "booked")},
]


STAFF = {"set_up": True, "locked": False, "lock_after_s": 300,
         "person": {"staff_no": "1001", "name": "周静", "role": "proctor"}}


def save_login(app: qt.QApplication, folder: Path, client: Client, window: Any) -> None:
    """Nobody set up, nobody logged in, a wrong PIN, locked; ends with somebody logged in."""
    for name, change in (("no_staff", {"set_up": False, "person": None}),
                         ("login", {"person": None}), ("locked", {"locked": True}), ("", {})):
        client.staff.emit(STAFF | change)
        if name == "login":
            window.login.entry.number.setText("1001")
            window.login.entry.say(
                "密码错误次数太多，请 30 秒后再试。" if window._language == "zh"
                else "Too many wrong PINs; try again in 30 s.")
        settle(app)
        if name:
            window.grab().save(str(folder / f"{name}.png"))


def save_proctor(app: qt.QApplication, folder: Path, language: str) -> None:
    """The proctor's window: somebody asks for help, a device is down, a session is declined."""
    from kiosk.wire import RpcError
    from ui.proctor.window import ProctorWindow

    client = Client(NOWHERE, preview=False)
    client._up = True  # as far as the window can tell
    window = ProctorWindow(client, language)
    window.resize(1440, 900)
    window.show()
    settle(app)
    window.grab().save(str(folder / "offline.png"))
    client.state.emit(example("sign"))
    window._on_connected(True)
    save_login(app, folder, client, window)
    window._on_info({"venue": "YT-03", "lane": "entry-1", "version": "0.1.0"})
    window._on_sessions({"sessions": [SESSION, SESSION | {"session_id": "KM1-1400",
                                                          "state": "created"}]})
    window._on_candidates({"candidates": [
        {"name": "李*", "admission_no": "…0032", "standing": "inside", "terminal": "012",
         "last_reason": "ADMITTED", "last_at": "2025-06-12T09:12:36+08:00"},
        {"name": "王*明", "admission_no": "…1234", "standing": "booked", "terminal": None,
         "last_reason": None, "last_at": None},
        {"name": "孙*", "admission_no": "…0915", "standing": "seated", "terminal": "077",
         "last_reason": "GATE_TIMEOUT", "last_at": "2025-06-12T09:10:02+08:00"}]})
    for at, kind, reason, who, terminal in EVENTS:
        client.happened.emit({"at": f"2025-06-12T{at}+08:00", "kind": kind, "reason": reason,
                              "candidate": who, "terminal": terminal, "text_args": {}})
    settle(app)
    window.grab().save(str(folder / "running.png"))
    down = DEVICES | {"fingerprint": _WELL | {"ok": False, "code": "unplugged"}}
    client.state.emit(example("finger", help_waiting=True, devices=down, finger_retry="too_dry"))
    window._on_declined(RpcError(-32000, "declined", {"problems": [
        text(language, "fault.unplugged"), text(language, "fault.no_frames")]}))
    window.tabs.setCurrentIndex(1)
    settle(app)
    window.grab().save(str(folder / "help.png"))
    window.message.hide()
    client.state.emit(example("idle"))
    window.candidates.selectRow(2)
    window.redraw.why.setCurrentIndex(2)
    settle(app)
    window.grab().save(str(folder / "redraw.png"))
    window.approval.ask(text(language, "approval.void", terminal="077", note=text(
        language, "device.turnstile")))
    settle(app)
    window.grab().save(str(folder / "approval.png"))
    window.approval.forget()
    window.redraw.forget()
    client.state.emit(example("refused", reason="FACE_SEEN_BEFORE", alerts=3))
    for first, name in ((0, "same_face"), (2, "same_face_roster")):
        window._on_alerts({"alerts": ALERTS[first:]})
        settle(app)
        window.grab().save(str(folder / f"{name}.png"))
    client.state.emit(example("idle"))
    window._on_alerts({"alerts": []})
    save_pages(window, placeholder(300, 380), folder, lambda: settle(app))
    save_lane(client, window, example, placeholder(300, 380), folder, lambda: settle(app))
    window.close()


def write(pad: qt.QWidget) -> None:
    """Put example strokes on the pad, with real mouse events."""
    from ui.robot import post_mouse

    for stroke in scribble(pad.width(), pad.height()):
        points = [qt.QPointF(x, y) for x, y in stroke]
        post_mouse(pad, qt.QEvent.MouseButtonPress, points[0])
        for point in points[1:]:
            post_mouse(pad, qt.QEvent.MouseMove, point)
        post_mouse(pad, qt.QEvent.MouseButtonRelease, points[-1])


#: on the sheets of docs/screens.md, in a candidate's order
SHEET = ("idle_card", "claim", "face", "finger", "finger_dry", "finger_no_match", "sign",
         "sign_enlarged", "gate", "welcome", "refused_too_late", "restarting")


#: likewise, the proctor's
PROCTOR_SHEET = ("login", "running", "help_queue", "verify_decided", "verify_approval", "waive",
                 "paused", "candidates", "hall")
PAGES_SHEET = ("candidate", "hall_held", "devices", "alerts", "exit", "report")
TALL_SHEET = ("candidates_tall", "candidate_tall", "hall_tall", "devices_tall", "alerts_tall",
              "exit_tall", "exit_sign_tall", "report_tall")
PROCTOR_SIZE, PROCTOR_TALL = (1440, 900), (1080, 1920)


def save_sheet(
    folder: Path, target: Path, size: tuple[int, int], names: tuple[str, ...] = SHEET
) -> None:
    """The most important of `folder`'s pictures on one small sheet."""
    columns = 4 if size[0] < size[1] else 3
    wide = 230 if size[0] < size[1] else 320 if names is SHEET else 480
    high, gap = round(wide * size[1] / size[0]), 8
    rows = -(-len(names) // columns)
    sheet = qt.QImage(columns * (wide + gap) + gap, rows * (high + gap) + gap,
                      qt.QImage.Format_RGB32)
    sheet.fill(qt.QColor(theme.LINE))
    painter = qt.QPainter(sheet)
    for n, name in enumerate(names):
        picture = qt.QImage(str(folder / f"{name}.png"))
        shown = picture.scaled(wide, high, qt.Qt.IgnoreAspectRatio, qt.Qt.SmoothTransformation)
        at = qt.QPoint(n % columns, n // columns)
        painter.drawImage(gap + at.x() * (wide + gap), gap + at.y() * (high + gap), shown)
    painter.end()
    plain = qt.Qt.ThresholdDither | qt.Qt.AvoidDither  # dithered ones do not compress
    sheet.convertToFormat(qt.QImage.Format_Indexed8, plain).save(str(target))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--only", default="", help="screens whose name contains this")
    parser.add_argument("--proctor", action="store_true", help="the proctor's screens only")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = qt.QApplication(["examgate"])
    if theme.set_up(app) is None:
        print(theme.NO_FONT)
        return 1
    for language in ("zh", "en"):
        for size in () if arguments.proctor else SIZES:
            folder = arguments.outdir / language / f"{size[0]}x{size[1]}"
            folder.mkdir(parents=True, exist_ok=True)
            save_candidate(app, folder, language, size, arguments.only)
            if not arguments.only and size in SIZES[:2]:
                shape = "wide" if size[0] > size[1] else "tall"
                save_sheet(folder, arguments.outdir / f"sheet-{language}-{shape}.png", size)
        folder = arguments.outdir / language / "proctor"
        folder.mkdir(parents=True, exist_ok=True)
        save_proctor(app, folder, language)
        sheet = arguments.outdir / f"sheet-{language}-proctor.png"
        save_sheet(folder, sheet, PROCTOR_SIZE, PROCTOR_SHEET)
        for ending, size, names in (("pages", PROCTOR_SIZE, PAGES_SHEET),
                                    ("pages-tall", PROCTOR_TALL, TALL_SHEET)):
            sheet = arguments.outdir / f"sheet-{language}-{ending}.png"
            save_sheet(folder, sheet, size, names)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
