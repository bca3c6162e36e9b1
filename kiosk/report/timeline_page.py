"""Sets one candidate's record as A4 pages, in words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from reportlab.platypus import Flowable

from kiosk.report.model import Timeline
from kiosk.report.paper import Paper
from kiosk.report.sentences import moment_reason, moment_sentence
from kiosk.report.words import label


def timeline_pdf(timeline: Timeline, lang: str) -> bytes:
    """Unsigned. Raises `kiosk.report.paper.FontMissing`."""
    t, paper, zone = timeline, Paper(lang), ZoneInfo(timeline.timezone)

    def time(text: str, form: str) -> str:
        return datetime.fromisoformat(text).astimezone(zone).strftime(form)

    pairs = [
        (label("venue", lang), f"{t.venue_name}（{t.venue_code}）"),
        (label("lane", lang), t.lane),
        (label("session", lang), f"{t.session_id} · {t.subject}"),
        (label("starts_at", lang), time(t.starts_at, "%Y-%m-%d %H:%M")),
        (label("name", lang), t.name),
        (label("admission_no", lang), t.admission_no),
        (label("pseudonym", lang), t.pseudonym),
        (label("class", lang), t.licence_class),
    ]
    rows = [
        (
            time(m.at, "%m-%d %H:%M:%S"),
            moment_sentence(m, lang),
            moment_reason(m, lang),
            m.person,
            m.seq,
        )
        for m in t.moments
    ]
    heads = [label(key, lang) for key in ("time", "what", "reason", "by", "seq")]
    head = label("last_head", lang, size=t.head.size)
    story: list[Flowable] = [
        paper.text(label("timeline", lang), paper.title),
        paper.gap(3),
        paper.pairs(pairs),
        paper.text(label("timeline_how", lang), paper.small),
        paper.gap(2),
        paper.table(heads, (26, 86, 36, 20, 14), rows),
        paper.value(head, t.head.note.strip()),
        paper.value(label("vkey", lang), t.vkey),
    ]
    title = f"{label('timeline', lang)} {t.session_id}"
    foot = f"{label('official', lang)} · {t.session_id} · {t.venue_name}"
    return paper.write(story, title, foot)
