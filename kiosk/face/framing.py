"""The language between daemon and face worker: length-prefixed messages on a socket.

Owns bytes ↔ commands and events. Sans-IO: no sockets, clock or logging.

A message is: length of the rest (4 bytes, big endian), length of the header (2 bytes), a JSON
header {"kind": …, fields…}, and the remaining bytes as a blob (a JPEG, or an embedding as
little-endian float32).
"""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from kiosk.core.codes import Prompt
from kiosk.face import events
from kiosk.face.events import FaceEvent, Observation, Preview

MAX_MESSAGE = 4 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_HEADER = struct.Struct(">H")


class FramingError(Exception):
    """What arrived is not this language; the connection cannot go on."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Nobody is being verified: look for presence, spare the processor."""


@dataclass(frozen=True, slots=True)
class Verify:
    task_id: int
    liveness: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """Verified: only watch whether the person stays."""

    task_id: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Look at nothing and send nothing; the camera stays open."""


@dataclass(frozen=True, slots=True)
class Stop:
    pass


@dataclass(frozen=True, slots=True)
class Alive:
    """From the worker, every second: its loop turns. For the client only."""


Command = Watch | Verify | Guard | Rest | Stop
Message = Command | FaceEvent | Alive

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Watch, Verify, Guard, Rest, Stop, Alive),
        *(events.Preview, events.Presence, events.Observation, events.LivenessPassed),
        *(events.LivenessFailed, events.CameraFault, events.CameraOk, events.CameraCovered),
        *(events.WorkerReady, events.WorkerDied),
    )
}


def encode(message: Message) -> bytes:
    """One message, ready to be sent."""
    kind = type(message).__name__
    header = {f.name: getattr(message, f.name) for f in dataclasses.fields(message)}
    blob = b""
    if isinstance(message, Preview):
        blob = header.pop("jpeg")
    elif isinstance(message, Observation):
        blob = np.asarray(header.pop("embedding"), dtype="<f4").tobytes()
    text = json.dumps({"kind": kind, **header}, ensure_ascii=False).encode()
    total = _HEADER.size + len(text) + len(blob)
    if total > MAX_MESSAGE or len(text) > 0xFFFF:
        raise FramingError(f"a {kind} of {total} bytes")
    return _LENGTH.pack(total) + _HEADER.pack(len(text)) + text + blob


class Decoder:
    """Bytes in any portions in, messages out. Keeps at most one message's bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now. Raises `FramingError`."""
        self._buffer += data
        messages: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            (total,) = _LENGTH.unpack_from(self._buffer)
            if not _HEADER.size <= total <= MAX_MESSAGE:
                raise FramingError(f"a message of {total} bytes")
            end = _LENGTH.size + total
            if len(self._buffer) < end:
                break
            messages.append(_decode(bytes(self._buffer[_LENGTH.size : end])))
            del self._buffer[:end]
        return messages


def _decode(body: bytes) -> Message:
    (size,) = _HEADER.unpack_from(body)
    at = _HEADER.size + size
    if at > len(body):
        raise FramingError("a header longer than its message")
    try:
        header = json.loads(body[_HEADER.size : at])
        name = header.pop("kind")
        kind = _KINDS[name]
        _restore(header, name, body[at:])
        message = kind(**header)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FramingError("a message that nobody knows") from error
    return message  # type: ignore[no-any-return]


def _restore(header: dict[str, Any], name: str, blob: bytes) -> None:
    """The types that JSON does not have, and the blob."""
    if name == "Preview":
        header["jpeg"] = blob
        header["prompt"] = Prompt(header["prompt"])
        header["box"] = tuple(header["box"]) if header["box"] is not None else None
    elif name == "Observation":
        header["embedding"] = tuple(np.frombuffer(blob, dtype="<f4").tolist())
