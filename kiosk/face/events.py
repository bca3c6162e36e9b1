"""What the face worker tells the daemon. Pure data; no I/O.

`at_s` is time.monotonic() of the frame's arrival, comparable between processes of a machine.
Embeddings and pictures are personal data: their text form leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.core.codes import Prompt

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture for the candidate's screen, not mirrored."""

    jpeg: bytes = field(repr=False)
    width: int  #: pixels of the JPEG
    height: int
    box: Box | None  #: x, y, width, height as fractions of the picture
    prompt: Prompt
    progress: float  #: 0..1, liveness and observations
    at_s: float


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody came before the camera, or nobody has been there for `absent_s`."""

    present: bool
    at_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """One good look at the face of the current task, from a track that is live if asked for."""

    task_id: int
    embedding: tuple[float, ...] = field(repr=False)
    quality: float  #: 0..1
    at_s: float
    encoder: str


@dataclass(frozen=True, slots=True)
class LivenessPassed:
    task_id: int
    challenge: str  #: what was asked, e.g. "turn_left,turn_right"


@dataclass(frozen=True, slots=True)
class LivenessFailed:
    task_id: int
    why: str  #: one of kiosk.face.liveness.Failure


@dataclass(frozen=True, slots=True)
class CameraFault:
    code: str  #: drivers.errors.FaultCode
    detail: str


@dataclass(frozen=True, slots=True)
class CameraOk:
    """The camera delivers. `info` has role, driver, port, model and facts."""

    info: dict[str, object]


@dataclass(frozen=True, slots=True)
class CameraCovered:
    """Something lies over the lens, or does no longer."""

    covered: bool


@dataclass(frozen=True, slots=True)
class WorkerReady:
    pid: int


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """The process ended without having been asked to; a new one is on its way."""

    exit_code: int  #: `TOLD_WHY` when a `CameraFault` has said why


TOLD_WHY = 3

FaceEvent = (
    Preview
    | Presence
    | Observation
    | LivenessPassed
    | LivenessFailed
    | CameraFault
    | CameraOk
    | CameraCovered
    | WorkerReady
    | WorkerDied
)
