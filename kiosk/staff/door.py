"""Who is at the other end of each connection, and whether they may have what they ask for.

The machine's own users may everything; a connection that says it is a screen, or is known to be
one (kiosk.staff.peers), is one from then on, and what it may follows from the table
(kiosk.staff.roles) and from who has logged in on it. It must not know what a method does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from pydantic import Field

from kiosk.clock import Clock
from kiosk.core.codes import JournalKind
from kiosk.core.staff import Person, looks_like_signature, may_approve
from kiosk.desks.params import Params, parse
from kiosk.staff.peers import Peer
from kiosk.staff.pins import MustWait, Pins, WrongPin
from kiosk.staff.roles import Access, access_to
from kiosk.store import Store
from kiosk.store.errors import StoreError
from kiosk.texts import Problem
from kiosk.wire import RpcError

log = structlog.get_logger(__name__)


class Login(Params):
    staff_no: str = Field(max_length=64)
    pin: str = Field(max_length=64, repr=False)


class Approval(Params):
    """The second person: their own number and PIN."""

    staff_no: str = Field(max_length=64)
    pin: str = Field(max_length=64, repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about one connection."""

    machine: bool = False  #: root or the daemon's own user, and no screen
    screen: str | None = None  #: `candidate`, `proctor` or `technician`: a command's login
    may_be: frozenset[str] = frozenset()  #: what it may say that it is
    far: bool = False  #: over the network
    person: Person | None = None
    locked: bool = False
    active_s: float = 0.0  #: when that person last did something, monotonic


class Door:
    """`declined` makes an error answer; `told` hands a `staff` notification to a connection."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        lock_after_s: float,
        declined: Callable[..., RpcError],
        told: Callable[[Any, dict[str, Any]], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._pins = Pins(store, clock)
        self._lock_after_s = lock_after_s
        self._declined = declined
        self._told = told
        self._known: dict[Any, Standing] = {}
        self._trying = asyncio.Lock()

    # --- connections ----------------------------------------------------------------------------

    def came(self, connection: Any, peer: Peer) -> None:
        self._known[connection] = Standing(peer.machine, peer.screen, peer.may_be, peer.far)

    def gone(self, connection: Any) -> None:
        standing = self._known.pop(connection, None)
        if standing is not None and standing.person is not None:
            try:
                self._note_logout(standing.person, "disconnected")
            except StoreError:
                log.error("evidence_failed", kind="staff_logged_out")

    def is_screen(self, connection: Any, screen: str) -> None:
        """From now on it may what this screen may, and never more. Raises `RpcError`."""
        standing = self.of(connection)
        if standing.screen not in (None, screen) or screen not in standing.may_be:
            raise self._declined("NOT_HERE", [Problem("not_here")])
        self._known[connection] = replace(standing, machine=False, screen=screen)

    def has_screen(self, screen: str) -> bool:
        """Whether one of these is connected."""
        return any(standing.screen == screen for standing in self._known.values())

    def of(self, connection: Any) -> Standing:
        return self._known.get(connection, Standing())

    def standing_of(self, connection: Any) -> dict[str, Any]:
        """The `staff` notification."""
        standing = self.of(connection)
        person = standing.person
        return {
            "set_up": self._store.has_staff(),
            "locked": standing.locked,
            "lock_after_s": self._lock_after_s,
            "person": person
            and {"staff_no": person.staff_no, "name": person.name, "role": person.role.value},
        }

    def may_see_pictures(self, connection: Any) -> bool:
        """Live pictures go to the candidate's screen and to who has logged in."""
        standing = self.of(connection)
        if standing.machine or standing.screen == "candidate":
            return True
        return standing.person is not None and not standing.locked

    # --- asked ----------------------------------------------------------------------------------

    def admit(self, method: str, params: dict[str, Any], connection: Any) -> dict[str, Any]:
        """The parameters as they may be carried out. Raises `RpcError` when they may not."""
        standing, access = self.of(connection), access_to(method)
        lang = params.get("lang")
        if standing.machine and not access.pin:
            self._check_hand_written(params)
            return params
        problem = self._problem(standing, access)
        if problem is not None:
            raise self._declined(problem.upper(), [Problem(problem)], _language(lang))
        if access.roles and standing.person is not None:
            person = self._still_there(connection, standing.person, lang)
            if person.role not in access.roles:
                raise self._declined("NOT_ALLOWED", [Problem("not_allowed")], _language(lang))
            if access.names:
                params = params | {"person": person.signature}
        return params

    def _problem(self, standing: Standing, access: Access) -> str | None:
        """Why this screen may not, before it is asked in which role; a key of kiosk.texts."""
        if access.anybody:
            return None
        if standing.screen == "candidate":
            return None if access.candidate else "not_here"
        if access.candidate or not (access.proctor or access.roles):
            return "not_here"
        if access.proctor and not (access.hall and standing.far and standing.screen != "proctor"):
            return None
        if standing.person is None:
            return "login_needed" if self._store.has_staff() else "no_staff"
        return "screen_locked" if standing.locked else None

    def _still_there(self, connection: Any, person: Person, lang: Any) -> Person:
        """As the store has them now; who was disabled meanwhile is out."""
        now = self._store.staff_person(person.staff_no)
        if now is None or now.name != person.name:
            self._leave(connection, "disabled")
            raise self._declined("LOGIN_NEEDED", [Problem("login_needed")], _language(lang))
        if now != person:
            self._known[connection] = replace(self.of(connection), person=now)
        return now

    # --- in and out -----------------------------------------------------------------------------

    async def login(self, params: dict[str, Any], connection: Any) -> dict[str, Any]:
        """Somebody's number and PIN; also opens a screen that was locked."""
        asked = parse(Login, params)
        before = self.of(connection)
        if before.machine:
            raise self._declined("NOT_HERE", [Problem("not_here")], asked.lang)
        if not self._store.has_staff():
            raise self._declined("NO_STAFF", [Problem("no_staff")], asked.lang)
        person = await self._try(asked, "login", JournalKind.STAFF_LOGGED_IN)
        if connection not in self._known:  # it went away while the PIN was looked at
            self._note_logout(person, "disconnected")
            return {}
        if before.person is not None and before.person.staff_no != person.staff_no:
            self._note_logout(before.person, "replaced")
        self._known[connection] = replace(
            self.of(connection), person=person, locked=False, active_s=self._clock.monotonic()
        )
        self._tell(connection)
        return {}

    async def approve(self, params: dict[str, Any], connection: Any) -> dict[str, Any]:
        """`approval` (number and PIN) becomes `approved_by`. Raises `RpcError`."""
        rest = {k: v for k, v in params.items() if k not in ("approval", "approved_by")}
        if params["approval"] is None:
            return rest
        asked = parse(Approval, _mapping(params["approval"]))
        lang = _language(params.get("lang"))
        person = await self._try(asked.model_copy(update={"lang": lang}), "approval", None)
        self._check_approver(self.of(connection).person, person, lang)
        if str(params.get("person", "")).strip().casefold() == person.name.casefold():
            raise self._declined("APPROVAL_OWN", [Problem("approval_own")], lang)
        return rest | {"approved_by": person.signature}

    def at_the_machine(self, params: dict[str, Any]) -> dict[str, Any]:
        """Both for the command line while no daemon runs, where nothing else waits."""
        self._check_hand_written(params)
        if "approval" not in params:
            return self.approved_already(params)
        return asyncio.run(self.approve(params, None))

    def _check_hand_written(self, params: dict[str, Any]) -> None:
        """A name given at the command line must not look like somebody who has logged in."""
        if looks_like_signature(str(params.get("person", ""))):
            lang = _language(params.get("lang"))
            raise self._declined("PERSON_FORM", [Problem("person_form")], lang)

    def approved_already(self, params: dict[str, Any]) -> dict[str, Any]:
        """A name is an approval only where nobody has a PIN yet."""
        if params.get("approved_by") and self._store.has_staff():
            lang = _language(params.get("lang"))
            raise self._declined("APPROVAL_PIN", [Problem("approval_pin")], lang)
        return params

    def _check_approver(self, person: Person | None, approver: Person, lang: str | None) -> None:
        if person is not None and person.staff_no == approver.staff_no:
            raise self._declined("APPROVAL_OWN", [Problem("approval_own")], lang)
        if not may_approve(person, approver):
            raise self._declined("APPROVAL_CHIEF", [Problem("approval_chief")], lang)

    async def _try(self, asked: Login | Approval, purpose: str, kind: JournalKind | None) -> Person:
        try:
            # One after another: each takes 64 MiB and a core, which are the lane's
            async with self._trying:
                attempt = self._pins.begin(asked.staff_no)
                fits = await asyncio.to_thread(attempt.fits, asked.pin)
                return self._pins.end(attempt, fits, purpose, kind)
        except MustWait as wait:
            args = {"seconds": max(1, round(wait.seconds))}
            error = self._declined("STAFF_WAIT", [Problem("staff_wait", args)], asked.lang)
            error.data["wait_s"] = args["seconds"]
            raise error from None
        except WrongPin:
            raise self._declined("WRONG_PIN", [Problem("wrong_pin")], asked.lang) from None

    def logout(self, connection: Any) -> dict[str, Any]:
        self._leave(connection, "asked")
        return {}

    def lock(self, connection: Any, why: str = "asked") -> dict[str, Any]:
        standing = self.of(connection)
        if standing.person is not None and not standing.locked:
            self._store.note_staff(JournalKind.STAFF_SCREEN_LOCKED, standing.person, why=why)
            self._known[connection] = replace(standing, locked=True)
            self._tell(connection)
        return {}

    def touch(self, connection: Any) -> dict[str, Any]:
        """Somebody is still there."""
        self._known[connection] = replace(self.of(connection), active_s=self._clock.monotonic())
        return {}

    def lock_idle(self) -> None:
        """Called every second."""
        now = self._clock.monotonic()
        for connection, standing in list(self._known.items()):
            idle = now - standing.active_s >= self._lock_after_s
            if standing.person is not None and not standing.locked and idle:
                self.lock(connection, "idle")

    def _leave(self, connection: Any, why: str) -> None:
        standing = self.of(connection)
        if standing.person is not None:
            self._note_logout(standing.person, why)
            self._known[connection] = replace(standing, person=None, locked=False)
            self._tell(connection)

    def _note_logout(self, person: Person, why: str) -> None:
        self._store.note_staff(JournalKind.STAFF_LOGGED_OUT, person, why=why)

    def staff_changed(self) -> None:
        """Somebody was added or disabled: every proctor's screen hears how it stands."""
        for connection, standing in list(self._known.items()):
            if standing.person is not None:
                if self._store.staff_person(standing.person.staff_no) is None:
                    self._leave(connection, "disabled")
            elif standing.screen == "proctor":
                self._tell(connection)

    def _tell(self, connection: Any) -> None:
        self._told(connection, self.standing_of(connection))


def _language(value: Any) -> str | None:
    return value if value in ("zh", "en") else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
