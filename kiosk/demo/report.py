"""The session report of the demonstration: one HTML page from the journal, no personal data.

Only presents what the journal says; counts nothing that is not in it.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path
from typing import Any

WORDS = {
    "zh": {
        "title": "场次报告",
        "facts": (
            ("subject", "科目"),
            ("starts_at", "开始"),
            ("booked", "报名"),
            ("seated", "已抽号未入场"),
            ("inside", "已入场"),
            ("capacity", "容量"),
        ),
        "reasons": "按原因统计",
        "entries": "日志记录",
        "columns": ("序号", "时间", "类别", "原因", "考生（化名）", "考台"),
    },
    "en": {
        "title": "Session report",
        "facts": (
            ("subject", "subject"),
            ("starts_at", "start"),
            ("booked", "booked"),
            ("seated", "drawn, not inside"),
            ("inside", "inside"),
            ("capacity", "capacity"),
        ),
        "reasons": "By reason",
        "entries": "Journal",
        "columns": ("seq", "time", "kind", "reason", "candidate (pseudonym)", "terminal"),
    },
}
STYLE = (
    "body{font-family:'Noto Sans CJK SC','WenQuanYi Zen Hei',sans-serif;margin:2em;color:#111}"
    "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2em .6em;text-align:left}"
    "td{font-variant-numeric:tabular-nums}"
)


def write_report(
    path: Path, session: dict[str, Any], entries: list[dict[str, Any]], language: str
) -> Path:
    """Write the page; `session` and `entries` as on the wire. Returns `path`."""
    words = WORDS[language]
    mine = [e for e in entries if e["session_id"] in (session["session_id"], None)]
    facts = [(label, session[key]) for key, label in words["facts"]]
    ended = ("refused", "admitted", "gate_outcome")
    reasons = Counter(e["reason"] for e in mine if e["kind"] in ended and e["reason"])
    title = f"{words['title']} {session['session_id']}"
    rows = [
        (
            e["seq"],
            e["at"],
            e["kind"],
            e["reason"] or "",
            (e["pseudonym"] or "")[:12],
            e["terminal"] or "",
        )
        for e in mine
    ]
    parts = [
        f"<!doctype html><html lang={language}><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{STYLE}</style><h1>{escape(title)}</h1>",
        _table(None, facts),
        f"<h2>{words['reasons']}</h2>",
        _table(None, sorted(reasons.items())),
        f"<h2>{words['entries']}</h2>",
        _table(words["columns"], rows),
    ]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return path


def _table(head: Any, rows: Any) -> str:
    lines = ["<table>"]
    if head:
        lines.append("<tr>" + "".join(f"<th>{escape(str(h))}</th>" for h in head) + "</tr>")
    lines += ["<tr>" + "".join(f"<td>{escape(str(v))}</td>" for v in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])
