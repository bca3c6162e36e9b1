"""A substitute at the lane: one live face, two identities; and people who are no substitutes."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.codes import Reason
from kiosk.steps.seen_faces import typical
from kiosk.store.errors import StoreRefused
from tests.steps.conftest import POLICY, booking, like, person
from tests.store.conftest import row

PATIENCE = 3 * POLICY.frames


def substitute_roster(session_id="S1"):
    """Row 1 is booked under somebody else's name with row 0's photograph; 2 and 3 are others."""
    same = tuple(map(float, like(person(0), 0.05)))
    rows = [booking(0, session_id), booking(1, session_id, embedding=same)]
    return [*rows, booking(2, session_id), booking(3, session_id)]


def comes(lane, card, face, looks=POLICY.frames):
    """Somebody lays a card on and looks; returns where that leads, and steps aside."""
    lane.card(card)
    lane.look(face, looks)
    end = (lane.state, lane.visit.reason)
    lane.leave()
    return end


THROUGH = ("sign", None)
STOPPED = ("refused", Reason.FACE_SEEN_BEFORE)


def test_who_comes_back_with_another_card_is_stopped_until_a_person_has_looked(play):
    async def story(lane):
        lane.open(substitute_roster())
        assert comes(lane, 0, person(0)) == THROUGH
        assert comes(lane, 0, person(0)) == THROUGH, "back under the same identity"
        assert comes(lane, 2, person(2)) == THROUGH, "somebody else"
        assert lane.session.alerts == 0
        assert comes(lane, 1, person(0)) == STOPPED
        assert comes(lane, 1, person(0)) == STOPPED
        (alert,) = lane.store.open_alerts()
        assert lane.session.alerts == 1
        assert (alert["earlier"]["name"], alert["now"]["name"]) == ("考*0", "考*1")
        assert alert["now"]["admission_no"] == "…0001" and alert["earlier_verified"]
        lane.store.answer_alert(alert["alert_id"], False, "李老师")
        lane.session.session_changed()
        assert lane.session.alerts == 0
        assert comes(lane, 1, person(0)) == THROUGH, "a person found that they are two"
        assert comes(lane, 0, person(0)) == THROUGH

    play(story)


def test_one_person_after_all_is_stopped_again(play):
    async def story(lane):
        lane.open(substitute_roster())
        comes(lane, 0, person(0))
        assert comes(lane, 1, person(0)) == STOPPED
        (alert,) = lane.store.open_alerts()
        lane.store.answer_alert(alert["alert_id"], True, "李老师")
        lane.session.session_changed()
        assert comes(lane, 1, person(0)) == STOPPED
        (again,) = lane.store.open_alerts()
        assert again["alert_id"] != alert["alert_id"]
        with pytest.raises(StoreRefused, match="answered already"):
            lane.store.answer_alert(alert["alert_id"], False, "周静")

    play(story)


def test_a_lane_may_be_set_to_say_it_and_go_on(play):
    async def story(lane):
        lane.open(substitute_roster())
        comes(lane, 0, person(0))
        assert comes(lane, 1, person(0)) == THROUGH
        assert lane.session.alerts == 1
        assert [h["kind"] for h in lane.happened].count("same_face") == 1

    play(story, stop_same_face=False)


def test_the_journal_has_pseudonyms_distance_and_who_answered(play):
    async def story(lane):
        lane.open(substitute_roster())
        comes(lane, 0, person(0))
        comes(lane, 1, person(0))
        (alert,) = lane.store.open_alerts()
        lane.store.answer_alert(alert["alert_id"], False, "李老师")
        (entry,) = lane.entries("same_face")
        of = {n: lane.store.lookup("S1", row(n).identity_number).candidate for n in (0, 1)}
        assert (entry.reason, entry.pseudonym) == ("FACE_SEEN_BEFORE", of[1].pseudonym)
        assert entry.payload["other_pseudonym"] == of[0].pseudonym
        assert 0 <= entry.payload["distance"] <= 0.35 and entry.payload["other_verified"]
        (answer,) = lane.entries("same_face_answered")
        assert answer.payload == {"alert": alert["alert_id"], "same": False, "person": "李老师"}
        written = str(lane.entries("same_face")) + str(lane.happened)
        for n in (0, 1):
            assert row(n).identity_number not in written and row(n).admission_no not in written
            assert row(n).name not in written
        assert lane.store.verify() == []

    play(story)


def test_it_outlives_a_restart_of_the_daemon_and_the_session(play):
    async def story(lane):
        lane.open([booking(0)])
        comes(lane, 0, person(0))
        lane.close()
        await lane.again()
        lane.open([booking(1, "S2", embedding=tuple(map(float, person(0))))], "S2")
        assert comes(lane, 1, person(0)) == STOPPED
        await lane.again()
        assert lane.session.alerts == 1, "shown until it is answered"
        (alert,) = lane.store.open_alerts()
        assert (alert["earlier"]["session_id"], alert["now"]["session_id"]) == ("S1", "S2")
        lane.store.answer_alert(alert["alert_id"], False, "t")
        await lane.again()
        assert comes(lane, 1, person(0)) == THROUGH

    play(story)


def test_the_same_person_in_two_sessions_of_a_day_is_no_alert(play):
    async def story(lane):
        lane.open([booking(0)])
        comes(lane, 0, person(0))
        lane.close()
        lane.open([booking(0, "S2")], "S2")
        assert comes(lane, 0, person(0)) == THROUGH
        assert lane.session.alerts == 0

    play(story)


def test_who_was_turned_away_with_anothers_card_is_remembered(play):
    async def story(lane):
        lane.open([booking(0), booking(2), booking(3)])
        assert comes(lane, 2, person(0), PATIENCE) == ("refused", Reason.FACE_MISMATCH)
        assert lane.session.alerts == 0
        assert comes(lane, 3, person(3)) == THROUGH
        assert comes(lane, 0, person(0)) == STOPPED
        (alert,) = lane.store.open_alerts()
        assert not alert["earlier_verified"] and alert["earlier"]["name"] == "考*2"

    play(story)


def test_who_was_let_in_and_tries_another_card_is_said_too(play):
    async def story(lane):
        lane.open([booking(0), booking(2)])
        assert comes(lane, 0, person(0)) == THROUGH
        assert comes(lane, 2, person(0), PATIENCE) == ("refused", Reason.FACE_MISMATCH)
        (alert,) = lane.store.open_alerts()
        assert alert["earlier_verified"]
        (entry,) = lane.entries("same_face")
        assert entry.payload["verified"] is False

    play(story)


def test_a_face_that_was_not_live_is_neither_kept_nor_compared(play):
    async def story(lane):
        lane.open([booking(0), booking(2)])
        lane.card(2)
        lane.glance(person(0), PATIENCE)  # without LivenessPassed
        assert lane.visit.reason == Reason.FACE_MISMATCH
        assert lane.store.faces_of_day(lane.today.isoformat(), "dlib-resnet-v1")[0] == []

    play(story)


def test_a_mistyped_number_makes_nobody_a_suspect(play):
    from kiosk.core import flow

    async def story(lane):
        lane.open([booking(0), booking(1, embedding=tuple(map(float, like(person(0), 0.05)))),
                   booking(2)])  # fmt: skip
        lane.step_up()
        lane.look(person(0), PATIENCE)
        lane.session.claims.on_number(row(2).admission_no)
        lane.look(person(0), PATIENCE)
        assert lane.state == "claim"
        lane.session.claims.on_number(row(0).admission_no)
        lane.look(person(0))
        assert lane.state == "sign" and lane.session.alerts == 0

    play(story, flow.Rules(claim_by_card=False, finger=False))


def test_yesterdays_faces_are_gone_from_memory_and_disk(play):
    async def story(lane):
        lane.open(substitute_roster())
        comes(lane, 0, person(0))
        day = lane.today.isoformat()
        assert len(lane.store.faces_of_day(day, "dlib-resnet-v1")[0]) == 1
        lane.clock.on += timedelta(days=1)
        lane.session.check_evidence()
        assert lane.store.faces_of_day(day, "dlib-resnet-v1")[0] == []
        assert lane.store._rows("select count(*) from day_faces") == [(0,)]

    play(story)


def test_only_of_the_same_encoder(play):
    async def story(lane):
        lane.open(substitute_roster())
        comes(lane, 0, person(0))
        lane.store._db.execute("update day_faces set encoder = 'older'")
        await lane.again()
        assert comes(lane, 1, person(0)) == THROUGH

    play(story)


def test_what_is_kept_is_encrypted_and_goes_with_its_sessions_key(play):
    async def story(lane):
        lane.open(substitute_roster())
        comes(lane, 0, person(0))
        day = lane.today.isoformat()
        _, (vector,) = lane.store.faces_of_day(day, "dlib-resnet-v1")
        assert np.linalg.norm(vector - person(0)) < 0.05
        everything = b"".join(p.read_bytes() for p in (lane.folder / "data").glob("lane.db*"))
        assert vector.astype("<f4").tobytes()[:64] not in everything
        lane.store._db.execute("delete from keys where scope = 'S1'")
        assert lane.store.faces_of_day(day, "dlib-resnet-v1")[0] == []

    play(story)


def test_nobody_is_admitted_where_the_face_cannot_be_kept(play):
    async def story(lane):
        lane.open([booking(0)])
        lane.card(0)
        lane.store._db.execute("drop table day_faces")
        lane.look(person(0))
        assert lane.state == "out_of_order"

    play(story)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=7), st.floats(0.2, 3))
def test_the_typical_look_is_as_long_as_the_looks_and_between_them(seeds, length):
    looks = [like(person(0), 0.2, seed=seed) for seed in seeds]
    looks = [np.asarray(length * v / np.linalg.norm(v), dtype=np.float32) for v in looks]
    middle = typical(looks)
    assert np.linalg.norm(middle) == pytest.approx(length, rel=1e-4)
    farthest = max(float(np.linalg.norm(a - b)) for a in looks for b in looks)
    assert all(np.linalg.norm(middle - look) <= farthest + 1e-5 for look in looks)
