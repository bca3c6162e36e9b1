"""The closed vocabulary of the lane: reason codes, steps, journal kinds.

Shared by screen, journal, upload and command line. Text for people is looked up from the
code, in each language, elsewhere (ui/i18n, kiosk/cli).
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something was decided. Closed: a new reason is a new member here, never free text."""

    # admitted
    ADMITTED = "ADMITTED"
    LEFT = "LEFT"  #: let out, and seen to go
    # refused before anyone looks into a camera
    NOT_ON_ROSTER = "NOT_ON_ROSTER"
    OTHER_SESSION = "OTHER_SESSION"
    ALREADY_INSIDE = "ALREADY_INSIDE"
    ALREADY_LEFT = "ALREADY_LEFT"  #: went out by the gate: back in only on a proctor's word
    NOT_INSIDE = "NOT_INSIDE"  #: wants to leave, and by the record never came in, or has left
    CARD_EXPIRED = "CARD_EXPIRED"
    CARD_NAME_DIFFERS = "CARD_NAME_DIFFERS"
    CARD_NAME_SIMILAR = "CARD_NAME_SIMILAR"
    SESSION_NOT_OPEN = "SESSION_NOT_OPEN"
    TOO_EARLY = "TOO_EARLY"
    TOO_LATE = "TOO_LATE"
    # face
    FACE_MISMATCH = "FACE_MISMATCH"
    FACE_NOT_SURE = "FACE_NOT_SURE"
    FACE_UNKNOWN = "FACE_UNKNOWN"
    FACE_SEEN_BEFORE = "FACE_SEEN_BEFORE"
    FACE_TIMEOUT = "FACE_TIMEOUT"
    LIVENESS_FAILED = "LIVENESS_FAILED"
    LIVENESS_TIMEOUT = "LIVENESS_TIMEOUT"
    # finger
    FINGER_NO_MATCH = "FINGER_NO_MATCH"
    FINGER_NOT_COMPARED = "FINGER_NOT_COMPARED"  #: each comparison took too long
    FINGER_TIMEOUT = "FINGER_TIMEOUT"
    NO_TEMPLATE = "NO_TEMPLATE"
    TEMPLATE_FORMAT = "TEMPLATE_FORMAT"  #: theirs are in a format that this reader cannot compare
    # signature
    SIGNATURE_TIMEOUT = "SIGNATURE_TIMEOUT"
    SIGNATURE_EMPTY = "SIGNATURE_EMPTY"
    # draw and gate
    HALL_FULL = "HALL_FULL"
    NO_TERMINAL_FOR_CLASS = "NO_TERMINAL_FOR_CLASS"
    NO_ACCESSIBLE_TERMINAL = "NO_ACCESSIBLE_TERMINAL"
    GATE_TIMEOUT = "GATE_TIMEOUT"
    GATE_TURNED_BACK = "GATE_TURNED_BACK"
    GATE_TAILGATED = "GATE_TAILGATED"
    GATE_BLOCKED = "GATE_BLOCKED"
    GATE_UNSEEN = "GATE_UNSEEN"  #: let in at a gate without sensors: taken for passed, not seen
    GATE_UNKNOWN = "GATE_UNKNOWN"
    GATE_FORCED = "GATE_FORCED"
    GATE_OPPOSITE = "GATE_OPPOSITE"
    GATE_HELD = "GATE_HELD"
    GATE_SENSOR = "GATE_SENSOR"
    FIRE = "FIRE"
    DRILL = "DRILL"  #: the gate stands open as in a fire, for practice
    # the person or a proctor ended it
    WALKED_AWAY = "WALKED_AWAY"
    CANCELLED = "CANCELLED"
    CANCELLED_BY_PROCTOR = "CANCELLED_BY_PROCTOR"
    HELP_REQUESTED = "HELP_REQUESTED"
    # a proctor looked at them, face to face
    MANUAL_REJECTED = "MANUAL_REJECTED"
    MANUAL_TIMEOUT = "MANUAL_TIMEOUT"
    FACE_BY_EYE = "FACE_BY_EYE"  #: without a camera a proctor looks at everybody
    # the lane itself
    DEVICE_FAULT = "DEVICE_FAULT"
    EVIDENCE_FAILED = "EVIDENCE_FAILED"
    RESTARTED = "RESTARTED"
    WORKSHOP = "WORKSHOP"  #: a technician tries the gate by hand


class VoidReason(StrEnum):
    """Why a drawn seat was given up by a proctor. Closed, like `Reason`."""

    TERMINAL_BROKEN = "terminal_broken"
    SECOND_ATTEMPT = "second_attempt"  #: of the exam, on the same day
    PROCTOR_DECISION = "proctor_decision"  #: anything else; a second person must approve it


class ReturnReason(StrEnum):
    """Why a proctor lets somebody in again who has left by the gate. Closed, like `Reason`."""

    TOILET = "toilet"
    UNWELL = "unwell"
    CALLED = "called"  #: by the staff: a document, a terminal that had to be changed
    OTHER = "other"  #: with a note; a second person must approve it


class ExitCheck(StrEnum):
    """What is asked of who leaves, beside the claim (`identity.exit`)."""

    FACE = "face"  #: live, and the claimed one's
    FINGER = "finger"
    CLAIM = "claim"  #: the card alone


class IntentKind(StrEnum):
    """What the gate is opened for."""

    ADMISSION = "admission"
    READMISSION = "readmission"  #: back to the same seat, after a release or on a proctor's word
    EXIT = "exit"


class WarningCode(StrEnum):
    """What a proctor has to hear of (kiosk.core.warnings). Closed, like `Reason`."""

    REPEATED_FAILURES = "repeated_failures"
    TAILGATED = "tailgated"
    GATE_FORCED = "gate_forced"
    GATE_OPPOSITE = "gate_opposite"  #: somebody went through the wrong way
    GATE_HELD = "gate_held"
    GATE_SENSOR = "gate_sensor"  #: one has been broken too long without a passage
    NOT_INSIDE = "not_inside"  #: somebody wanted to leave who by the record is not inside
    CLOCK_STEPPED = "clock_stepped"
    DISK_LOW = "disk_low"
    ROSTER_OLD = "roster_old"
    CAMERA_COVERED = "camera_covered"
    JOURNAL_RESTORED = "journal_restored"


class FaceOverride(StrEnum):
    """Why a proctor's eyes stood in for the face engine. Closed, like `Reason`."""

    APPEARANCE = "appearance"  #: looks other than on the photograph
    PHOTO = "photo"  #: the roster's photograph is bad
    MOVEMENT = "movement"  #: cannot move the head as asked
    COVERED = "covered"  #: bandage, mask or the like that stays on
    ALIKE = "alike"  #: seen under another identity; both were looked at
    CAMERA = "camera"  #: out of order: the only one without a picture
    OTHER = "other"  #: with a note


class FingerOverride(StrEnum):
    """Why no fingerprint was asked for. Closed, like `Reason`."""

    WORN = "worn"
    INJURED = "injured"
    NO_TEMPLATE = "no_template"
    READER = "reader"  #: out of order
    OTHER = "other"  #: with a note


class Rejection(StrEnum):
    """Why a proctor who looked did not let them in. Closed, like `Reason`."""

    NOT_THE_PERSON = "not_the_person"
    CARD = "card"  #: no card, or one that is not in order
    UNCOOPERATIVE = "uncooperative"
    OTHER = "other"  #: with a note


class CardNote(StrEnum):
    """What was let pass about a card, or which card it was. Closed, like `Reason`."""

    EXPIRED = "expired"
    NAME_WRITTEN = "name_written"  #: the roster writes the name with other blanks, dots, width
    NAME_VARIANT = "name_variant"  #: … with another form of the same characters
    HMT_PERMIT = "hmt_permit"  #: residence permit of Hong Kong, Macao or Taiwan
    FOREIGN_2017 = "foreign_2017"  #: a foreigner's, whose number no roster has room for
    FOREIGN_2023 = "foreign_2023"


class PauseReason(StrEnum):
    """Why nobody new is taken for a while. Closed, like `Reason`."""

    EXAM_SYSTEM = "exam_system"
    HALL = "hall"  #: not ready, or disturbed
    LANE = "lane"  #: something about this lane
    BREAK = "break"
    OTHER = "other"  #: with a note


class ClaimBy(StrEnum):
    """By what somebody said who they are."""

    CARD = "card"
    NUMBER = "number"  #: typed or scanned
    FACE = "face"  #: found among all of the session


class Factor(StrEnum):
    """What a lane may be let go on without while its device is out of order
    (docs/degraded.md). Closed: nothing else can be gone without."""

    FACE = "face"  #: the camera; a proctor compares by eye, one candidate after another
    FINGER = "finger"
    CARD = "card"  #: the identity-card reader; a typed number is the claim


class Step(StrEnum):
    """The four steps always visible to the candidate."""

    FACE = "face"
    FINGER = "finger"
    SIGN = "sign"
    SEAT = "seat"


class State(StrEnum):
    """Where the candidate's way is. The transition table is in flow.py."""

    CLOSED = "closed"  #: no session takes candidates now
    OUT_OF_ORDER = "out_of_order"  #: a device or the evidence store is not well
    IDLE = "idle"  #: waiting for a card, or for a face
    PAUSED = "paused"  #: a session is open, but a proctor lets nobody new begin
    CLAIM = "claim"  #: waiting for a card or a number: the face was not sure
    VERIFY = "verify"  #: a proctor compares photograph, person and card
    FACE = "face"
    FINGER = "finger"
    SIGN = "sign"
    DRAWING = "drawing"  #: seat, proof and gate intent are being committed
    GATE = "gate"  #: unlocked (or being unlocked), waiting for the passage
    WELCOME = "welcome"  #: passed; the seat stays on the screen
    REFUSED = "refused"  #: says what to do next


#: No candidate has begun: what takes a moment is done now rather than before somebody's eyes.
NOBODY_AT_THE_LANE = frozenset({State.CLOSED, State.OUT_OF_ORDER, State.IDLE, State.PAUSED})


class Prompt(StrEnum):
    """What the face step asks of the person."""

    LOOK_HERE = "look_here"
    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    CENTRE = "centre"
    ONE_PERSON = "one_person"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    FACE_FORWARD = "face_forward"
    UNEVEN_LIGHT = "uneven_light"
    TAKE_OFF_MASK = "take_off_mask"  #: nose or mouth covered, by whatever
    SHOW_EYES = "show_eyes"  #: sunglasses, a hand
    HOLD_STILL = "hold_still"
    BLURRED = "blurred"  #: though it keeps still: the lens
    OPEN_EYES = "open_eyes"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    LOOK_DOWN = "look_down"
    BLINK = "blink"
    MORE_SLOWLY = "more_slowly"  #: the movement before was too quick to be seen …
    FURTHER = "further"  #: … or too small; another challenge follows
    NONE = "none"


class JournalKind(StrEnum):
    """What an entry of the journal records."""

    LANE_STARTED = "lane_started"
    LANE_STOPPED = "lane_stopped"
    SESSION_CREATED = "session_created"
    SESSION_OPENED = "session_opened"
    FACTOR_WAIVED = "factor_waived"  #: a chief lets the lane go on without a device that failed
    FACTOR_RESTORED = "factor_restored"
    SESSION_PAUSED = "session_paused"
    SESSION_RESUMED = "session_resumed"
    SESSION_CLOSED = "session_closed"
    SESSION_OPEN_REFUSED = "session_open_refused"
    ROSTER_IMPORTED = "roster_imported"
    ROSTER_REEMBEDDED = "roster_reembedded"  #: the stored photographs, by another encoder
    TERMINAL_CHANGED = "terminal_changed"
    CARD_NOTED = "card_noted"  #: something about a card that was let pass
    CLAIMED = "claimed"
    CLAIM_TYPED = "claim_typed"
    CLAIM_FAILED = "claim_failed"
    IDENTITY_VERIFIED = "identity_verified"
    VERIFICATION_BEGUN = "verification_begun"  #: by a proctor, face to face
    IDENTITY_OVERRIDDEN = "identity_overridden"  #: a proctor says who it is
    IDENTITY_REJECTED = "identity_rejected"  #: a proctor says that it is not
    FINGER_OVERRIDDEN = "finger_overridden"  #: a proctor lets them go on without
    SAME_FACE = "same_face"
    SAME_FACE_ANSWERED = "same_face_answered"
    CAPTURE_KEPT = "capture_kept"  #: a picture of who stood there, when the face was judged
    CANDIDATE_SHOWN = "candidate_shown"  #: somebody looked at a candidate's data and pictures
    FINGER_VERIFIED = "finger_verified"
    FINGER_FAILED = "finger_failed"
    SIGNED = "signed"
    SIGNATURES_SHOWN = "signatures_shown"  #: somebody asked for a candidate's signatures
    SEAT_DRAWN = "seat_drawn"
    SEAT_VOIDED = "seat_voided"  #: the candidate may draw again; the old draw stays here
    GATE_INTENT = "gate_intent"
    GATE_PULSE = "gate_pulse"  #: what became of the one pulse of an intent
    GATE_PULSE_SEEN = "gate_pulse_seen"  #: what the sensors say of a pulse without an answer
    GATE_OUTCOME = "gate_outcome"
    GATE_EVENT = "gate_event"
    GATE_COUNTERS = "gate_counters"  #: the gate's own, when a session opens and before it closes
    ADMITTED = "admitted"
    LEFT = "left"  #: is outside again
    RETURN_ALLOWED = "return_allowed"  #: a proctor lets somebody in again who has left
    REFUSED = "refused"
    SEEN_OUTSIDE = "seen_outside"  #: ticked in a roll-call
    ROLL_CALLED = "roll_called"  #: somebody was given the names of everybody inside
    DEVICE_TRIED = "device_tried"  #: a technician moved something by hand, no candidate involved
    EQUIPMENT_CHECKED = "equipment_checked"  #: the signed equipment ledger of a shift's start
    HELP = "help"  #: needed, or over
    HELP_TAKEN = "help_taken"  #: somebody goes there
    DEVICE_FAULT = "device_fault"
    DEVICE_RECOVERED = "device_recovered"
    REPORT_SIGNED = "report_signed"  #: a session's report was handed out
    KEY_ROTATED = "key_rotated"  #: the lane's key is another
    SESSION_FORGOTTEN = "session_forgotten"  #: its candidates' data were destroyed
    EVIDENCE_THINNED = "evidence_thinned"  #: the oldest was removed to make room
    DISPUTE_MADE = "dispute_made"  #: so was everything of one candidate
    STAFF_ADDED = "staff_added"
    STAFF_PIN_SET = "staff_pin_set"
    STAFF_DISABLED = "staff_disabled"
    STAFF_LOGGED_IN = "staff_logged_in"  #: also when a locked screen was opened again
    STAFF_LOGGED_OUT = "staff_logged_out"
    STAFF_SCREEN_LOCKED = "staff_screen_locked"
    STAFF_LOGIN_FAILED = "staff_login_failed"
    STAFF_LOCKED_OUT = "staff_locked_out"  #: so many wrong PINs that the next try has to wait
    WARNING_RAISED = "warning_raised"  #: a proctor has to hear of something
    WARNING_ACKNOWLEDGED = "warning_acknowledged"
    CLOCK_STEPPED_BACK = "clock_stepped_back"
    JOURNAL_RESTORED = "journal_restored"  #: the database is older than what was signed
    ANCHOR_LOST = "anchor_lost"  #: so a restored database could not be noticed at this start
