"""The methods about the staff: who may log in at the proctor's screen, and with which PIN.

Part of the office (kiosk.office). Who is logged in where is kiosk.staff.door's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from kiosk.clock import Clock
from kiosk.core.staff import Person, Role, left_to_wait_s, pin_problem
from kiosk.desks.params import Params
from kiosk.staff.pins import hash_pin
from kiosk.store import Store
from kiosk.store.errors import NotStaff
from kiosk.texts import Problem
from kiosk.wire import RpcError


class StaffList(Params):
    person: str = "technician"


class WhichStaff(Params):
    staff_no: str = Field(max_length=64)
    person: str = Field(min_length=1, max_length=64)


class StaffPin(WhichStaff):
    pin: str = Field(max_length=64, repr=False)


class NewStaff(StaffPin):
    name: str = Field(max_length=64)
    role: Role


class StaffDesk:
    def __init__(self, store: Store, clock: Clock, declined: Callable[..., RpcError]) -> None:
        self._store = store
        self._clock = clock
        self._declined = declined
        self.methods: dict[str, tuple[type[Params], Callable[[Any], Any]]] = {
            "staff.list": (StaffList, self._list),
            "staff.add": (NewStaff, self._add),
            "staff.set_pin": (StaffPin, self._set_pin),
            "staff.disable": (WhichStaff, self._disable),
        }

    def _list(self, p: StaffList) -> Any:
        now = self._clock.now()
        return {
            "staff": [
                {
                    "staff_no": row.person.staff_no,
                    "name": row.person.name,
                    "role": row.person.role.value,
                    "since": row.created_at,
                    "disabled_at": row.disabled_at,
                    "wait_s": round(left_to_wait_s(row.failures, row.failed_at, now)),
                }
                for row in self._store.staff()
            ]
        }

    def _add(self, p: NewStaff) -> Any:
        self._check_pin(p)
        person = Person(p.staff_no, p.name.strip(), p.role)
        return self._do(p, lambda: self._store.add_staff(person, hash_pin(p.pin), p.person))

    def _set_pin(self, p: StaffPin) -> Any:
        self._check_pin(p)
        return self._do(p, lambda: self._store.set_staff_pin(p.staff_no, hash_pin(p.pin), p.person))

    def _disable(self, p: WhichStaff) -> Any:
        return self._do(p, lambda: self._store.disable_staff(p.staff_no, p.person))

    def _check_pin(self, p: StaffPin) -> None:
        problem = pin_problem(p.pin, p.staff_no)
        if problem is not None:
            code = f"pin_{problem}"
            raise self._declined(code.upper(), [Problem(code)], p.lang)

    def _do(self, p: WhichStaff, act: Callable[[], None]) -> Any:
        try:
            act()
        except NotStaff as refused:
            problem = Problem(refused.code, dict(refused.about))
            raise self._declined(refused.code.upper(), [problem], p.lang) from refused
        return {}
