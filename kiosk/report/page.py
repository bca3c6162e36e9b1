"""Sets a session's report as A4 pages. Decides nothing: what is listed is in the model."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from reportlab.platypus import Flowable

from kiosk.report.model import Event, Report, Row, Status
from kiosk.report.paper import Paper
from kiosk.report.sentences import difference_sentence, event_sentence, reason_of
from kiosk.report.words import CLAIMS, DEVICES, STATUS, claim_word, label, pick


def report_pdf(report: Report, lang: str) -> bytes:
    """Unsigned. `lang`: "zh" or "en". Raises `kiosk.report.paper.FontMissing`."""
    return _Pages(report, lang).write()


class _Pages:
    def __init__(self, report: Report, lang: str) -> None:
        self._r = report
        self._lang = lang
        self._paper = Paper(lang)
        self._zone = ZoneInfo(report.timezone)

    def write(self) -> bytes:
        r = self._r
        story = [
            *self._top(),
            *self._balance(),
            *self._candidates(),
            *self._absent(),
            *self._listed("overrides", r.overrides),
            *self._listed("refusals", r.refusals),
            *self._faults(),
            *self._listed("incidents", r.incidents),
            *self._proof(),
        ]
        title = f"{self._l('title')} {r.session_id}"
        mark = self._l("public" if r.public else "official")
        return self._paper.write(story, title, f"{mark} · {r.session_id} · {r.venue_name}")

    # --- small helpers --------------------------------------------------------------------------

    def _l(self, key: str, **args: object) -> str:
        return label(key, self._lang, **args)

    def _time(self, text: str | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
        if text is None:
            return "–"
        return datetime.fromisoformat(text).astimezone(self._zone).strftime(form)

    def _who(self, pseudonym: str | None, name: str | None) -> str:
        if pseudonym is None:
            return "–"
        return name or f"{pseudonym[:12]}…"

    def _heads(self, *keys: str) -> list[str]:
        return [self._l(key) for key in keys]

    # --- sections -------------------------------------------------------------------------------

    def _top(self) -> list[Flowable]:
        r, paper = self._r, self._paper
        out = len(r.out_of_service)
        hall = self._l("hall_value", terminals=r.terminals, out=out, capacity=r.capacity)
        if r.spacing:
            hall += f" · {self._l('spacing_on')}"
        window = f"{self._time(r.checkin_from, '%m-%d %H:%M')} – "
        window += self._time(r.checkin_until, "%m-%d %H:%M")
        pairs = [
            (self._l("venue"), f"{r.venue_name}（{r.venue_code}）"),
            (self._l("lane"), r.lane),
            (self._l("session"), r.session_id),
            (self._l("subject"), r.subject),
            (self._l("starts_at"), self._time(r.starts_at, "%Y-%m-%d %H:%M")),
            (self._l("window"), window),
            (self._l("opened"), self._by(r.opened_at, r.opened_by)),
            (self._l("closed"), self._by(r.closed_at, r.closed_by)),
            (self._l("hall"), hall),
            (self._l("checks"), self._checks()),
            (self._l("state"), self._l(f"{r.state}_state")),
            (self._l("software"), f"examgate {r.version}"),
        ]
        n = r.numbers
        figures = [
            (self._l("n_booked"), n.booked, False),
            (self._l("n_inside"), n.inside, False),
            (self._l("n_seated"), n.seated, n.seated > 0),
            (self._l("n_turned_away"), n.turned_away, n.turned_away > 0),
            (self._l("n_absent"), n.absent, False),
            (self._l("n_refusals"), n.refusals, False),
            (self._l("n_faults"), n.faults, n.faults > 0),
        ]
        mark = self._l("public" if r.public else "official")
        story = [
            paper.text(self._l("title"), paper.title),
            paper.gap(2),
            paper.text(mark, paper.small),
            paper.gap(1),
            paper.pairs(pairs),
        ]
        if r.state != "closed":
            story.append(paper.text(self._l("interim"), paper.alarm))
        return [*story, paper.figures(figures)]

    def _by(self, at: str | None, person: str | None) -> str:
        return self._time(at) + (f" · {person}" if person else "")

    def _checks(self) -> str:
        policy = self._r.policy
        if not policy:
            return "–"
        claim = {"id_card": "card", "face": "face"}.get(str(policy.get("claim")))
        said = [pick(CLAIMS[claim], self._lang)] if claim else []
        said += [self._l(f"{key}_on") for key in ("liveness", "finger") if policy.get(key)]
        return " · ".join(said)

    def _balance(self) -> list[Flowable]:
        r, paper = self._r, self._paper
        n = r.numbers
        numbers = n.model_dump() | {"held": n.drawn - n.voided}
        counters = "no_counters" if n.counted_in is None and n.counted_out is None else "counters"
        shown = {k: "–" if v is None else v for k, v in numbers.items()}
        went = n.exits or n.readmissions or n.left
        story = [
            *paper.section("balance"),
            paper.text(self._l("balance_row", **numbers)),
            *([paper.text(self._l("balance_out", **numbers))] if went else []),
            paper.text(self._l(counters, **shown)),
        ]
        if not r.differences:
            return [*story, paper.text(self._l("balanced"))]
        story.append(paper.text(self._l("differences", count=len(r.differences)), paper.alarm))
        rows = [
            (
                paper.text(d.code, paper.code),
                difference_sentence(d, self._lang),
                self._who(d.pseudonym, d.who),
                d.terminal,
                _seqs(d.entries),
            )
            for d in r.differences
        ]
        heads = self._heads("code", "meaning", "who", "terminal", "entries")
        return [*story, paper.table(heads, (32, 72, 34, 16, 26), rows)]

    def _candidates(self) -> list[Flowable]:
        r, paper = self._r, self._paper
        story = [*paper.section("candidates")]
        if not r.rows:
            return [*story, paper.text(self._l("no_candidates"))]
        who = ("pseudonym",) if r.public else ("admission_no", "name")
        heads = [
            "#",
            *self._heads(*who, "class", "status", "entered", "terminal", "draw_no", "claim", "face",
                         "finger"),
        ]  # fmt: skip
        widths = (8, *((52,) if r.public else (26, 34)), 10, 21, 17, 15, 10, 13, 15, 13)
        rows = [self._row(n, row) for n, row in enumerate(r.rows, 1)]
        note = paper.text(self._l("figures_mean"), paper.small)
        return [*story, paper.table(heads, widths, rows), note]

    def _absent(self) -> list[Flowable]:
        """Apart from the long table, because that is what the office asks for first."""
        absent = [r for r in self._r.rows if r.status is Status.ABSENT]
        if not absent:
            said = self._l("no_absent")
        elif self._r.public:
            said = "  ".join(r.pseudonym for r in absent)
        else:
            said = "；".join(f"{r.admission_no} {r.name}" for r in absent)
        return [*self._paper.section("absent"), self._paper.text(said)]

    def _row(self, n: int, row: Row) -> tuple[object, ...]:
        if self._r.public:
            who: tuple[object, ...] = (self._paper.text(row.pseudonym, self._paper.code),)
        else:
            name = row.name or f"{row.pseudonym[:12]}…"
            who = (self._paper.text(row.admission_no or "–", self._paper.code), name)
        return (
            n,
            *who,
            row.licence_class,
            pick(STATUS[Status(row.status)], self._lang),
            self._time(row.entered_at, "%H:%M:%S") if row.entered_at else None,
            row.terminal,
            row.draw_no,
            claim_word(row.claim, self._lang),
            self._mark(row.face, row.face_distance),
            self._mark(row.finger, row.finger_score),
        )

    def _mark(self, done: bool, figure: float | None) -> str | None:
        if not done:
            return None
        return self._l("passed_mark") if figure is None else f"{round(figure, 3):g}"

    def _listed(self, key: str, events: tuple[Event, ...]) -> list[Flowable]:
        paper = self._paper
        story = [*paper.section(key)]
        if not events:
            return [*story, paper.text(self._l(f"no_{key}"))]
        rows = [
            (
                self._time(e.at, "%H:%M:%S"),
                event_sentence(e, self._lang),
                reason_of(e, self._lang),
                self._who(e.pseudonym, e.who),
                e.person,
                e.seq,
            )
            for e in events
        ]
        heads = self._heads("time", "what", "reason", "who", "by", "seq")
        return [*story, paper.table(heads, (17, 68, 34, 32, 20, 13), rows)]

    def _faults(self) -> list[Flowable]:
        paper, faults = self._paper, self._r.faults
        story = [*paper.section("faults")]
        if not faults:
            return [*story, paper.text(self._l("no_faults"))]
        rows = [
            (
                self._time(f.since, "%H:%M:%S"),
                pick(DEVICES[f.device], self._lang) if f.device in DEVICES else f.device,
                paper.text(f.code, paper.code),
                _duration(f.seconds) if f.seconds is not None else self._l("not_recovered"),
                f.seq,
            )
            for f in faults
        ]
        heads = self._heads("time", "device", "code", "duration", "seq")
        return [*story, paper.table(heads, (20, 40, 60, 40, 20), rows)]

    def _proof(self) -> list[Flowable]:
        r, paper = self._r, self._paper
        story = [*paper.section("proof")]
        values: list[tuple[str, dict[str, int], str | None]] = [
            ("commitment", {}, r.commitment),
            ("seed", {}, r.seed or self._l("seed_hidden")),
            ("hall_sha256", {}, r.hall_sha256),
            ("vkey", {}, r.vkey),
        ]
        heads = (("first_head", r.first_head), ("last_head", r.last_head))
        values += [(key, {"size": h.size}, h.note.strip()) for key, h in heads if h]
        for key, args, value in values:
            story.append(paper.value(self._l(key, **args), value or "–"))
        return [*story, paper.text(self._l("how"), paper.small)]


def _seqs(entries: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, entries[:6]))
    return shown + (" …" if len(entries) > 6 else "")


def _duration(seconds: float) -> str:
    """1:02:03 or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
