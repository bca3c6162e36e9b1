"""Who a connection is: the machine's users, screens, and whoever has logged in on one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from kiosk.core.staff import Role
from kiosk.staff.door import Door
from kiosk.staff.peers import NoSuchUser, Peer, Users, user_of_screen
from kiosk.staff.roles import TABLE
from kiosk.store import Store
from kiosk.texts import Problem
from kiosk.wire import REFUSED, RpcError
from tests.staff.conftest import CHIEF, PINS, PROCTOR, Clock, kinds

MACHINE = Peer(machine=True)
SOMEBODY = 4711  #: a user of the machine that is neither root nor ours
CANDIDATES = 4712  #: the user of the candidate's screen


def declined(code: str, problems: list[Problem], lang: str | None = None) -> RpcError:
    sentences = [p.sentence(lang or "zh") for p in problems]
    return RpcError(REFUSED, sentences[0], {"code": code, "problems": sentences})


class Hall:
    """A door with three connections: the machine's, a candidate's and a proctor's screen."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.door = Door(store, clock, lock_after_s=300, declined=declined,
                         told=lambda connection, standing: self.told.append((connection, standing)))
        self.door.came("machine", MACHINE)
        for screen in ("candidate", "proctor"):
            self.door.came(screen, Peer())
            self.door.is_screen(screen, screen)

    def refusal(self, method: str, connection: str, **params: Any) -> str | None:
        try:
            self.door.admit(method, params, connection)
        except RpcError as error:
            return str(error.data["code"])
        return None

    def login(self, staff_no: str, pin: str | None = None, connection: str = "proctor") -> None:
        params = {"staff_no": staff_no, "pin": pin or PINS[staff_no]}
        self.door.admit("staff.login", params, connection)
        asyncio.run(self.door.login(params, connection))

    def approve(self, staff_no: str, connection: str = "proctor", **params: Any) -> dict[str, Any]:
        params |= {"approval": {"staff_no": staff_no, "pin": PINS[staff_no]}}
        return asyncio.run(self.door.approve(params, connection))


@pytest.fixture
def hall(store: Store, clock: Clock) -> Iterator[Hall]:
    yield Hall(store, clock)


def test_the_machines_own_users_may_everything(hall: Hall) -> None:
    for method in [*TABLE, "some.new_method"]:
        wanted = "LOGIN_NEEDED" if method in ("device.pulse", "lane.drill") else None
        assert hall.refusal(method, "machine") == wanted
    assert hall.refusal("session.open", "machine", person="李老师") is None
    assert hall.refusal("session.open", "machine", person="1001 李敏") == "PERSON_FORM"


def test_the_gate_is_moved_by_a_technician_who_has_logged_in(hall: Hall) -> None:
    hall.door.came("command", MACHINE)
    hall.door.is_screen("command", "technician")
    assert hall.refusal("device.pulse", "command") == "LOGIN_NEEDED"
    for staff_no in ("1001", "1002"):
        hall.login(staff_no, connection="command")
        assert hall.refusal("device.pulse", "command") == "NOT_ALLOWED"
    hall.login("1003", connection="command")
    params = hall.door.admit("device.pulse", {"person": "somebody else"}, "command")
    assert params["person"] == "1003 王工"
    assert hall.approve("1001", "command") == {"approved_by": "1001 李敏"}
    with pytest.raises(RpcError) as refused:
        hall.approve("1002", "command")
    assert refused.value.data["code"] == "APPROVAL_CHIEF"
    with pytest.raises(RpcError) as twice:
        hall.door.is_screen("command", "proctor")
    assert twice.value.data["code"] == "NOT_HERE"


def test_nobody_else_is_more_than_a_screen(hall: Hall) -> None:
    hall.door.came("other", Peer())
    hall.door.came("nobody", Users().peer(None))
    for connection in ("other", "nobody", "never seen"):
        for method, access in TABLE.items():
            allowed = access.anybody or access.proctor
            assert (hall.refusal(method, connection) is None) == allowed, method
        assert hall.refusal("some.new_method", connection) == "NOT_HERE"


def test_a_candidates_screen_may_what_candidates_do(hall: Hall) -> None:
    for method, access in TABLE.items():
        expected = None if access.anybody or access.candidate else "NOT_HERE"
        assert hall.refusal(method, "candidate") == expected, method
    with pytest.raises(RpcError):
        hall.door.is_screen("candidate", "proctor")


def test_the_candidates_user_is_a_candidates_screen_whatever_it_says(hall: Hall) -> None:
    users = Users(CANDIDATES)
    hall.door.came("screen", users.peer(CANDIDATES))
    for screen in ("proctor", "technician", None):
        if screen is not None:
            with pytest.raises(RpcError) as refused:
                hall.door.is_screen("screen", screen)
            assert refused.value.data["code"] == "NOT_HERE"
        for method in ("lane.release", "staff.login", "session.open", "some.new_method"):
            assert hall.refusal(method, "screen") == "NOT_HERE"
    hall.door.is_screen("screen", "candidate")
    assert hall.refusal("candidate.sign", "screen") is None
    for other in (users.peer(SOMEBODY), users.peer(None)):
        hall.door.came("other", other)
        with pytest.raises(RpcError):
            hall.door.is_screen("other", "candidate")
        hall.door.is_screen("other", "proctor")
    assert users.peer(0).machine and users.peer(os.geteuid()).machine


def test_a_technician_far_away_opens_no_gate_without_a_pin(hall: Hall) -> None:
    hall.door.came("desk", Peer.only("proctor", far=True))
    assert hall.refusal("lane.release", "desk") is None, "whoever stands there, in a fire"
    hall.door.came("far", Peer.only("technician", far=True))
    assert hall.refusal("lane.release", "far") == "LOGIN_NEEDED"
    hall.login("1003", connection="far")
    assert hall.refusal("lane.release", "far") is None
    assert hall.refusal("session.open", "far") == "NOT_ALLOWED"
    with pytest.raises(RpcError):
        hall.door.is_screen("far", "proctor")


def test_who_cannot_be_the_user_of_the_candidates_screen() -> None:
    for name in ("no-such-user", "root"):
        with pytest.raises(NoSuchUser, match="candidate_user"):
            user_of_screen(name)
    assert user_of_screen("nobody", daemon=0) > 0


def test_the_machines_user_gives_its_power_up_by_being_a_screen(hall: Hall) -> None:
    hall.door.is_screen("machine", "proctor")
    assert hall.refusal("session.open", "machine") == "LOGIN_NEEDED"


@pytest.mark.parametrize("staff_no", ["1001", "1002", "1003"])
def test_each_role_may_what_the_table_says(hall: Hall, staff_no: str) -> None:
    hall.login(staff_no)
    person = hall.store.staff_person(staff_no)
    assert person is not None
    for method, access in TABLE.items():
        if access.candidate:
            assert hall.refusal(method, "proctor") == "NOT_HERE"
        elif access.roles:
            expected = None if person.role in access.roles else "NOT_ALLOWED"
            assert hall.refusal(method, "proctor") == expected, method


def test_the_person_is_who_has_logged_in_whatever_the_screen_says(hall: Hall) -> None:
    hall.login("1002")
    asked = {"session_id": "S1", "person": "somebody else"}
    assert hall.door.admit("session.open", asked, "proctor")["person"] == "1002 周静"
    assert "person" not in hall.door.admit("terminal.list", {"session_id": "S1"}, "proctor")


def test_locked_by_itself_and_opened_by_the_pin(hall: Hall) -> None:
    hall.login("1002")
    hall.clock.on += timedelta(seconds=299)
    hall.door.touch("proctor")
    hall.clock.on += timedelta(seconds=299)
    hall.door.lock_idle()
    assert hall.refusal("session.open", "proctor") is None
    hall.clock.on += timedelta(seconds=2)
    hall.door.lock_idle()
    assert hall.refusal("session.open", "proctor") == "SCREEN_LOCKED"
    assert not hall.door.may_see_pictures("proctor")
    assert hall.told[-1][1]["locked"] and hall.told[-1][1]["person"]["staff_no"] == "1002"
    hall.login("1002")
    assert hall.refusal("session.open", "proctor") is None
    hall.door.lock("proctor")
    hall.login("1001")
    assert hall.door.of("proctor").person == CHIEF
    hall.door.gone("proctor")
    assert kinds(hall.store)[3:] == [
        "staff_logged_in", "staff_screen_locked", "staff_logged_in", "staff_screen_locked",
        "staff_logged_in", "staff_logged_out", "staff_logged_out",
    ]  # fmt: skip
    whys = [e.payload["why"] for e in hall.store.entries(0, 99) if "why" in e.payload]
    assert whys == ["idle", "asked", "replaced", "disconnected"]


def test_who_is_disabled_is_out_at_once(hall: Hall) -> None:
    hall.login("1002")
    hall.store.disable_staff("1002", "1001 李敏")
    assert hall.refusal("session.open", "proctor") == "LOGIN_NEEDED"
    assert hall.told[-1][1]["person"] is None


def test_before_there_is_staff_a_screen_only_shows(lane: Any, clock: Clock) -> None:
    from tests.staff.conftest import open_store

    store = open_store(lane, clock)
    hall = Hall(store, clock)
    assert hall.refusal("lane.state", "proctor") is None
    assert hall.refusal("session.status", "proctor") == "NO_STAFF"
    assert hall.door.standing_of("proctor")["set_up"] is False
    with pytest.raises(RpcError) as refused:
        hall.login("1001")
    assert refused.value.data["code"] == "NO_STAFF"
    assert hall.door.approved_already({"approved_by": "王主任"}), "a name, as before"
    store.close()


def test_a_second_person_approves_with_their_own_pin(hall: Hall) -> None:
    hall.login("1002")
    assert hall.approve("1001", person=PROCTOR.signature)["approved_by"] == "1001 李敏"
    for staff_no, code in (("1002", "APPROVAL_OWN"), ("1003", "APPROVAL_CHIEF")):
        with pytest.raises(RpcError) as refused:
            hall.approve(staff_no)
        assert refused.value.data["code"] == code
    assert hall.approve("1001", "machine", person="王工")["approved_by"] == "1001 李敏"
    with pytest.raises(RpcError) as refused:
        hall.approve("1001", "machine", person="李敏")
    assert refused.value.data["code"] == "APPROVAL_OWN"
    with pytest.raises(RpcError) as refused:
        hall.door.approved_already({"approved_by": "王主任"})
    assert refused.value.data["code"] == "APPROVAL_PIN", "a name is none where people have PINs"


def test_a_chiefs_pin_cannot_be_tried_for_ever_as_an_approval(hall: Hall) -> None:
    hall.login("1002")
    codes = []
    for _ in range(4):
        with pytest.raises(RpcError) as refused:
            asyncio.run(hall.door.approve(
                {"approval": {"staff_no": "1001", "pin": "000000"}}, "proctor"))
        codes.append(refused.value.data["code"])
    assert codes == ["WRONG_PIN"] * 3 + ["STAFF_WAIT"]
    assert hall.store.staff_person("1001").role is Role.CHIEF
