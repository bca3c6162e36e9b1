"""Watches the card reader: a card is claimed when its turn has come, and whoever stands there is
told what to do with a card that was not read or was left lying.

Reads through the driver's contract; what a claim leads to is kiosk.steps.claim's and the flow's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from drivers.contracts import IdCard, IdCardReader
from drivers.errors import Retry
from kiosk.core.codes import State

if TYPE_CHECKING:
    from kiosk.session import LaneSession

AGAIN_S = 0.3  #: between two looks whether a card's turn has come
KEPT_S = 5.0  #: a card waits so long where the reader cannot tell that it still lies there
LEFT_S = 3.0  #: lying there so long while nobody is at the lane: forgotten
HINT_S = 8.0  #: how long the candidate's screen says why a card was not read
LEFT = "card_left"


class CardStep:
    """One a lane. `hint`: what the candidate's screen says about the card, as a code."""

    def __init__(self, lane: LaneSession) -> None:
        self._lane = lane
        self._waiting: IdCard | None = None
        self._waiting_s = 0.0
        self._looked_for = -1  #: the visit that the lying card was read again for
        self._retry: str | None = None
        self._retry_s = 0.0
        self.hint: str | None = None

    async def serve(self, reader: IdCardReader) -> None:
        """Until the reader fails. A card that comes while the lane is busy waits for its turn as
        long as it lies there; reading goes on meanwhile."""
        coming = asyncio.ensure_future(reader.next_card())
        try:
            while True:
                await asyncio.wait([coming], timeout=AGAIN_S)
                fresh = coming.done()
                if fresh:
                    self._came(coming)
                    coming = asyncio.ensure_future(reader.next_card())
                self._offer(reader, fresh)
                self._look_again(reader)
                self._tell(reader)
        finally:
            self._waiting = self._retry = None
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            self._say(None)

    def _came(self, coming: asyncio.Future[IdCard]) -> None:
        """Raises `DeviceFault`."""
        now_s = self._lane.clock.monotonic()
        try:
            self._waiting, self._waiting_s = coming.result(), now_s
            self._retry = None
        except Retry as retry:
            self._retry, self._retry_s = retry.reason.value, now_s
            self._lane.tell("card_retry", None, extra={"why": self._retry})

    def _offer(self, reader: IdCardReader, fresh: bool) -> None:
        if self._waiting is None:
            return
        waited_s = self._lane.clock.monotonic() - self._waiting_s
        lies = reader.lying_s is not None or waited_s < KEPT_S
        if not lies or self._lane.claims.on_card(self._waiting, waited=not fresh):
            self._waiting = None

    def _look_again(self, reader: IdCardReader) -> None:
        """Once for each new candidate: theirs may lie in the last one's place."""
        visit = self._lane.lane.visit.number
        idle = self._lane.lane.state is State.IDLE
        if idle and self._waiting is None and visit != self._looked_for:
            self._looked_for = visit
            if reader.lying_s is not None:
                reader.look_again()

    def _tell(self, reader: IdCardReader) -> None:
        asks = self._lane.lane.state in (State.IDLE, State.CLAIM)
        lying_s = reader.lying_s
        if not asks or self._waiting is not None:
            self._say(None)
        elif self._retry and self._lane.clock.monotonic() - self._retry_s < HINT_S:
            self._say(self._retry)
        elif lying_s is not None and lying_s > LEFT_S and self._lane.lane.rules.claim_by_card:
            self._say(LEFT)
        else:
            self._say(None)

    def _say(self, hint: str | None) -> None:
        if hint != self.hint:
            self.hint = hint
            self._lane.show_again()
