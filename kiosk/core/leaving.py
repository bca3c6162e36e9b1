"""Which way a claim leads, and why it leads nowhere: the lane's rules held against the record.

Pure; what follows from it is flow.py's.
"""

from __future__ import annotations

from kiosk.core.codes import Reason, State
from kiosk.core.lane import Lane
from kiosk.core.types import Lookup, Standing

WERE_IN = (Standing.INSIDE, Standing.LEFT)  #: passed the gate at some time


def says_so(lane: Lane) -> bool:
    """Whether whoever claims now has said that they want to go out. Who is still on the screen
    after the end of their own way speaks for nobody else."""
    return lane.visit.leaving and lane.state not in (State.REFUSED, State.WELCOME)


def leaves(lane: Lane, lookup: Lookup) -> bool:
    """Whether this claim is one to go out: they have said so, or are inside and cannot come in.

    Who was inside when the gate stood open for everybody may be on either side of it now, and has
    to say.
    """
    if lane.rules.exit is None:
        return False
    return says_so(lane) or (lookup.standing is Standing.INSIDE and not lookup.may_return)


def refusal_of(lane: Lane, lookup: Lookup) -> Reason | None:
    """Why this person may not even begin, or None."""
    if leaves(lane, lookup):
        return None if lookup.standing is Standing.INSIDE else Reason.NOT_INSIDE
    if lookup.may_return and lookup.standing in WERE_IN:
        return None
    return {
        Standing.UNKNOWN: Reason.NOT_ON_ROSTER,
        Standing.OTHER_SESSION: Reason.OTHER_SESSION,
        Standing.INSIDE: Reason.ALREADY_INSIDE,
        Standing.LEFT: Reason.ALREADY_LEFT,
    }.get(lookup.standing)
