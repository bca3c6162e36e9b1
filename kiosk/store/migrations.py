"""The database's schema as a history: named, append-only, each step in one transaction.

A step that has been released is never edited; a change is a new step at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlite_utils import Database

from kiosk.store.errors import NewerSchema
from kiosk.told import Told

Step = tuple[str, Callable[[Database], None]]

_FIRST = """
create table keys (scope text primary key, wrapped blob not null);
create table sessions (
    session_id text primary key, subject text not null, starts_at text not null,
    checkin_from text not null, checkin_until text not null,
    state text not null check (state in ('created', 'open', 'closed')),
    capacity integer not null check (capacity > 0), seed blob, commitment text,
    draws integer not null default 0
);
create unique index one_open_session on sessions (state) where state = 'open';
create table terminals (
    session_id text not null references sessions, terminal text not null,
    position integer not null, in_service integer not null default 1,
    primary key (session_id, terminal)
);
create table candidates (
    candidate_id integer primary key, session_id text not null, admission_no text not null,
    identity_number text not null, name text not null, licence_class text not null,
    pseudonym text not null, photo blob not null, embedding blob not null,
    encoder text not null, digest text not null, imported_at text not null,
    source text not null, active integer not null default 1
);
create unique index one_booking on candidates (session_id, identity_number) where active;
create unique index one_admission_no on candidates (session_id, admission_no) where active;
create index by_identity on candidates (identity_number);
create table templates (
    candidate_id integer not null references candidates, position integer not null,
    template blob not null, primary key (candidate_id, position)
);
create table salts (session_id text primary key, salt blob not null);
create table signatures (
    session_id text not null, candidate_id integer not null references candidates,
    sha256 text not null, text_sha256 text not null, strokes blob not null, at text not null,
    primary key (session_id, candidate_id, sha256)
);
create table assignments (
    assignment_id integer primary key, session_id text not null references sessions,
    candidate_id integer not null references candidates, terminal text not null,
    draw_no integer not null, signature_sha256 text not null, at text not null,
    inside_at text, voided_at text,
    foreign key (session_id, terminal) references terminals (session_id, terminal)
);
create unique index one_seat_a_candidate on assignments (session_id, candidate_id)
    where voided_at is null;
create unique index one_candidate_a_seat on assignments (session_id, terminal)
    where voided_at is null;
create unique index one_number_a_draw on assignments (session_id, draw_no);
create table gate_intents (
    intent_id integer primary key, assignment_id integer not null references assignments,
    at text not null, outcome text, outcome_at text
);
create table journal (
    seq integer primary key, at text not null, monotonic real not null, kind text not null,
    reason text, session_id text, pseudonym text, terminal text,
    entry text not null, leaf_hash text not null, root text not null
);
create trigger journal_keeps_what_it_has before update on journal
    begin select raise(abort, 'the journal is append-only'); end;
create trigger journal_loses_nothing before delete on journal
    begin select raise(abort, 'the journal is append-only'); end;
create table tree (
    one integer primary key check (one = 1), size integer not null, peaks text not null
);
insert into tree values (1, 0, '[]');
create table outbox (
    outbox_id integer primary key, kind text not null, ref integer not null,
    created_at text not null, acknowledged_at text, rejected text, unique (kind, ref)
);
create table scratch (one integer primary key check (one = 1), at text not null);
"""


def _first(database: Database) -> None:
    for statement in _split(_FIRST):
        database.execute(statement)


def _split(script: str) -> Sequence[str]:
    """Statements one by one: `executescript` would commit behind our back."""
    found, current = [], ""
    for part in script.split(";"):
        current += part
        inside_trigger = "create trigger" in current and not current.rstrip().endswith("end")
        if inside_trigger:
            current += ";"
            continue
        if current.strip():
            found.append(current)
        current = ""
    return found


def _journal_of_session(database: Database) -> None:
    """The proctor's list reads one session's entries every time somebody is refused."""
    database.execute("create index journal_of_session on journal (session_id, seq)")


_FACES = """
create table day_faces (
    face_id integer primary key, session_id text not null,
    candidate_id integer not null references candidates, day text not null,
    encoder text not null, embedding blob not null,
    verified integer not null check (verified in (0, 1)), at text not null
);
create index faces_by_day on day_faces (day, encoder);
create table face_alerts (
    alert_id integer primary key, origin text not null check (origin in ('lane', 'roster')),
    day text not null, first integer not null references candidates,
    second integer not null references candidates check (second <> first),
    distance real not null, verified integer not null, at text not null,
    answer text check (answer in ('same', 'different')), answered_by text, answered_at text,
    check ((answer is null) = (answered_by is null))
);
create index unanswered_alerts on face_alerts (alert_id) where answer is null;
"""


def _faces_of_the_day(database: Database) -> None:
    """Who came under which identity today, and what looked like one face under two."""
    for statement in _split(_FACES):
        database.execute(statement)


_HALL_RULES = (
    "alter table terminals add column row_no integer",
    "alter table terminals add column column_no integer",
    "alter table terminals add column reserved integer not null default 0",
    "alter table terminals add column accessible integer not null default 0",
    "alter table terminals add column classes text not null default ''",
    "alter table sessions add column spacing integer not null default 0",
    "alter table sessions add column hall_sha256 text",
    "alter table candidates add column accessible integer not null default 0",
    "alter table candidates add column school text",
    "alter table assignments add column school text",
    "alter table assignments add column voided_why text",
    # a signature is the second source of randomness of one draw, never of two
    "create unique index one_draw_a_signature"
    " on assignments (session_id, candidate_id, signature_sha256)",
)


def _hall_rules(database: Database) -> None:
    """Terminals with attributes, spacing, and what the rules know of a candidate."""
    for statement in _HALL_RULES:
        database.execute(statement)


_CHECKPOINTS = """
create table checkpoints (size integer primary key, at text not null, note text not null);
create trigger checkpoints_keep_what_they_have before update on checkpoints
    begin select raise(abort, 'signed heads are kept'); end;
create trigger checkpoints_lose_nothing before delete on checkpoints
    begin select raise(abort, 'signed heads are kept'); end;
"""


def _checkpoints(database: Database) -> None:
    """Signed tree heads."""
    for statement in _split(_CHECKPOINTS):
        database.execute(statement)


_PURPOSES = (
    "alter table signatures add column purpose text not null default 'entry'"
    " check (purpose in ('entry', 'exit'))",
    "alter table signatures add column score integer",
    "alter table signatures add column draw_no integer",
)


def _purposes(database: Database) -> None:
    """Signatures at the exit, for a score."""
    for statement in _PURPOSES:
        database.execute(statement)


_CAPTURES = """
create table captures (
    seq integer primary key, session_id text not null,
    candidate_id integer not null references candidates, at text not null,
    outcome text not null, sha256 text not null, jpeg blob not null
);
create index captures_of_candidate on captures (session_id, candidate_id);
"""


def _captures(database: Database) -> None:
    """Pictures of who stood before the camera."""
    for statement in _split(_CAPTURES):
        database.execute(statement)


_STAFF = """
create table staff (
    staff_no text primary key, name text not null,
    role text not null check (role in ('proctor', 'chief', 'technician')),
    pin blob not null, failures integer not null default 0, failed_at text,
    created_at text not null, disabled_at text
);
"""


def _staff(database: Database) -> None:
    """Who may log in at the proctor's screen."""
    for statement in _split(_STAFF):
        database.execute(statement)


_BUNDLES = """
create table bundles (
    serial integer primary key, sha256 text not null, made_at text not null,
    source text not null, taken_at text not null, person text not null
);
"""


def _bundles(database: Database) -> None:
    """Which of the centre's bundles were taken in: none older is taken again."""
    for statement in _split(_BUNDLES):
        database.execute(statement)


_WARNINGS = """
create table warnings (
    warning_id integer primary key, what text not null, key text not null, at text not null,
    session_id text, pseudonym text, terminal text, args text not null,
    acknowledged_by text, acknowledged_at text, unique (what, key),
    check ((acknowledged_by is null) = (acknowledged_at is null))
);
create index unacknowledged_warnings on warnings (warning_id) where acknowledged_by is null;
"""


def _warnings(database: Database) -> None:
    """What a proctor had to hear of, and who did."""
    for statement in _split(_WARNINGS):
        database.execute(statement)


_HELP = """
create table help_requests (
    help_id integer primary key, at text not null, session_id text,
    candidate_id integer references candidates, reason text not null,
    times integer not null default 1, taken_by text, taken_at text,
    done_by text, done_at text, done_how text
);
create index open_help on help_requests (help_id) where done_at is null;
alter table sessions add column paused_at text;
alter table sessions add column paused_why text;
alter table sessions add column paused_note text;
alter table sessions add column paused_by text;
"""


def _help_and_pause(database: Database) -> None:
    """The help queue, and sessions that take nobody for a while."""
    for statement in _split(_HELP):
        database.execute(statement)


def _outbox_waiting(database: Database) -> None:
    """The next batch is found at once among a year of rows that were acknowledged."""
    database.execute(
        "create index outbox_waiting on outbox (outbox_id)"
        " where acknowledged_at is null and rejected is null"
    )


def _template_formats(database: Database) -> None:
    """In which format a template is written, and which finger it is of."""
    database.execute("alter table templates add column format text not null default 'zfm'")
    database.execute("alter table templates add column finger integer not null default 0")


_OUT_AND_BACK = """
alter table sessions add column exit_gate integer not null default 0;
alter table assignments add column left_at text;
alter table assignments add column released_at text;
alter table assignments add column return_by text;
alter table assignments add column seen_outside_at text;
alter table assignments add column seen_outside_by text;
alter table gate_intents add column kind text not null default 'admission'
    check (kind in ('admission', 'readmission', 'exit'));
create index inside_now on assignments (inside_at) where left_at is null;
"""


def _out_and_back(database: Database) -> None:
    """Who leaves by the gate, and who may come back to the same seat."""
    for statement in _split(_OUT_AND_BACK):
        database.execute(statement)


_EVIDENCE = """
alter table outbox add column evidence integer not null default 0;
alter table outbox add column gone text;
drop index outbox_waiting;
create index outbox_waiting on outbox (evidence, outbox_id)
    where acknowledged_at is null and rejected is null and gone is null;
create index outbox_not_there on outbox (kind, outbox_id) where acknowledged_at is null;
create table reports (
    seq integer primary key, session_id text not null, pdf blob not null, csv blob not null
);
alter table signatures add column seq integer;
create temp table signed_entries as
    select seq, session_id, pseudonym, json_extract(entry, '$.payload.signature_sha256') as sha256
    from journal where kind = 'signed' and json_valid(entry);
create index temp.signed_by_sha256 on signed_entries (sha256, session_id);
update signatures set seq = (
    select min(seq) from signed_entries e join candidates c using (pseudonym)
    where e.sha256 = signatures.sha256 and e.session_id = signatures.session_id
    and c.candidate_id = signatures.candidate_id
);
update signatures set seq = null
    where rowid not in (select min(rowid) from signatures group by seq);
drop table temp.signed_entries;
create unique index signature_of_entry on signatures (seq);
create index outbox_sent on outbox (kind, ref)
    where evidence = 1 and acknowledged_at is not null and gone is null;
create index captures_held on captures (seq) where length(jpeg) > 0;
create index signatures_held on signatures (seq) where length(strokes) > 0;
"""


def _evidence(database: Database) -> None:
    """Signatures, pictures and reports in the outbox, by their entries' numbers.

    An entry that was bent is for the audit to find: its signature stays without a number, and so
    does one of two that would have the same.
    """
    for statement in _split(_EVIDENCE):
        database.execute(statement)


STEPS: tuple[Step, ...] = (
    ("0001_lane", _first),
    ("0002_journal_of_session", _journal_of_session),
    ("0003_faces_of_the_day", _faces_of_the_day),
    ("0004_hall_rules", _hall_rules),
    ("0005_checkpoints", _checkpoints),
    ("0006_signature_purposes", _purposes),
    ("0007_captures", _captures),
    ("0008_staff", _staff),
    ("0009_bundles", _bundles),
    ("0010_warnings", _warnings),
    ("0011_help_and_pause", _help_and_pause),
    ("0012_outbox_waiting", _outbox_waiting),
    ("0013_template_formats", _template_formats),
    ("0014_out_and_back", _out_and_back),
    ("0015_evidence", _evidence),
)


def pending(database: Database, steps: Sequence[Step] = STEPS) -> list[Step]:
    """Steps that this database lacks. Raises `NewerSchema` when it has ones we do not know."""
    if "migrations" not in database.table_names():
        return list(steps)
    done = {name for (name,) in database.execute("select name from migrations")}
    unknown = done - {name for name, _ in steps}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise NewerSchema(Told(
            f"the database was written by a newer version (it has {names}); "
            "install that version, or restore the copy made before it was migrated",
            f"数据库由更新的版本写入（含 {names}）；请安装该版本，或恢复升级前的备份",
        ))  # fmt: skip
    return [(name, step) for name, step in steps if name not in done]


def migrate(database: Database, at: str, steps: Sequence[Step] = STEPS) -> list[str]:
    """Apply what is pending, each in one transaction. Returns the names applied."""
    applied = []
    for name, step in pending(database, steps):
        database.execute("begin immediate")
        try:
            database.execute(
                "create table if not exists migrations (name text primary key, at text not null)"
            )
            step(database)
            database.execute("insert into migrations values (?, ?)", [name, at])
            database.execute("commit")
        except BaseException:
            database.execute("rollback")
            raise
        applied.append(name)
    return applied
