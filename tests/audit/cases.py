"""What somebody could do to a record, and the first finding that it must lead to.

Each case has the code and, counted in the changed record, the entry (0: the record as a whole).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.audit.sessions import Made
from tests.audit.tamper import Lines, Venue

Change = Callable[[Any], Any]  #: edits Lines or Venue; gives the entry (dict) or number expected


@dataclass(frozen=True)
class Case:
    name: str
    code: str
    change: Change
    by_venue: bool  #: with the key: everything is numbered, hashed and signed anew
    counts: bool = False  #: the header's counts are made to fit
    kept: bool = False  #: somebody holds the heads `made.within` against it

    def bend(self, made: Made) -> tuple[bytes, int]:
        """The changed record, and the entry that the first finding must name."""
        if not self.by_venue:
            lines = Lines(made)
            seq = self.change(lines)
            return lines.data(self.counts), seq
        record = Venue(made)
        entry = self.change(record)
        data = record.data()
        return data, entry if isinstance(entry, int) else record.seq(entry)


CASES: list[Case] = []


def by_hand(code: str, counts: bool = False) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        CASES.append(Case(f"by_hand-{change.__name__}", code, change, False, counts))
        return change

    return add


def by_venue(code: str, kept: bool = False) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        CASES.append(Case(f"by_venue-{change.__name__}", code, change, True, kept=kept))
        return change

    return add


def size_of(head: bytes) -> int:
    return int(json.loads(head)["note"].split("\n")[1])


# The file edited: form, hashes or heads show it


@by_hand("CHANGED")
def changed_entry(lines: Lines) -> int:
    place = lines.find("seat_drawn", 1)
    lines.entries[place] = lines.entries[place].replace(b'"rounds":1', b'"rounds":2')
    return lines.header["first"] + place


@by_hand("HEAD")
def changed_entry_and_leaf(lines: Lines) -> int:
    place = lines.find("help")
    lines.entries[place] = lines.entries[place].replace(b'"reason":null', b'"reason":"HELP"')
    lines.leaves[place] = hashlib.sha256(b"\0" + lines.entries[place]).hexdigest()
    sizes = [size_of(head) for head in lines.heads]
    return max(size for size in sizes if size < lines.header["first"] + place) + 1


@by_hand("FORM")
def dropped(lines: Lines) -> int:
    del lines.entries[20]
    return 0


@by_hand("FORM", counts=True)
def dropped_and_counted(lines: Lines) -> int:
    del lines.entries[20]
    return 0


@by_hand("SEQUENCE", counts=True)
def dropped_with_its_leaf(lines: Lines) -> int:
    del lines.entries[20], lines.leaves[20]
    return lines.header["first"] + 21


@by_hand("SEQUENCE")
def swapped(lines: Lines) -> int:
    lines.entries[20:22] = [lines.entries[21], lines.entries[20]]
    return lines.header["first"] + 21


@by_hand("SEQUENCE", counts=True)
def inserted_twice(lines: Lines) -> int:
    lines.entries.insert(21, lines.entries[20])
    lines.leaves.insert(21, lines.leaves[20])
    return lines.header["first"] + 20


@by_hand("FORM")
def cut_off(lines: Lines) -> int:
    del lines.entries[-3:]
    return 0


@by_hand("UNSIGNED", counts=True)
def cut_off_with_heads(lines: Lines) -> int:
    del lines.entries[-3:], lines.leaves[-3:]
    last = lines.header["first"] + len(lines.entries) - 1
    lines.heads = [head for head in lines.heads if size_of(head) <= last]
    return size_of(lines.heads[-1]) + 1


@by_hand("SIGNATURE")
def head_of_another_size(lines: Lines) -> int:
    head = json.loads(lines.heads[1])
    size = head["note"].split("\n")[1]
    head["note"] = head["note"].replace(f"\n{size}\n", f"\n{int(size) + 1}\n")
    lines.heads[1] = json.dumps(head).encode()
    return 0


@by_hand("HEAD", counts=True)
def head_twice(lines: Lines) -> int:
    lines.heads.insert(1, lines.heads[0])
    return 0


@by_hand("SIGNATURE")
def another_key(lines: Lines) -> int:
    key = b"\x01" + b"\x07" * 32
    name = lines.header["origin"]
    key_id = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()
    lines.header["vkey"] = f"{name}+{key_id}+{base64.b64encode(key).decode()}"
    return 0


@by_hand("EARLIER")
def earlier_proof(lines: Lines) -> int:
    lines.header["earlier"]["proof"][0] = "0" * 64
    return 0


@by_hand("HEAD")
def peaks(lines: Lines) -> int:
    lines.header["peaks"][0] = "0" * 64
    return lines.header["first"]


# Signed anew by the venue: commitment, draws, rules and gate show it


@by_venue("COMMITMENT")
def seed(record: Venue) -> Any:
    closed = record.all("session_closed")[0]
    closed["payload"]["seed"] = "5" * 64
    return record.first


@by_venue("COMMITMENT")
def commitment(record: Venue) -> Any:
    record.all("session_opened")[0]["payload"]["commitment"] = "5" * 64
    return record.first


@by_venue("HALL")
def hall(record: Venue) -> Any:
    opened = record.all("session_opened")[0]
    opened["payload"]["terminals"][7]["reserved"] = False
    return opened


@by_venue("COMMITMENT")
def hall_with_its_hash(record: Venue) -> Any:
    _rehash_hall(record)
    return record.first


@by_venue("RULES")
def hall_with_hash_and_commitment(record: Venue) -> Any:
    """The seed is known to the venue: it can commit anew, but draws were made by other rules."""
    opened = record.all("session_opened")[0]
    made = _rehash_hall(record)
    seed = record.all("session_closed")[0]["payload"]["seed"]
    lines = ("examgate/seed/v2", opened["session_id"], made, seed)
    opened["payload"]["commitment"] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return record.all("seat_drawn")[0]


def _rehash_hall(record: Venue) -> str:
    payload = record.all("session_opened")[0]["payload"]
    payload["terminals"][7]["reserved"] = False
    whole = {key: payload[key] for key in ("capacity", "rules", "terminals")}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    payload["hall_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return str(payload["hall_sha256"])


@by_venue("STROKES")
def signature_of_the_entry(record: Venue) -> Any:
    record.all("signed")[2]["payload"]["signature_sha256"] = "5" * 64
    return record.all("seat_drawn")[2]


@by_venue("DRAW")
def signature_everywhere(record: Venue) -> Any:
    """One signature in as many as the pool has terminals leads to the same one; not this."""
    record.all("signed")[0]["payload"]["signature_sha256"] = "6" * 64
    drawn = record.all("seat_drawn")[0]
    drawn["payload"]["signature_sha256"] = "6" * 64
    return drawn


@by_venue("STROKES")
def signed_after_the_draw(record: Venue) -> Any:
    drawn = record.all("seat_drawn")[2]
    signed = record.all("signed")[2]
    record.move(drawn, before=signed)
    drawn["at"] = signed["at"]
    return drawn


@by_venue("STROKES")
def signature_used_again(record: Venue) -> Any:
    drawn = record.all("seat_drawn", replaces=2)[0]
    old = record.all("seat_drawn", draw_no=2)[0]["payload"]["signature_sha256"]
    who = drawn["pseudonym"]
    record.all("signed", pseudonym=who)[1]["payload"]["signature_sha256"] = old
    drawn["payload"]["signature_sha256"] = old
    return drawn


@by_venue("DRAW")
def index(record: Venue) -> Any:
    drawn = record.all("seat_drawn")[0]
    drawn["payload"]["index"] += 1
    return drawn


@by_venue("DRAW")
def terminal(record: Venue) -> Any:
    """Another terminal for the first candidate, in all that speaks of it."""
    drawn = record.all("seat_drawn")[0]
    pool = drawn["payload"].get("pool", drawn["payload"]["free"])
    old, new = drawn["terminal"], next(name for name in pool if name != drawn["terminal"])
    for entry in record.entries:
        if entry["pseudonym"] == drawn["pseudonym"] and entry["terminal"] == old:
            entry["terminal"] = new
    drawn["payload"]["index"] = pool.index(new)
    return drawn


@by_venue("RULES")
def pool_of_one(record: Venue) -> Any:
    """The pool cut down to the wanted terminal, its hash made to fit."""
    drawn = record.all("seat_drawn")[0]
    name = drawn["terminal"]
    drawn["payload"] |= {
        "pool": [name],
        "pool_hash": hashlib.sha256(f"{name}\n".encode()).hexdigest(),
        "index": 0,
    }
    return drawn


@by_venue("RULES")
def other_facts(record: Venue) -> Any:
    drawn = next(e for e in record.all("seat_drawn") if e["payload"]["facts"]["accessible"])
    drawn["payload"]["facts"]["accessible"] = False
    return drawn


@by_venue("FORM")
def version_1(record: Venue) -> Any:
    """A draw of the old version knows no rules."""
    drawn = record.all("seat_drawn")[0]
    del drawn["payload"]["pool_hash"]
    return drawn


@by_venue("NUMBER")
def draw_left_out(record: Venue) -> Any:
    """Everything of one passage, as if the candidate had not come."""
    drawn = record.all("seat_drawn")[4]
    record.drop(*[e for e in record.entries if e["pseudonym"] == drawn["pseudonym"]])
    return record.all("seat_drawn")[4]


@by_venue("SEAT")
def seat_not_voided(record: Venue) -> Any:
    voided = record.all("seat_voided")[1]
    record.drop(voided)
    return record.all("seat_drawn", replaces=voided["payload"]["draw_no"])[0]


@by_venue("VOID")
def approved_by_oneself(record: Venue) -> Any:
    voided = record.all("seat_voided", why="proctor_decision")[0]
    voided["payload"]["approved_by"] = voided["payload"]["person"]
    return voided


@by_venue("VOID")
def broken_but_in_service(record: Venue) -> Any:
    voided = record.all("seat_voided", why="terminal_broken")[0]
    record.drop(record.all("terminal_changed", why="terminal_broken")[0])
    return voided


@by_venue("VOID")
def second_attempt_of_one_outside(record: Venue) -> Any:
    voided = record.all("seat_voided", why="proctor_decision")[0]
    voided["payload"]["why"] = "second_attempt"
    return voided


@by_venue("TERMINAL")
def terminal_that_is_not_there(record: Venue) -> Any:
    changed = record.all("terminal_changed", terminal="06")[0]
    again = record.repeat(changed)
    again["terminal"] = "99"
    return again


@by_venue("SESSION")
def drawn_after_the_closing(record: Venue) -> Any:
    """The seed is public by then: whoever signs can choose the terminal."""
    closed, drawn = record.all("session_closed")[0], record.all("seat_drawn")[-1]
    signed = record.all("signed", pseudonym=drawn["pseudonym"])[0]
    gate = [e for e in record.all("gate_intent") if e["pseudonym"] == drawn["pseudonym"]]
    numbers = {e["payload"]["intent"] for e in gate}
    record.drop(*[e for e in record.entries if e["payload"].get("intent") in numbers])
    record.drop(signed, drawn)
    closed["payload"]["seated"] -= 1
    signed["at"] = drawn["at"] = closed["at"]
    place = record.place(closed) + 1
    record.items[place:place] = [signed, drawn]
    return drawn


@by_venue("SESSION")
def opened_twice(record: Venue) -> Any:
    return record.repeat(record.all("session_opened")[0])


@by_venue("OPEN")
def closing_left_out(record: Venue) -> Any:
    record.drop(record.all("session_closed")[0])
    return record.entries[-1]


@by_venue("INTENT")
def intent_twice(record: Venue) -> Any:
    return record.repeat(record.all("gate_intent")[3])


@by_venue("INTENT")
def intent_for_another_terminal(record: Venue) -> Any:
    intent = record.all("gate_intent")[2]
    number = intent["payload"]["intent"]
    for entry in record.entries:
        if entry["payload"].get("intent") == number:
            entry["terminal"] = "99"
    return intent


@by_venue("AUTHORITY")
def no_identity(record: Venue) -> Any:
    record.drop(record.all("identity_verified")[0])
    return record.all("gate_intent")[0]


@by_venue("AUTHORITY")
def no_finger(record: Venue) -> Any:
    record.drop(record.all("finger_verified")[0])
    return record.all("gate_intent")[0]


@by_venue("AUTHORITY")
def finger_before_the_face(record: Venue) -> Any:
    record.move(record.all("finger_verified")[0], before=record.all("identity_verified")[0])
    return record.all("gate_intent")[0]


@by_venue("AUTHORITY")
def identity_of_another(record: Venue) -> Any:
    first, second = record.all("identity_verified")[:2]
    first["pseudonym"] = second["pseudonym"]
    return record.all("gate_intent")[0]


@by_venue("AUTHORITY")
def by_a_word(record: Venue) -> Any:
    intent = record.all("gate_intent")[0]
    intent["payload"]["authority"] = "friend"
    return intent


@by_venue("AUTHORITY")
def overridden_and_called_verified(record: Venue) -> Any:
    intent = record.all("gate_intent", authority="override")[0]
    intent["payload"]["authority"] = "verified"
    return intent


@by_venue("AUTHORITY")
def override_left_out(record: Venue) -> Any:
    record.drop(record.all("identity_overridden")[0])
    return record.all("gate_intent", authority="override")[0]


@by_venue("AUTHORITY")
def nobody_waived_the_finger(record: Venue) -> Any:
    record.drop(record.all("factor_waived", factor="finger")[0])
    return kinds(record, None)[-1]


@by_venue("AUTHORITY")
def waived_in_nobodys_name(record: Venue) -> Any:
    record.all("factor_waived", factor="finger")[0]["payload"]["person"] = " "
    return kinds(record, None)[-1]


@by_venue("AUTHORITY")
def reader_was_back_before_the_face(record: Venue) -> Any:
    restored = record.all("factor_restored", factor="finger")[0]
    seen = record.all("identity_verified")[-3]
    record.move(restored, before=seen)
    return kinds(record, None)[-1]


@by_venue("OVERRIDE")
def overridden_by_one_alone(record: Venue) -> Any:
    decision = record.all("identity_overridden")[0]
    decision["payload"]["approved_by"] = None
    return decision


@by_venue("OVERRIDE")
def override_approved_by_oneself(record: Venue) -> Any:
    decision = record.all("finger_overridden")[0]
    decision["payload"]["approved_by"] = decision["payload"]["person"]
    return decision


@by_venue("OVERRIDE")
def override_without_a_picture(record: Venue) -> Any:
    record.drop(record.all("capture_kept", outcome="by_hand")[1])
    return record.all("identity_overridden")[1]


@by_venue("OVERRIDE")
def override_says_no_picture(record: Venue) -> Any:
    decision = record.all("identity_overridden")[0]
    decision["payload"]["evidence_sha256"] = None
    return decision


@by_venue("OVERRIDE")
def no_picture_though_the_camera_worked(record: Venue) -> Any:
    record.drop(record.all("factor_waived", factor="face")[0])
    return record.all("identity_overridden", why="camera")[0]


@by_venue("OVERRIDE")
def override_for_a_friend(record: Venue) -> Any:
    decision = record.all("finger_overridden")[0]
    decision["payload"]["why"] = "friend"
    return decision


@by_venue("OVERRIDE")
def other_without_a_word(record: Venue) -> Any:
    decision = record.all("identity_overridden")[1]
    decision["payload"]["why"] = "other"
    return decision


@by_venue("PULSE")
def pulse_added(record: Venue) -> Any:
    return record.repeat(record.all("gate_pulse")[0])


@by_venue("PULSE")
def pulse_for_nobody(record: Venue) -> Any:
    pulse = record.repeat(record.all("gate_pulse")[-1])
    pulse["payload"]["intent"] = 4711
    return pulse


@by_venue("PULSE")
def sensors_word_on_an_answered_pulse(record: Venue) -> Any:
    seen = record.all("gate_pulse_seen")[0]
    intent = seen["payload"]["intent"]
    (pulse,) = record.all("gate_pulse", intent=intent)
    pulse["payload"]["result"] = "sent"
    return seen


@by_venue("OVERRIDE")
def opened_by_hand_by_one_alone(record: Venue) -> Any:
    asked = record.all("device_tried", result="asked")[0]
    asked["payload"]["approved_by"] = None
    return asked


@by_venue("PULSE")
def opened_by_hand_unasked(record: Venue) -> Any:
    record.drop(record.all("device_tried", result="asked")[0])
    return record.all("device_tried", result="sent")[0]


@by_venue("PULSE")
def opened_by_hand_and_nothing_said(record: Venue) -> Any:
    asked = record.all("device_tried", result="asked")[0]
    record.repeat(asked)
    return asked


@by_venue("INTENT")
def opened_by_hand_into_a_passage(record: Venue) -> Any:
    (said,) = record.all("device_tried", result="sent")
    after = next(i for i in record.all("gate_intent") if record.place(i) > record.place(said))
    record.move(said, before=record.entries[record.entries.index(after) + 1])
    said["at"] = after["at"]
    return after


@by_venue("PULSE")
def pulse_removed(record: Venue) -> Any:
    record.drop(record.all("gate_pulse")[0])
    return record.all("gate_outcome")[0]


@by_venue("OUTCOME")
def outcome_removed(record: Venue) -> Any:
    outcome = record.all("gate_outcome", reason="GATE_TIMEOUT")[-2]  # the last is of an exit
    record.drop(outcome)
    return record.all("gate_intent", intent=outcome["payload"]["intent"])[0]


@by_venue("OUTCOME")
def outcome_of_no_kind(record: Venue) -> Any:
    outcome = record.all("gate_outcome", reason="GATE_TIMEOUT")[-1]
    outcome["reason"] = "NOT_ON_ROSTER"
    return outcome


@by_venue("OUTCOME")
def outcome_twice(record: Venue) -> Any:
    return record.repeat(record.all("gate_outcome", reason="GATE_TIMEOUT")[-1])


@by_venue("ADMITTED")
def admission_removed(record: Venue) -> Any:
    admitted = record.all("admitted")[-1]
    record.drop(admitted)
    closed = record.all("session_closed")[0]["payload"]
    closed |= {"inside": closed["inside"] - 1, "seated": closed["seated"] + 1}
    return record.all("gate_outcome", intent=admitted["payload"]["intent"])[0]


@by_venue("ADMITTED")
def admitted_without_passing(record: Venue) -> Any:
    outcome = record.all("gate_outcome", reason="ADMITTED")[-1]
    outcome["reason"] = "GATE_TIMEOUT"
    return record.all("admitted")[-1]


@by_venue("COUNTS")
def one_more_inside(record: Venue) -> Any:
    closed = record.all("session_closed")[0]
    closed["payload"]["inside"] += 1
    return closed


@by_venue("CLOCK")
def an_hour_earlier(record: Venue) -> Any:
    entry = record.all("help")[0]
    entry["at"] = entry["at"].replace("T01:", "T00:")
    return entry


@by_venue("RESTORED")
def put_back(record: Venue) -> Any:
    entry = record.all("help")[0]
    entry |= {"kind": "journal_restored", "session_id": None, "pseudonym": None}
    head = record.made.earlier
    sizes = {"anchor_size": 9, "size": 7, "lost": 2, "root": "0" * 64}
    entry["payload"] = {"anchor": head} | sizes
    return entry


@by_venue("UNSIGNED")
def opening_not_signed(record: Venue) -> Any:
    head = next(item for item in record.items if "note" in item)
    record.items = [item for item in record.items if item is not head]
    return record.all("seat_drawn")[0]


# Signed anew and true to itself: only who has kept a head can tell


@by_venue("FORK", kept=True)
def something_left_out(record: Venue) -> Any:
    record.drop(record.all("device_fault")[0])
    return 0


@by_venue("FORK", kept=True)
def something_else_said(record: Venue) -> Any:
    record.all("help")[0]["reason"] = "TIMEOUT"
    return 0


@by_venue("FORK", kept=True)
def asked_for_no_finger(record: Venue) -> Any:
    for entry in record.entries:
        if "policy" in entry["payload"]:
            entry["payload"]["policy"]["finger"] = False
    record.drop(*record.all("finger_verified"))
    return 0


# Out and back


def kinds(record: Venue, kind: str | None) -> list[Any]:
    return [e for e in record.all("gate_intent") if e["payload"].get("kind") == kind]


@by_venue("INTENT")
def let_in_again_without_a_word(record: Venue) -> Any:
    record.drop(record.all("return_allowed")[0])
    return kinds(record, "readmission")[0]


@by_venue("INTENT")
def let_in_again_though_no_release_was_ended(record: Venue) -> Any:
    record.drop(record.all("gate_event", event="fire_release_ended")[0])
    return kinds(record, "readmission")[-2]  # the first of two tries


@by_venue("INTENT")
def a_release_that_nobody_ended_lets_nobody_back(record: Venue) -> Any:
    record.all("gate_event", event="fire_release_ended")[0]["payload"]["by"] = " "
    return kinds(record, "readmission")[-2]  # the first of two tries


@by_venue("INTENT")
def let_in_again_as_if_it_were_the_first_time(record: Venue) -> Any:
    back = kinds(record, "readmission")[-1]
    del back["payload"]["kind"]
    return back


@by_venue("INTENT")
def let_out_who_is_out(record: Venue) -> Any:
    """Of who left: as if they had never been admitted again."""
    back = kinds(record, "readmission")[0]
    back["payload"]["kind"] = "exit"
    return back


@by_venue("INTENT")
def of_no_kind(record: Venue) -> Any:
    out = kinds(record, "exit")[0]
    out["payload"]["kind"] = "visit"
    return out


@by_venue("SESSION")
def a_draw_after_the_close_is_none_though_an_exit_is(record: Venue) -> Any:
    out = kinds(record, "exit")[-1]
    out["payload"]["kind"] = "readmission"
    return out


@by_venue("OUTCOME")
def out_as_if_in(record: Venue) -> Any:
    outcome = record.all("gate_outcome", reason="LEFT")[0]
    outcome["reason"] = "ADMITTED"
    return outcome


@by_venue("AUTHORITY")
def out_without_a_look(record: Venue) -> Any:
    out = kinds(record, "exit")[0]
    shown = [e for e in record.all("identity_verified")
             if e["pseudonym"] == out["pseudonym"]
             and record.entries.index(e) < record.entries.index(out)]  # fmt: skip
    record.drop(shown[-1])
    return out


@by_venue("LEFT")
def gone_without_passing(record: Venue) -> Any:
    left = record.all("left")[-1]
    outcome = record.all("gate_outcome", intent=left["payload"]["intent"])[0]
    outcome["reason"] = "GATE_TIMEOUT"
    return left


@by_venue("LEFT")
def out_and_nobody_says_so(record: Venue) -> Any:
    left = record.all("left")[-1]
    record.drop(left)
    return record.all("gate_outcome", intent=left["payload"]["intent"])[0]


@by_venue("RETURN")
def allowed_by_nobody(record: Venue) -> Any:
    allowed = record.all("return_allowed")[0]
    allowed["payload"]["person"] = ""
    return allowed


@by_venue("RETURN")
def allowed_by_one_alone(record: Venue) -> Any:
    allowed = record.all("return_allowed", why="other")[0]
    allowed["payload"]["approved_by"] = allowed["payload"]["person"]
    return allowed


@by_venue("RETURN")
def allowed_who_never_left(record: Venue) -> Any:
    left = record.all("left")[1]
    allowed = record.all("return_allowed", why="other")[0]
    assert left["pseudonym"] == allowed["pseudonym"]
    outcome = record.all("gate_outcome", intent=left["payload"]["intent"])[0]
    outcome["reason"] = "GATE_TIMEOUT"
    record.drop(left)
    return allowed


@by_venue("COUNTS")
def one_who_left_is_counted_inside(record: Venue) -> Any:
    closed = record.all("session_closed")[0]
    closed["payload"] |= {"left": 0, "inside": closed["payload"]["inside"] + 1}
    return closed
