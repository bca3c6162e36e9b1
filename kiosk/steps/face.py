"""The face step: what the face worker reports becomes presence, evidence and one verdict.

Compares and accumulates; deciding is kiosk.core.identity's, what follows is the flow's.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from numpy.typing import NDArray

from kiosk.core import events as ev
from kiosk.core.codes import Reason, State
from kiosk.core.identity import (
    NOBODY,
    Accept,
    Evidence,
    NotSure,
    Policy,
    Reject,
    Scores,
    Verdict,
    decide,
)
from kiosk.core.leaving import leaves
from kiosk.core.types import Candidate, Session
from kiosk.face import events as face
from kiosk.face.matcher import Matcher
from kiosk.steps.seen_faces import SameFaceRule, SeenFaces
from kiosk.store.captures import Outcome
from kiosk.store.errors import StoreError

if TYPE_CHECKING:
    from kiosk.session import LaneSession

log = structlog.get_logger(__name__)

PICTURES = 12  #: newest ones that are held, a third of a second: the judged one is among them
NEAREST = 5  #: how many of the roster an observation is ranked against
FRESH_FACE_AFTER_S = 6.0  #: 1:N: who stays before the camera may try again after this
#: Failures of the liveness check that say "nothing happened", not "this is no head".
NO_ANSWER = ("timeout", "no_response")


class FaceStep:
    """One a lane; forgets everything of a person with `forget`."""

    def __init__(
        self, lane: LaneSession, worker: Any, policy: Policy, encoder: str, same_face: SameFaceRule
    ) -> None:
        self._lane = lane
        self.seen = SeenFaces(lane.store, encoder, same_face)
        self._worker = worker
        self.policy = policy
        self._encoder = encoder
        self._matcher: Matcher | None = None
        self._evidence: Evidence | None = None
        self._pictures: deque[face.Preview] = deque(maxlen=PICTURES)
        self._looked_at_s: float | None = None  #: when the last observation's picture was taken
        self._looks: list[NDArray[np.float32]] = []  #: of the same observations as the evidence
        self._task = 0  #: counts verifications, so that none hears what an earlier one saw
        self.present = False
        self._seen_since_s: float | None = None
        self._home_at_s = 0.0

    # --- what the flow asks for -----------------------------------------------------------------

    def load_gallery(self, session: Session | None) -> None:
        """Everybody of the session that now takes candidates; at a gate that lets people out also
        who is inside by an earlier one."""
        store, session_id = self._lane.store, session.session_id if session else None
        ids: list[int] = []
        embeddings = np.zeros((0, 0), dtype=np.float32)
        if session_id is not None:
            ids, embeddings = store.gallery(session_id, self._encoder)
        if self._lane.lane.rules.exit is not None:
            more, theirs = store.gallery_inside(self._encoder, session_id)
            embeddings = np.vstack((embeddings, theirs)) if ids and more else (
                embeddings if ids else theirs)  # fmt: skip
            ids = [*ids, *more]
        self._matcher = Matcher(ids, embeddings) if ids or session_id is not None else None

    def watch(self) -> None:
        self._worker.watch()

    def guard(self) -> None:
        self._worker.guard(self._task)

    def verify(self, candidate: Candidate | None) -> None:
        """Begin collecting evidence for this claim (1:1), or for anybody (1:N)."""
        self._begin(candidate.candidate_id if candidate else None)

    def verify_number(self, candidate: Candidate | None) -> None:
        """Begin for a typed claim, from the start and live again; None: nobody has the number."""
        self._begin(candidate.candidate_id if candidate else NOBODY)

    def _begin(self, claimed: int | None) -> None:
        self._evidence, self._looks = Evidence(claimed, live=not self.policy.liveness), []
        self._pictures.clear()
        self._looked_at_s = None
        self._task += 1
        self._worker.verify(self._task, self.policy.liveness)

    def forget(self) -> None:
        self._evidence, self._looks = None, []
        self._pictures.clear()
        self._seen_since_s = None
        self._home_at_s = self._lane.clock.monotonic()

    # --- what the worker reports ----------------------------------------------------------------

    def on_face(self, event: face.FaceEvent) -> None:
        """Whatever the face worker reports, except previews and its own health."""
        match event:
            case face.Presence(present=present):
                self._on_presence(present)
            case face.Observation(task_id=task):
                if self._is_current(task):
                    self._on_observation(event)
            case face.LivenessPassed(task_id=task):
                if self._is_current(task) and self._evidence is not None:
                    self._evidence, self._looks = self._evidence.with_liveness(), []
                    self._decide()
            case face.LivenessFailed(task_id=task, why=why):
                if self._is_current(task):
                    self._not_live()
                    silent = why in NO_ANSWER
                    reason = Reason.LIVENESS_TIMEOUT if silent else Reason.LIVENESS_FAILED
                    self._lane.offer(ev.FaceRefused(reason))
            case _:
                pass

    def saw(self, picture: face.Preview) -> None:
        """A picture of the verification that is under way; only the newest are held."""
        if self._lane.lane.state is State.FACE:
            self._pictures.append(picture)

    def _keep_picture(self, candidate: Candidate | None, outcome: Outcome) -> None:
        """The picture by which this face was judged, or the newest; nobody's is not kept."""
        session_id = self._lane.session_of(candidate)
        if candidate is None or session_id is None:
            return
        if not self._pictures:
            log.warning("no_picture_to_keep")  # the worker dropped it: the daemon was too busy
            return
        at_s = self._looked_at_s
        if at_s is None:
            judged = self._pictures[-1]
        else:
            judged = min(self._pictures, key=lambda p: abs(p.at_s - at_s))
        self._lane.store.keep_capture(session_id, candidate, judged.jpeg, outcome)

    def _is_current(self, task_id: int) -> bool:
        return task_id == self._task and self._lane.lane.state is State.FACE

    def _on_presence(self, present: bool) -> None:
        self.present = present
        if not present:
            self._seen_since_s = None
            self._lane.offer(ev.PersonLeft())
        elif self._seen_since_s is None:
            self._seen_since_s = self._lane.clock.monotonic()
        self.look_for_person()

    def look_for_person(self) -> None:
        """1:N lanes begin when somebody new stands there; called on presence and every second."""
        if (
            self._lane.lane.rules.claim_by_card
            or self._lane.lane.state is not State.IDLE
            or not self.present
        ):
            return
        stayed_s = self._lane.clock.monotonic() - self._home_at_s
        if self._seen_since_s is not None or stayed_s > FRESH_FACE_AFTER_S:
            self._lane.post(ev.FaceAppeared())

    def _on_observation(self, seen: face.Observation) -> None:
        if self._evidence is None or self._matcher is None:
            return
        if seen.encoder != self._encoder:
            log.error("encoder_differs", seen=seen.encoder, roster=self._encoder)
            return
        nearest = dict(self._matcher.nearest(seen.embedding, NEAREST))
        claimed = self._evidence.claimed
        if claimed is not None and claimed not in nearest:
            with contextlib.suppress(KeyError):  # not of this session, or nobody's number
                nearest[claimed] = self._matcher.distance(claimed, seen.embedding)
        scores = Scores(tuple(nearest.items()), seen.quality)
        self._evidence = self._evidence.with_scores(scores)
        self._looks.append(np.asarray(seen.embedding, dtype=np.float32))
        self._looked_at_s = seen.at_s
        self._decide()

    def _decide(self) -> None:
        assert self._evidence is not None
        verdict = decide(self.policy, self._evidence)
        if verdict is None:
            return
        try:
            event = self._outcome(verdict)
        except StoreError as error:
            self._lane.evidence_failed(error)
            return
        self._lane.offer(event)

    def _outcome(self, verdict: Verdict) -> ev.Event:
        """The event for the flow, after the face has been held against the day's others."""
        match verdict:
            case Accept(candidate_id=candidate_id, distance=distance):
                log.info("face_accepted", distance=round(distance, 3))
                lookup = self._lane.claims.of_candidate(candidate_id)
                problem = self._lane.window_problem(lookup)
                self._lane.note_session(lookup)
                self._keep_picture(lookup.candidate, "verified")
                if lookup.candidate is not None and not leaves(self._lane.lane, lookup):
                    suspicious = self._hold_against_others(lookup.candidate, verified=True)
                    if suspicious and self.seen.rule.stop:
                        problem = problem or Reason.FACE_SEEN_BEFORE
                return ev.FaceAccepted(lookup, problem, distance)
            case NotSure():
                self._turned_away()
                return ev.FaceNotSure()
            case Reject(reason=reason):
                self._turned_away()
                return ev.FaceRefused(reason)

    def _not_live(self) -> None:
        try:
            self._keep_picture(self._lane.lane.visit.candidate, "turned_away")
        except StoreError as error:
            self._lane.evidence_failed(error)

    # --- the same face under another identity -----------------------------------------------------

    def _turned_away(self) -> None:
        """A live face that was not that of the card laid on is remembered as well: who tries one
        card may try another. Not so for typed numbers, where a slip of one digit is another's."""
        candidate = self._lane.lane.visit.candidate
        self._keep_picture(candidate, "turned_away")
        if self._lane.lane.visit.leaving:
            return
        if candidate is not None and self._evidence is not None and self._evidence.live:
            self._hold_against_others(candidate, verified=False)

    def _hold_against_others(self, candidate: Candidate, verified: bool) -> bool:
        """Whether it may be somebody who came under another identity today; then it is said."""
        assert self._evidence is not None and self._lane.session is not None
        looks = [self._looks[n] for n in self._evidence.best_ones(self.policy.frames)]
        session_id, day = self._lane.session.session_id, self._lane.today().isoformat()
        found = self.seen.came_as(session_id, candidate, looks, day, verified)
        if found is None:
            return False
        log.warning("same_face", distance=round(found.distance, 3), more=found.more)
        self._lane.alerted(candidate)
        return True
