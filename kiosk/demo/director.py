"""Plays the cast at virtual venues and says how it went: progress, table, folder of evidence.

Knows the script and the stage, not how a lane works inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kiosk.demo.actor import Actor, Result
from kiosk.demo.cast import BY_CARD, BY_FACE, Part
from kiosk.demo.people import CHEN, LI, WANG, ZHOU, write_roster
from kiosk.demo.report import write_report
from kiosk.demo.venue import Venue, VenueError, VenueOptions, soon

#: Shorter than in a hall, so that the waiting parts do not take minutes.
DEMO_TIMEOUTS = {
    "face_s": 25.0,
    "liveness_s": 12.0,
    "finger_s": 20.0,
    "sign_s": 40.0,
    "gate_s": 4.0,
    "gate_clear_s": 6.0,
    "result_s": 3.0,
    "absent_s": 2.5,
}
TABLE_WIDTH = 150
STEP_NAMES = {
    "zh": {"face": "人脸", "finger": "指纹", "sign": "签名", "gate": "闸机"},
    "en": {"face": "face", "finger": "finger", "sign": "sign", "gate": "gate"},
}
HEADINGS = {
    "zh": ("场景", "考生", "结果", "原因代码", "考台", "符合预期"),
    "en": ("part", "candidate", "outcome", "reason code", "terminal", "as expected"),
}
OUTCOME = {"zh": ("放行", "拒绝"), "en": ("admitted", "refused")}


@dataclass
class Stage:
    """One venue's share of the script."""

    key: str
    claim: str
    parts: Sequence[Part]
    booked: dict[str, list[object]]
    open_session: str
    results: list[Result] = field(default_factory=list)
    report: Path | None = None
    journal: Path | None = None


def stages() -> list[Stage]:
    """The entry lane by identity card, then the same lane by face alone."""
    return [
        Stage("card", "id_card", BY_CARD, {"KM1-A": [WANG, LI, ZHOU], "KM1-B": [CHEN]}, "KM1-A"),
        Stage("face", "face", BY_FACE, {"KM1-C": [WANG, LI, ZHOU]}, "KM1-C"),
    ]


def _console() -> Console:
    """As wide as the terminal; wide enough for the table where there is none."""
    return Console() if Console().is_terminal else Console(width=TABLE_WIDTH)


class Director:
    """`run()` plays every stage. `out` receives screenshots, journals, reports and logs."""

    def __init__(
        self, out: Path, photos: Path, *, language: str, windowed: bool, pace: float
    ) -> None:
        self._out, self._photos = out, photos
        self._language = language
        self._windowed = windowed
        self._pace = pace
        self._console = _console()
        self._said: list[Text] = []

    def run(self, played: Sequence[Stage] | None = None) -> int:
        """Play these stages (None: all). 0 when every part ended as it should, otherwise 1."""
        played = stages() if played is None else played
        for stage in played:
            self._play_stage(stage)
        for stage in played:
            self._console.print(self._table(stage))
        self._say_where(played)
        wrong = [r for s in played for r in s.results if not r.as_expected]
        for result in wrong:
            self._console.print(
                f"[red]{result.part.key}: {result.reason} ≠ {result.part.ends} "
                f"{result.problem or ''}[/red]"
            )
        missing = sum(len(s.parts) - len(s.results) for s in played)
        return 1 if wrong or missing else 0

    # --- one venue ------------------------------------------------------------------------------

    def _play_stage(self, stage: Stage) -> None:
        folder = self._out / stage.key
        options = VenueOptions(
            claim=stage.claim,
            language=self._language,
            windowed=self._windowed,
            portrait=stage.key == "face",
            timed_reader=True,
            timeouts=DEMO_TIMEOUTS,
        )
        roster = write_roster(folder / "roster", self._photos, stage.booked)  # type: ignore[arg-type]
        later = timedelta(hours=2)
        starts = {s: soon() + later * n for n, s in enumerate(stage.booked)}
        with Venue(folder, options) as venue:
            self._console.print(f"── {stage.key}: {venue.config_path}")
            venue.prepare(roster, [(s, at, 20) for s, at in starts.items()])
            venue.prepare_camera(self._photos)
            venue.start_daemon()
            venue.command("session", "open", stage.open_session, "--person", "demo")
            venue.start_screen()
            asyncio.run(self._play_parts(stage, venue))
            self._write_evidence(stage, venue)

    async def _play_parts(self, stage: Stage, venue: Venue) -> None:
        shots = self._out / stage.key / "screens"
        shots.mkdir(parents=True, exist_ok=True)
        seats: dict[str, str | None] = {}
        live = Live(console=self._console, refresh_per_second=4)
        with live if self._console.is_terminal else contextlib.nullcontext():
            for part in stage.parts:

                def show(result: Result, state: str) -> None:
                    live.update(self._progress(stage, result, state))

                actor = Actor(venue, part, self._photos, shots, pace=self._pace, live=show)
                result = await actor.play()
                seats[part.key] = result.terminal
                kept = part.keeps_seat_of
                if kept is not None and result.terminal != seats.get(kept):
                    result.problem = f"seat {result.terminal} instead of {seats.get(kept)}"
                stage.results.append(result)
                if self._console.is_terminal:
                    live.update(self._progress(stage, result, ""))
                else:
                    self._console.print(self._line(result))

    def _write_evidence(self, stage: Stage, venue: Venue) -> None:
        """Close the session, check the journal, write journal and report."""
        venue.command("session", "close", stage.open_session, "--person", "demo")
        verify = venue.command("journal", "verify", check=False)
        if verify.returncode != 0:
            raise VenueError(f"the journal does not verify:\n{verify.stdout}{verify.stderr}")
        entries = venue.journal()
        stage.journal = self._out / stage.key / "journal.jsonl"
        with stage.journal.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(e, ensure_ascii=False) + "\n" for e in entries)
        status = venue.call("session.status", {"session_id": stage.open_session})["sessions"][0]
        stage.report = write_report(
            self._out / stage.key / "session-report.html", status, entries, self._language
        )

    # --- what is printed ------------------------------------------------------------------------

    def _progress(self, stage: Stage, now: Result, state: str) -> Text:
        """One line a part: done ones with their end, the present one with its state."""
        text = Text()
        for result in stage.results:
            if result is not now:
                text.append(self._line(result) + "\n")
        text.append(self._line(now) if not state else f"▶ {self._title(now.part)} … {state}")
        return text

    def _line(self, result: Result) -> str:
        mark = "✓" if result.as_expected else "✗"
        return f"{mark} {self._title(result.part)}: {result.reason} {result.terminal or ''}"

    def _title(self, part: Part) -> str:
        return part.title_zh if self._language == "zh" else part.title_en

    def _table(self, stage: Stage) -> Table:
        names = STEP_NAMES[self._language]
        what, who, outcome, reason, terminal, expected = HEADINGS[self._language]
        table = Table(title=f"{stage.open_session} ({stage.claim})", show_lines=False)
        for heading in (what, who, *(f"{n} s" for n in names.values()), outcome, reason, terminal):
            table.add_column(heading)
        table.add_column("ms", justify="right")
        table.add_column(expected)
        for r in stage.results:
            admitted, refused = OUTCOME[self._language]
            steps = [f"{r.steps[s]:.1f}" if s in r.steps else "–" for s in names]
            table.add_row(
                self._title(r.part),
                r.name or "–",
                *steps,
                admitted if r.reason == "ADMITTED" else refused,
                r.reason or "–",
                r.terminal or "–",
                f"{r.timing_ms.get('total', 0):.0f}" if r.timing_ms else "–",
                "✓" if r.as_expected else "✗",
            )
        return table

    def _say_where(self, played: Sequence[Stage]) -> None:
        timings = [r.timing_ms for s in played for r in s.results if "finger" in r.timing_ms]
        if timings:
            keys = list(timings[0])
            mean = {k: sum(t.get(k, 0.0) for t in timings) / len(timings) for k in keys}
            told = ", ".join(f"{k} {v:.0f}" for k, v in mean.items())
            words = {
                "zh": f"系统用时（毫秒，指纹图像就绪到开闸脉冲，不含人的时间）：{told}",
                "en": f"system time, finger image to unlock pulse, people excluded (ms): {told}",
            }
            self._console.print(words[self._language])
        labels = {
            "zh": ("截图", "日志", "场次报告", "运行日志"),
            "en": ("screenshots", "journal", "session report", "process logs"),
        }[self._language]
        for stage in played:
            base = self._out / stage.key
            paths = (base / "screens", stage.journal, stage.report, base / "logs")
            for label, path in zip(labels, paths, strict=True):
                self._console.print(f"{label}: {path}", soft_wrap=True)
