"""Who may call which of the daemon's methods: one table (docs/wire.md shows the same).

Whoever works on the machine as root or as the daemon's own user may call everything; everybody
else is a screen. It must not know what a method does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk.core.staff import Role


@dataclass(frozen=True, slots=True)
class Access:
    """Screens that may call a method."""

    anybody: bool = False  #: any screen, whoever stands before it
    candidate: bool = False  #: the candidate's screen only
    proctor: bool = False  #: the proctor's screen, whoever stands before it
    roles: frozenset[Role] = frozenset()  #: the proctor's screen, when one of these has logged in
    names: bool = False  #: has a `person`, which is who has logged in
    pin: bool = False  #: also the machine's own users have to log in
    hall: bool = False  #: `proctor`, but for a technician's command from elsewhere: after a login


def _roles(*roles: Role, names: bool = False) -> Access:
    return Access(roles=frozenset(roles), names=names)


P, C, T = Role.PROCTOR, Role.CHIEF, Role.TECHNICIAN
ANYBODY = Access(anybody=True)
CANDIDATE = Access(candidate=True)
AT_THE_SCREEN = Access(proctor=True)
ALL = _roles(P, C, T)
ALL_NAMED = _roles(P, C, T, names=True)
PROCTORS = _roles(P, C)
PROCTORS_NAMED = _roles(P, C, names=True)
CHIEF_NAMED = _roles(C, names=True)
OFFICE_NAMED = _roles(C, T, names=True)

TABLE: dict[str, Access] = {
    # what every screen shows
    "lane.subscribe": ANYBODY,
    "lane.state": ANYBODY,
    "lane.info": ANYBODY,
    "device.status": ANYBODY,
    # what a candidate does
    "candidate.sign": CANDIDATE,
    "candidate.enter_number": CANDIDATE,
    "candidate.leave": CANDIDATE,
    "candidate.claim": CANDIDATE,
    "candidate.cancel": CANDIDATE,
    "candidate.help": CANDIDATE,
    # who stands before the proctor's screen
    "staff.login": AT_THE_SCREEN,
    "staff.logout": AT_THE_SCREEN,  # also while it is locked
    "staff.lock": ALL,
    "staff.touch": ALL,
    "staff.list": OFFICE_NAMED,
    "staff.add": CHIEF_NAMED,
    "staff.set_pin": CHIEF_NAMED,
    "staff.disable": CHIEF_NAMED,
    # the lane
    "lane.release": Access(proctor=True, hall=True),  # whoever stands there, in a fire
    "lane.resume": PROCTORS_NAMED,
    "lane.drill": Access(roles=frozenset({C}), names=True, pin=True),
    "proctor.cancel": PROCTORS_NAMED,
    "verify.begin": PROCTORS_NAMED,
    "verify.look": PROCTORS,
    "verify.capture": PROCTORS,
    "verify.accept": PROCTORS_NAMED,
    "verify.reject": PROCTORS_NAMED,
    "finger.waive": PROCTORS_NAMED,
    "lane.waive": CHIEF_NAMED,
    "help.list": ALL,
    "help.take": PROCTORS_NAMED,
    "help.done": PROCTORS_NAMED,
    # sessions, terminals, seats
    "session.create": OFFICE_NAMED,
    "session.open": PROCTORS_NAMED,
    "session.close": PROCTORS_NAMED,
    "session.pause": PROCTORS_NAMED,
    "session.resume": PROCTORS_NAMED,
    "session.status": ALL,
    "session.candidates": ALL_NAMED,
    "candidate.show": PROCTORS_NAMED,
    "session.rollcall": PROCTORS_NAMED,
    "session.seen_outside": PROCTORS_NAMED,
    "terminal.list": ALL,
    "terminal.set": ALL_NAMED,
    "seat.void": PROCTORS_NAMED,
    "seat.let_back": PROCTORS_NAMED,
    # roster, faces
    "roster.begin": _roles(C, T),
    "roster.add": _roles(C, T),
    "roster.commit": OFFICE_NAMED,
    "roster.status": ALL,
    # a stick holds what the centre has signed or nothing: a proctor only says when
    "stick.list": ALL,
    "stick.take": ALL_NAMED,
    "stick.dismiss": ALL,
    "alert.list": PROCTORS,
    "warning.list": ALL,
    "warning.acknowledge": ALL_NAMED,
    "alert.answer": PROCTORS_NAMED,
    # devices, by hand
    "device.inputs": ALL,
    "device.pulse": Access(roles=frozenset({T}), names=True, pin=True),
    # the record, and what is handed out of it
    "journal.list": ALL,
    "journal.verify": ALL,
    "journal.head": ALL,
    "journal.prove": ALL,
    "record.begin": ALL,
    "record.lines": ALL,
    "exit.statement": PROCTORS,
    "exit.sign": PROCTORS_NAMED,
    "signature.list": CHIEF_NAMED,
    "report.begin": PROCTORS_NAMED,
    "dispute.begin": CHIEF_NAMED,
    "outbox.status": ALL,
    "outbox.again": OFFICE_NAMED,
    "privacy.report": _roles(C, T),
    "privacy.about": _roles(C),
    "privacy.purge": CHIEF_NAMED,
    "document.wait": PROCTORS,
    "document.part": PROCTORS,
}

_NOTHING = Access()


def access_to(method: str) -> Access:
    """A method that the table does not have is for nobody but the machine itself."""
    return TABLE.get(method, _NOTHING)


_WORDS = {True: "✓", False: ""}


def render() -> str:
    """The table of docs/wire.md, in Markdown."""
    lines = [
        "| method | any screen | candidate | at the screen | proctor | chief | technician |",
        "|---|---|---|---|---|---|---|",
    ]
    same: dict[Access, list[str]] = {}
    for method, access in TABLE.items():
        same.setdefault(replace(access, names=False, hall=False), []).append(method)
    for access, methods in same.items():
        cells = [
            access.anybody,
            access.candidate or access.anybody,
            access.proctor or access.anybody,
            *(r in access.roles for r in (P, C, T)),
        ]
        names = ", ".join(f"`{method}`" for method in methods)
        lines.append(f"| {names} | {' | '.join(_WORDS[cell] for cell in cells)} |")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main(argv: Sequence[str]) -> None:
    """Write the table into docs/wire.md."""
    page = Path(argv[0])
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}{render()}{END}{rest.partition(END)[2]}")


BEGIN = (
    "<!-- generated from kiosk/staff/roles.py by python -m kiosk.staff.roles docs/wire.md -->\n\n"
)
END = "\n<!-- end -->"

if __name__ == "__main__":
    main(sys.argv[1:])
