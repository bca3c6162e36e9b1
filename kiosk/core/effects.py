"""What the flow wants done. Imperative; plain data; carried out in order by kiosk.session."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import CardNote, ClaimBy, JournalKind, Reason
from kiosk.core.types import Candidate, Override


@dataclass(frozen=True, slots=True)
class WatchFace:
    """Only look whether somebody is there."""


@dataclass(frozen=True, slots=True)
class VerifyFace:
    """Collect observations and liveness. `candidate` is the claim (1:1) or None (1:N)."""

    candidate: Candidate | None


@dataclass(frozen=True, slots=True)
class VerifyNumber:
    """1:1 against what was typed. None: a number of nobody, looked at as long as any other."""

    candidate: Candidate | None


@dataclass(frozen=True, slots=True)
class GuardFace:
    """Keep seeing that the person is still there, looking down or not."""


@dataclass(frozen=True, slots=True)
class LoadFinger:
    """Send the templates to the reader ahead of the finger."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class ReadFinger:
    """Wait for one finger and compare it."""


@dataclass(frozen=True, slots=True)
class ForgetFinger:
    """Stop reading; drop the templates."""


@dataclass(frozen=True, slots=True)
class StoreSignature:
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class CommitAdmission:
    """Draw (or keep) the seat and write the gate intent, in one transaction."""

    candidate: Candidate
    overridden: bool = False  #: on a person's authority, not the machines' alone


@dataclass(frozen=True, slots=True)
class CommitDeparture:
    """Write the gate intent for going out."""

    candidate: Candidate
    overridden: bool = False


@dataclass(frozen=True, slots=True)
class UnlockGate:
    """One pulse for this intent, which is on disk."""

    intent_id: int
    out: bool = False  #: outwards


@dataclass(frozen=True, slots=True)
class RecordPassage:
    """Write how the passage ended; may be ADMITTED, or LEFT."""

    intent_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class RecordDecision:
    """Write what a person decided about this candidate."""

    kind: JournalKind
    candidate: Candidate
    decision: Override


@dataclass(frozen=True, slots=True)
class CallProctor:
    """Somebody has to come to this candidate."""

    candidate: Candidate
    reason: Reason


@dataclass(frozen=True, slots=True)
class Record:
    """Write an entry into the journal."""

    kind: JournalKind
    reason: Reason | None = None
    candidate: Candidate | None = None
    terminal: str | None = None
    score: int | None = None  #: of a finger
    distance: float | None = None  #: of a face
    by: ClaimBy | None = None
    notes: tuple[CardNote, ...] = ()  #: about a card


Effect = (
    WatchFace
    | VerifyFace
    | VerifyNumber
    | GuardFace
    | LoadFinger
    | ReadFinger
    | ForgetFinger
    | StoreSignature
    | CommitAdmission
    | CommitDeparture
    | UnlockGate
    | RecordPassage
    | RecordDecision
    | CallProctor
    | Record
)
