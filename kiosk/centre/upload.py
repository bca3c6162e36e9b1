"""The outbox's way to the centre: batches in order, again and again until each row is answered.

Sends what it is given and says what came back; what waits and what was answered the store keeps.
Every item carries its own key (log, kind, number), so sending it twice does no harm. Evidence
leaves this module only encrypted to the centre. docs/record-api.yaml has the interface.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import pyrage
import structlog
import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from kiosk.centre.download import Access, https_pool, plain_reason
from kiosk.store.errors import StoreError
from kiosk.store.outbox import Item

log = structlog.get_logger(__name__)

#: A batch is so many rows, or so many bytes, whichever is reached first.
MOST_ITEMS, MOST_BYTES = 500, 1024 * 1024
#: A larger piece of evidence than the interface takes, encrypted and in base64, with the rest.
MOST_EVIDENCE_BYTES = 5 * 1024 * 1024
MOST_TEXT = 1024 * 1024  #: characters of an entry or a head that the interface takes
TOO_LARGE = f"too large: more than {MOST_EVIDENCE_BYTES} bytes"
TOO_LONG = f"too large: more than {MOST_TEXT} characters"
SEND_BUFFER = 65536  #: bytes
IDLE_S = 5.0  #: between two looks for something new
FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 300.0
#: Looks until what the centre did not answer is sent again, twice as many each time: what it needs
#: is on its way, or never comes.
MOST_LOOKS = 64


class UploadError(Exception):
    """Nothing of the batch was answered; `retry_after_s` when the centre said how long to wait."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.why = why  #: also as `Told`
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Answer:
    """What the centre said of a batch. Ids that are in neither are sent again."""

    stored: tuple[int, ...]
    rejected: dict[int, str]


class _Body(io.BytesIO):
    """A batch that is handed over in blocks: each has the whole time-out, so that a slow line
    delays a batch and never fails it. No faster than `bytes_s`, where that is not 0."""

    def __init__(self, data: bytes, bytes_s: float, stopped: threading.Event) -> None:
        super().__init__(data)
        self._bytes_s, self._stopped = bytes_s, stopped
        self._begun_s = time.monotonic()

    def read(self, size: int | None = -1) -> bytes:
        ahead_s = 0.0
        if self._bytes_s:
            ahead_s = self.tell() / self._bytes_s - (time.monotonic() - self._begun_s)
        if self._stopped.wait(max(0.0, ahead_s)):
            raise UploadError("the daemon stops")
        return super().read(size)


class Sender:
    """Posts batches to one centre. Blocking; used in a thread, and stopped from another.

    `recipients`: age's, whose secret keys open the evidence. Raises `ValueError` for a bad one.
    """

    def __init__(
        self, url: str, origin: str, access: Access, recipients: Sequence[str] = ()
    ) -> None:
        try:
            self._recipients = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
        except pyrage.RecipientError as error:
            raise ValueError(f"centre.evidence_recipients: {error}") from error
        self._bytes_s = access.limit_kbit_s * 1000 / 8
        self._stopped = threading.Event()
        self._url = f"{url.rstrip('/')}/v1/logs/{quote(origin, safe='')}/items"
        self._pool = https_pool(access)
        # What the kernel takes at once counts as sent: little, so that a block is on its way
        small = (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        options = [*HTTPSConnection.default_socket_options, small]
        self._pool.connection_pool_kw["socket_options"] = options

    def send(self, items: Sequence[Item]) -> Answer:
        """Raises `UploadError`."""
        body = json.dumps(
            {"items": [self._as_dict(item) for item in items]}, ensure_ascii=False
        ).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "examgate",
                   "Content-Length": str(len(body))}  # fmt: skip
        blocks = _Body(body, self._bytes_s, self._stopped)
        try:
            answer = self._pool.request("POST", self._url, body=blocks, headers=headers)
        except HTTPError as error:
            raise UploadError(plain_reason(error)) from error
        if answer.status != 200:
            raise UploadError(
                f"HTTP {answer.status} {answer.reason or ''}".strip(), _retry_after(answer)
            )
        return _answer(answer.data, {item.outbox_id for item in items})

    def stop(self) -> None:
        """What is being sent is broken off; nothing is sent any more."""
        self._stopped.set()

    def _as_dict(self, item: Item) -> dict[str, Any]:
        head = {"id": item.outbox_id, "kind": item.kind, "ref": item.ref}
        if item.plain is None:
            return head | {"text": item.text}
        sealed = pyrage.encrypt(item.plain, self._recipients)
        return head | {"age": base64.b64encode(sealed).decode()}


def _retry_after(answer: urllib3.BaseHTTPResponse) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), 3600.0) if text.isdigit() else None


def _answer(body: bytes, sent: set[int]) -> Answer:
    """Only what was asked is believed. Raises `UploadError` for anything else than an answer."""
    try:
        data = json.loads(body)
        stored = [int(n) for n in data["stored"]]
        rejected = {int(r["id"]): f"{r['code']}: {r['why']}"[:300] for r in data["rejected"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UploadError("the answer is not one of this interface") from error
    if not {*stored, *rejected} <= sent:
        raise UploadError("the answer is about rows that were not sent")
    return Answer(tuple(n for n in stored if n not in rejected), rejected)


def _too_large(item: Item) -> str | None:
    if item.plain is None:
        return TOO_LONG if item.size > MOST_TEXT else None
    return TOO_LARGE if item.size > MOST_EVIDENCE_BYTES else None


class Outbox(Protocol):
    """The store, as far as uploading needs it."""

    def outbox_batch(
        self, most: int, most_bytes: int, without: Collection[int] = ()
    ) -> list[Item]: ...
    def outbox_answered(self, stored: Sequence[int], rejected: dict[int, str]) -> None: ...


class Uploader:
    """Runs beside the lane; a centre that cannot be reached costs it nothing."""

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        *,
        idle_s: float = IDLE_S,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._idle_s = idle_s
        self._sleep = sleep
        self._unanswered: set[int] = set()  #: since all else was sent last
        self._looks, self._looks_until = 0, 1
        self.failing: str | None = None  #: why the last try failed; None: it did not

    async def run(self) -> None:
        """Until cancelled."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                wait_s = await self.once()
                pause = FIRST_PAUSE_S
            except UploadError as error:
                self._failed(str(error))
                wait_s = error.retry_after_s or pause * random.uniform(0.5, 1.0)
                pause = min(LONGEST_PAUSE_S, pause * 2)
            except StoreError:
                self._failed("the outbox cannot be read or written")
                wait_s = LONGEST_PAUSE_S
            except Exception:  # a bug: told, and the record does not stop for good in silence
                log.exception("upload_broke")
                self._failed("a fault of the program, see the log")
                wait_s = LONGEST_PAUSE_S
            await self._sleep(wait_s)

    async def once(self) -> float:
        """One batch. Returns how long to wait before the next. Raises `UploadError`.

        What the centre did not answer waits until all else was sent: be it ever so much, nothing
        new stands behind it.
        """
        items = self._outbox.outbox_batch(MOST_ITEMS, MOST_BYTES, self._unanswered)
        if not items:
            return self._all_sent()
        if (why := _too_large(items[0])) is not None:  # then it is alone
            self._answered(Answer((), {items[0].outbox_id: why}))
            return 0.0
        answer = await asyncio.to_thread(self._sender.send, items)
        self._answered(answer)
        self._unanswered |= {i.outbox_id for i in items} - {*answer.stored, *answer.rejected}
        if self.failing is not None:
            log.info("upload_works_again")
            self.failing = None
        return 0.0

    def _all_sent(self) -> float:
        """But for what the centre did not answer: that is sent again after some looks."""
        if not self._unanswered:
            self._looks_until = 1
        elif (looks := self._looks + 1) < self._looks_until:
            self._looks = looks
        else:
            self._unanswered.clear()
            self._looks, self._looks_until = 0, min(MOST_LOOKS, self._looks_until * 2)
        return self._idle_s

    def stop(self) -> None:
        """No thread is left sending when the task is cancelled after this."""
        self._sender.stop()

    def _answered(self, answer: Answer) -> None:
        self._outbox.outbox_answered(answer.stored, answer.rejected)
        for number, why in answer.rejected.items():
            log.error("upload_rejected", outbox_id=number, why=why)

    def _failed(self, why: str) -> None:
        if why != self.failing:  # a month without network is one line
            log.warning("upload_fails", why=why)
        self.failing = why
