"""One person under two identities, and twins who type: real processes, one photograph twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk import wire
from kiosk.core.idnumber import check_character
from kiosk.demo.people import LI, WANG, ZHOU, write_roster
from kiosk.demo.venue import Venue
from tests.e2e.conftest import copy_of, options
from tests.e2e.test_way import over
from tests.e2e.walker import Walker, audit


def book_zhou(venue: Venue, photos: Path) -> str:
    """ZHOU onto the open session's roster; returns what the command said."""
    roster = write_roster(venue.folder / "more", photos, {"S1": [ZHOU]})
    done = venue.command("--lang", "en", "roster", "import", str(roster))
    return " ".join((done.stdout + done.stderr).split())


def test_a_substitute_comes_back_with_another_card(quick_venue, walker, photos):
    venue = quick_venue
    said = book_zhou(venue, photos)
    assert "王*明 …0001 (S1) = 周* …0005 (S1)" in said
    (of_roster,) = venue.call("alert.list")["alerts"]
    assert of_roster["origin"] == "roster" and of_roster["distance"] < 0.05

    state = walker.walk(WANG, over)
    assert state["state"] == "welcome", state["reason"]
    terminal = state["terminal"]
    walker.leave()
    state = walker.walk(ZHOU, over)
    assert (state["state"], state["reason"]) == ("refused", "FACE_SEEN_BEFORE")
    walker.leave()

    venue.kill("daemon")
    venue.start_daemon()
    venue.wait(lambda: venue.call("lane.state")["state"] == "idle", "the lane idle again", 20)
    assert venue.call("lane.state")["alerts"] == 2, "shown until somebody has looked"
    assert walker.walk(ZHOU, over)["reason"] == "FACE_SEEN_BEFORE", "remembered over the restart"
    walker.leave()

    alert = venue.call("alert.list")["alerts"][0]
    assert (alert["origin"], alert["earlier"]["name"]) == ("lane", "王*明")
    assert (alert["earlier"]["standing"], alert["earlier"]["terminal"]) == ("inside", terminal)
    answer = {"alert_id": alert["alert_id"], "same": False, "person": "李老师"}
    with pytest.raises(wire.RpcError):
        venue.call("alert.answer", answer | {"person": ""})
    venue.call("alert.answer", answer)
    state = walker.walk(ZHOU, over)
    assert state["state"] == "welcome", state["reason"]
    assert state["terminal"] != terminal

    entries = audit(venue)
    found = [e for e in entries if e["kind"] == "same_face"]
    assert [e["payload"]["origin"] for e in found] == ["roster", "lane", "lane"]
    answers = [e["payload"] for e in entries if e["kind"] == "same_face_answered"]
    assert answers == [{"alert": alert["alert_id"], "same": False, "person": "李老师"}]
    journal = str(entries)
    logs = "".join(p.read_text(errors="replace") for p in venue.logs.iterdir())
    for person in (WANG, ZHOU):
        for secret in (person.name, person.number, person.admission_no):
            assert secret not in journal and secret not in logs


@pytest.fixture
def face_lane(tmp_path: Path, morning: Path, camera: VirtualCamera) -> Iterator[Venue]:
    """The same morning at a lane that goes by the face (1:N)."""
    folder = tmp_path / "venue"
    copy_of(morning, folder)
    camera.empty()
    with Venue(folder, replace(options(camera), claim="face")) as venue:
        venue.start_daemon()
        yield venue


NOBODYS = "37068119900512661" + check_character("37068119900512661")


def test_twins_type_a_number_and_nobody_elses_gets_them_in(face_lane, photos):
    book_zhou(face_lane, photos)
    walker = Walker(face_lane, photos)
    state = walker.walk(ZHOU, over, types=(LI.number, NOBODYS, ZHOU.admission_no))
    assert state["state"] == "welcome", state["reason"]
    way = [name for name in walker.seen if name != "idle"]
    assert way[:8] == [*("face", "claim") * 3, "face", "finger"]
    walker.leave()
    state = walker.walk(WANG, over, types=[NOBODYS] * 3)
    assert (state["state"], state["reason"]) == ("refused", "FACE_NOT_SURE")
    entries = audit(face_lane)
    kinds = [e["kind"] for e in entries]
    assert kinds.count("claim_typed") == 6 and kinds.count("claim_failed") == 5
    journal = str(entries)
    logs = "".join(p.read_text(errors="replace") for p in face_lane.logs.iterdir())
    for number in (LI.number, NOBODYS, ZHOU.admission_no):
        assert number not in journal and number not in logs
