"""What can happen to a candidate's way. Past tense; plain data; no behaviour.

Whatever the flow needs to know of the outside (time window, roster) comes in with the event.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.core.codes import CardNote, Factor, Reason
from kiosk.core.types import Admission, Candidate, Lookup, Override


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A session takes candidates from now on (its window is checked at each claim)."""


@dataclass(frozen=True, slots=True)
class SessionClosed:
    pass


@dataclass(frozen=True, slots=True)
class SessionPaused:
    """Nobody new may begin."""


@dataclass(frozen=True, slots=True)
class SessionResumed:
    pass


@dataclass(frozen=True, slots=True)
class FactorWaived:
    """A chief lets the lane go on while this factor's device is out of order."""

    factor: Factor
    person: str


@dataclass(frozen=True, slots=True)
class FactorRestored:
    """The device is back: the factor is asked for again."""

    factor: Factor


@dataclass(frozen=True, slots=True)
class LaneFailed:
    """A device that the way needs, or the evidence store, is not well."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class LaneRecovered:
    pass


@dataclass(frozen=True, slots=True)
class CardClaimed:
    """An identity card was read and looked up. `problem`: what is wrong with card or window;
    `notes`: what was let pass."""

    lookup: Lookup
    problem: Reason | None = None
    notes: tuple[CardNote, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberAsked:
    """The card cannot be read: the person wants to type a number instead."""


@dataclass(frozen=True, slots=True)
class LeavingAsked:
    """Somebody wants to go out, and says so before who they are."""


@dataclass(frozen=True, slots=True)
class NumberClaimed:
    """A number was typed or scanned, and looked up. Whose it is nobody learns before the face."""

    lookup: Lookup


@dataclass(frozen=True, slots=True)
class FaceAppeared:
    """Somebody stepped before the camera."""


@dataclass(frozen=True, slots=True)
class FaceAccepted:
    """Identity and liveness both hold. `problem`: the time window, or a face seen before."""

    lookup: Lookup
    problem: Reason | None = None
    distance: float | None = None  #: to the roster's photograph, in the encoder's measure


@dataclass(frozen=True, slots=True)
class FaceRefused:
    reason: Reason


@dataclass(frozen=True, slots=True)
class FaceNotSure:
    """1:N could not tell, or 1:1 saw somebody else nearer: a claim or a proctor is needed."""


@dataclass(frozen=True, slots=True)
class VerificationBegun:
    """A proctor is going to compare photograph, person and card. `leaving`: to let them out."""

    lookup: Lookup
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class IdentityOverridden:
    """A proctor says who it is. `finger`: and that they go on without a fingerprint."""

    decision: Override
    finger: Override | None = None


@dataclass(frozen=True, slots=True)
class IdentityRejected:
    """A proctor has looked and does not let them in."""

    decision: Override


@dataclass(frozen=True, slots=True)
class FingerOverridden:
    """A proctor lets them go on without a fingerprint."""

    decision: Override


@dataclass(frozen=True, slots=True)
class FingerMatched:
    score: int


@dataclass(frozen=True, slots=True)
class FingerNotMatched:
    score: int


@dataclass(frozen=True, slots=True)
class FingerNotCompared:
    """The comparison took too long and was given up: it says nothing about whose finger it is,
    but may be so each time."""


@dataclass(frozen=True, slots=True)
class FingerUnreadable:
    """The image was bad; costs no attempt. `why` is the reader's own reason."""

    why: str


@dataclass(frozen=True, slots=True)
class SignatureGiven:
    """Strokes arrived from the screen and were checked for substance."""


@dataclass(frozen=True, slots=True)
class SignatureStored:
    sha256: str


@dataclass(frozen=True, slots=True)
class AdmissionCommitted:
    """Seat and gate intent are on disk."""

    admission: Admission


@dataclass(frozen=True, slots=True)
class AdmissionRefused:
    reason: Reason


@dataclass(frozen=True, slots=True)
class PassageEnded:
    """The turnstile's sensors said how it ended; ADMITTED means passed."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The present state's time is over."""


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """Nobody has been before the camera for a while."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    by_proctor: bool = False


Event = (
    SessionOpened
    | SessionClosed
    | FactorWaived
    | FactorRestored
    | SessionPaused
    | SessionResumed
    | LaneFailed
    | LaneRecovered
    | CardClaimed
    | NumberAsked
    | LeavingAsked
    | NumberClaimed
    | FaceAppeared
    | FaceAccepted
    | FaceRefused
    | FaceNotSure
    | VerificationBegun
    | IdentityOverridden
    | IdentityRejected
    | FingerOverridden
    | FingerMatched
    | FingerNotMatched
    | FingerNotCompared
    | FingerUnreadable
    | SignatureGiven
    | SignatureStored
    | AdmissionCommitted
    | AdmissionRefused
    | PassageEnded
    | TimedOut
    | PersonLeft
    | Cancelled
)


def subject_of(event: Event) -> Candidate | None:
    """The candidate an event speaks of, if it names one."""
    lookup = getattr(event, "lookup", None)
    return lookup.candidate if lookup is not None else None
