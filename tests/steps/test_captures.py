"""The picture by which somebody was judged is kept; nobody else's, and none without a booking."""

from __future__ import annotations

from kiosk.core.identity import PATIENCE
from kiosk.face import events as face
from tests.steps.conftest import POLICY, booking, like, person


def picture(lane, at_s):
    jpeg = f"picture at {at_s}".encode()
    lane.session.faces.saw(face.Preview(jpeg, 640, 480, None, "none", 1.0, at_s))


def kept(lane, n):
    who = lane.store.lookup("S1", booking(n).identity_number).candidate
    return [(c.outcome, c.jpeg) for c in lane.store.captures("S1", who.candidate_id)]


def test_the_judged_picture_of_who_was_verified(play):
    async def story(lane):
        lane.open([booking(0), booking(1)])
        picture(lane, 0.5)  # nobody is being verified
        lane.card(0)
        for at_s in (1.0, 2.0, 3.0):
            picture(lane, at_s)
        lane.look(person(0))  # its last observation is of second 2
        assert kept(lane, 0) == [("verified", b"picture at 2.0")] and kept(lane, 1) == []
        kinds = lane.kinds()
        assert kinds.index("capture_kept") < kinds.index("identity_verified")

    play(story)


def test_who_is_turned_away_from_a_card_is_seen_with_it(play):
    async def story(lane):
        lane.open([booking(0), booking(1)])
        lane.card(0)
        picture(lane, 1.0)
        lane.look(like(person(1), 0.05), PATIENCE * POLICY.frames)
        assert kept(lane, 0) == [("turned_away", b"picture at 1.0")] and kept(lane, 1) == []
        lane.leave()
        lane.card(1)
        lane.session.faces.on_face(face.LivenessFailed(lane.worker.task, "repeated"))
        assert kept(lane, 1) == [], "the picture of the one before is not of this one"

    play(story)
