"""Draws what the virtual camera sees, one frame at a time, from one photograph.

Pure: the same arguments give the same picture (sensor noise is the scene's). A live
person turns and blinks in depth before a still hall; the flat photograph only moves rigidly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.eyelid import EYES, LEVELS, Eyelid
from drivers.camera.headmodel import NO_MAP, Floats, Head, Image, TurnField, landmarks
from drivers.camera.matte import entrance_hall, person_alpha

Doubles = NDArray[np.float64]

WIDTH, HEIGHT = 640, 480
MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 80, 40, 120  #: room for sway around the picture
BROW_TO_CHIN = 156.0  #: pixels; detectors' face boxes are 1.1 to 1.4 times this
FACE_AT = (WIDTH / 2, 232.0)  #: where the middle of the face stands


def read_photo(path: Path | str) -> Image:
    """HxWx3 BGR. Raises `ValueError` when it is not a readable picture."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ValueError(f"cannot read photograph: {error.strerror}") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if picture is None:
        raise ValueError("the photograph is not a readable picture")
    return np.asarray(picture, np.uint8)


class Renderer:
    """One photograph made ready: about a second to build, a few milliseconds a frame.

    `photo` is a path or a HxWx3 BGR picture. Raises `headmodel.NoFace`, `ValueError`.
    """

    def __init__(self, photo: Path | str | Image) -> None:
        picture = photo if isinstance(photo, np.ndarray) else read_photo(photo)
        points = landmarks(picture)
        self._place(picture, points)
        self.hall = entrance_hall(WIDTH, HEIGHT)
        alpha = person_alpha(self._layer, self.head)
        weight = alpha[..., None].astype(np.float32) / 255
        self._person = np.dstack([(self._layer * weight + 0.5).astype(np.uint8), alpha])
        self._turn = TurnField(self.head, self._layer.shape[1], self._layer.shape[0])
        # the middles of the cells, where cv2.resize takes a small picture's values to lie
        step = TurnField.STEP
        self._grid = _pixel_grid(WIDTH // step, HEIGHT // step) * step + (step - 1) / 2
        x, y, width, height = cv2.boundingRect(alpha)
        corners = [(x, y), (x + width, y), (x, y + height), (x + width, y + height)]
        self._outline = np.array([corners], np.float64).reshape(-1, 1, 2)
        self._outline -= np.array([MARGIN_X, MARGIN_TOP])
        self._lids = [Eyelid(self._layer, self._points, eye, brow) for eye, brow in EYES]
        self._print, self._print_points = _make_print(picture, points)

    def _place(self, picture: Image, points: Floats) -> None:
        scale = BROW_TO_CHIN / float(points[8, 1] - points[17:27, 1].min())
        middle = (points[27] + points[33]) / 2
        at = np.array([FACE_AT[0] + MARGIN_X, FACE_AT[1] + MARGIN_TOP])
        offset = at - scale * middle
        if scale < 0.5:  # a plain bilinear shrink would alias and flicker
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.35 / scale), np.uint8)
        matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
        size = (WIDTH + 2 * MARGIN_X, HEIGHT + MARGIN_TOP + MARGIN_BOTTOM)
        self._layer = np.asarray(
            cv2.warpAffine(
                picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            ),
            np.uint8,
        )
        self._points = np.asarray(points * scale + offset, np.float32)
        self.head = Head.from_landmarks(self._points)

    def frame(
        self,
        yaw_deg: float = 0.0,
        pitch_deg: float = 0.0,
        blink: float = 0.0,
        dx: float = 0.0,
        dy: float = 0.0,
        scale: float = 1.0,
        brightness: float = 1.0,
        roll_deg: float = 0.0,
    ) -> Image:
        """The live person: 480x640x3 BGR.

        yaw_deg > 0 turns the head to the person's own left (nose to the image's right),
        pitch_deg > 0 nods; believable up to 30 and 15 degrees. `blink` 0 open … 1 shut;
        dx, dy in pixels; `scale` 1 = face box about 200 px high; `brightness` a factor.
        """
        matrix = np.asarray(cv2.getRotationMatrix2D(FACE_AT, -roll_deg, scale), np.float64)
        matrix[:, 2] += np.array([dx, dy])
        x0, y0, x1, y1 = self._window(matrix)
        picture = self.hall.copy()
        if x0 < x1 and y0 < y1:
            inverse = np.asarray(cv2.invertAffineTransform(matrix), np.float64)
            inverse[:, 2] += np.array([MARGIN_X, MARGIN_TOP])
            step = TurnField.STEP
            cells = self._grid[y0 // step : y1 // step, x0 // step : x1 // step]
            targets = np.asarray(cv2.transform(cells, inverse), np.float32)
            coarse = self._turn.source(targets, yaw_deg, pitch_deg)
            maps = cv2.resize(coarse, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
            person = cv2.remap(
                self._blinking(blink),
                np.asarray(maps, np.float32),
                NO_MAP,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            picture[y0:y1, x0:x1] = _over(person, picture[y0:y1, x0:x1])
        return _lit(picture, brightness)

    def _window(self, matrix: Doubles) -> tuple[int, int, int, int]:
        """Where in the picture the person can be, in whole cells: x0, y0, x1, y1."""
        at = np.asarray(cv2.transform(self._outline, matrix), np.float64)[:, 0]
        step, room = TurnField.STEP, 0.3 * self.head.unit  # no outline moves further
        low = np.floor((at.min(0) - room) / step).astype(int) * step
        high = np.ceil((at.max(0) + room) / step).astype(int) * step
        x0, y0 = np.clip(low, 0, (WIDTH, HEIGHT))
        x1 = np.clip(high[0], 0, WIDTH)
        # always to the floor: who stands far away must not end at the photograph's edge
        return int(x0), int(y0), int(x1), HEIGHT

    def _blinking(self, blink: float) -> Image:
        level = round(min(max(blink, 0.0), 1.0) * LEVELS)
        if level == 0:
            return self._person
        person = self._person.copy()
        for lid in self._lids:
            patch = lid.patches[level]
            person[lid.y : lid.y + patch.shape[0], lid.x : lid.x + patch.shape[1], :3] = patch
        return person

    def flat_frame(
        self,
        yaw_deg: float = 0.0,
        pitch_deg: float = 0.0,
        roll_deg: float = 0.0,
        dx: float = 0.0,
        dy: float = 0.0,
        scale: float = 1.0,
        brightness: float = 1.0,
    ) -> Image:
        """The attack: the same photograph as a print held up, moved as one rigid plane.

        Yaw and pitch tilt the sheet in perspective, in the same sense as in `frame`.
        """
        height, width = self._print.shape[:2]
        matrix = _sheet_homography(
            width, height, self._print_points, yaw_deg, pitch_deg, roll_deg, dx, dy, scale
        )
        picture = self.hall.copy()
        cv2.warpPerspective(
            self._print,
            matrix,
            (WIDTH, HEIGHT),
            dst=picture,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        return _lit(picture, brightness)


def _pixel_grid(columns: int, rows: int) -> Floats:
    return np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).astype(np.float32)


def _over(person: NDArray[Any], behind: Image) -> Image:
    """The person (BGR already times alpha, and alpha) before what is behind."""
    through = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(person, 3)), cv2.COLOR_GRAY2BGR)
    dimmed = cv2.multiply(behind, through, scale=1 / 255)
    return np.asarray(cv2.add(dimmed, cv2.cvtColor(person, cv2.COLOR_BGRA2BGR)), np.uint8)


def _lit(picture: Image, brightness: float) -> Image:
    if brightness == 1.0:
        return np.asarray(picture, np.uint8)
    return np.asarray(cv2.convertScaleAbs(picture, alpha=brightness), np.uint8)


def _make_print(picture: Image, points: Floats) -> tuple[Image, Floats]:
    """The photograph cropped about the face with a white rim, and the face's middle on it."""
    face = float(points[8, 1] - points[17:27, 1].min())
    middle = (points[27] + points[33]) / 2
    half_w, above, below = 1.75 * face, 1.45 * face, 1.75 * face
    x0, x1 = max(0.0, middle[0] - half_w), min(picture.shape[1], middle[0] + half_w)
    y0, y1 = max(0.0, middle[1] - above), min(picture.shape[0], middle[1] + below)
    crop = picture[int(y0) : int(y1), int(x0) : int(x1)]
    scale = BROW_TO_CHIN / face
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shot = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=method)
    rim = 12
    sheet = cv2.copyMakeBorder(shot, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(235, 238, 240))
    at = (middle - np.array([int(x0), int(y0)])) * scale + rim
    return np.asarray(sheet, np.uint8), np.asarray(at, np.float32)


def _sheet_homography(
    width: int,
    height: int,
    centre: Floats,
    yaw_deg: float,
    pitch_deg: float,
    roll_deg: float,
    dx: float,
    dy: float,
    scale: float,
) -> Doubles:
    """3x3: sheet pixels -> picture pixels, pinhole camera with 600 px focal length."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    about_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    turn = about_y @ about_x @ about_z
    focal = 600.0
    to_centre = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]], np.float64)
    # a sheet point (x, y) stands at turn @ (x, y, 0) + (0, 0, focal / scale)
    plane = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, focal / scale]])
    camera = np.array([[focal, 0, FACE_AT[0] + dx], [0, focal, FACE_AT[1] + dy], [0, 0, 1.0]])
    return np.asarray(camera @ plane @ to_centre, np.float64)
