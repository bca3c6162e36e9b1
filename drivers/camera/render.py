"""Draws what the virtual camera sees, one frame at a time, from one photograph.

Pure: the same arguments give the same picture (sensor noise is the scene's). A live
person turns and blinks in depth before a still hall; the flat photograph only moves rigidly.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.camera.headmodel import Floats, Head, Image, TurnField, landmarks
from drivers.camera.matte import entrance_hall, person_alpha

Doubles = NDArray[np.float64]

WIDTH, HEIGHT = 640, 480
MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 80, 40, 120  #: room for sway around the picture
BROW_TO_CHIN = 156.0  #: pixels; detectors' face boxes are 1.1 to 1.4 times this
FACE_AT = (WIDTH / 2, 232.0)  #: where the middle of the face stands
BROWS = (slice(17, 22), slice(22, 27))
EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))  #: corner, 2 upper, corner, 2 lower


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
        self._lids = [
            _LidField(self._points, eye, brow, self._layer.shape[0])
            for eye, brow in zip(EYES, BROWS, strict=True)
        ]
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
        matrix = cv2.getRotationMatrix2D(FACE_AT, -roll_deg, scale)
        matrix[:, 2] += dx, dy
        # the grid covers the picture with one cell to spare, so that resizing never extrapolates
        step = TurnField.STEP
        grid = _pixel_grid(WIDTH // step + 1, HEIGHT // step + 1) * step
        inverse = cv2.invertAffineTransform(matrix).astype(np.float32)
        targets = grid @ inverse[:, :2].T + inverse[:, 2] + np.float32([MARGIN_X, MARGIN_TOP])
        coarse = self._turn.source(np.ascontiguousarray(targets, np.float32), yaw_deg, pitch_deg)
        maps = _enlarge(coarse, step)
        if blink > 0:
            for lid in self._lids:
                lid.apply(maps, blink)
        person = cv2.remap(self._person, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.merge([cv2.bitwise_not(person[..., 3])] * 3)
        picture = cv2.add(cv2.multiply(self.hall, alpha, scale=1 / 255), person[..., :3])
        return _lit(picture, brightness)

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


def _enlarge(coarse: Floats, step: int) -> Floats:
    """Grid values at every `step` pixels -> the value at each pixel, exactly on the grid."""
    matrix = np.array([[step, 0, 0], [0, step, 0]], np.float64)
    big = cv2.warpAffine(
        coarse, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(big, np.float32)


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
    crop = cv2.resize(
        crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    rim = 12
    sheet = cv2.copyMakeBorder(crop, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(235, 238, 240))
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
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turn = about_y @ about_x @ about_z
    focal = 600.0
    to_centre = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1]], np.float64)
    # a sheet point (x, y) stands at turn @ (x, y, 0) + (0, 0, focal / scale)
    plane = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, focal / scale]])
    camera = np.array([[focal, 0, FACE_AT[0] + dx], [0, focal, FACE_AT[1] + dy], [0, 0, 1.0]])
    return np.asarray(camera @ plane @ to_centre, np.float64)


class _LidField:
    """Pulls the skin above one eye down over it; only the eye's own rectangle is touched."""

    LEVELS = 8

    def __init__(self, points: Floats, eye: tuple[int, ...], brow: slice, height: int) -> None:
        corner_a, up_a, up_b, corner_b, low_b, low_a = (points[i].astype(float) for i in eye)
        width = float(corner_b[0] - corner_a[0])
        gap = max(float((low_a + low_b - up_a - up_b)[1]) / 2, 0.12 * width)
        self._x0 = int(corner_a[0] - 0.25 * width)
        self._x1 = int(corner_b[0] + 0.25 * width)
        top = int(min(up_a[1], up_b[1]) - 1.6 * gap)
        bottom = int(max(low_a[1], low_b[1]) + 1.5 * gap)
        self._y0, self._y1 = max(top, 0), min(bottom, height)
        x = np.arange(self._x0, self._x1)
        knots_x = [corner_a[0], up_a[0], up_b[0], corner_b[0]]
        upper = _arc(x, knots_x, [corner_a[1], up_a[1], up_b[1], corner_b[1]])
        lower = _arc(x, knots_x, [corner_a[1], low_a[1], low_b[1], corner_b[1]])
        lower = np.maximum(lower, upper)
        brow_y = np.interp(x, points[brow, 0], points[brow, 1])
        rows = np.arange(self._y0, self._y1)[:, None].astype(float)
        self._fields = [
            self._field(rows, upper, lower, brow_y, gap, level / self.LEVELS)
            for level in range(self.LEVELS + 1)
        ]

    @staticmethod
    def _field(
        rows: Doubles,
        upper: Doubles,
        lower: Doubles,
        brow: Doubles,
        gap: float,
        shut: float,
    ) -> Floats:
        # the lashes lie a little above the landmark's line and end a little below the other
        lash, floor = upper - 0.12 * gap, lower + 0.05 * gap
        # skin comes from between the eye and the brow, never the brow's own hair
        crease = np.minimum(np.maximum(lash - 0.9 * gap, 0.5 * (brow + lash)), lash - 1.0)
        edge = lash + shut * (floor - lash)
        stretched = crease + (rows - crease) * (lash - crease) / (edge - crease)
        shift = np.where((rows > crease) & (rows < edge), stretched - rows, 0)
        # below the lid's edge: compress the strip of lashes that is pushed ahead of it
        ahead = 0.35 * gap * shut
        push = (edge - lash) * np.clip(1 - (rows - edge) / max(ahead, 1e-3), 0, 1)
        shift = np.where((rows >= edge) & (rows < edge + ahead), -push, shift)
        return np.asarray(shift, np.float32)

    def apply(self, maps: Floats, blink: float) -> None:
        """Adds the lid's shift to the source coordinates `maps` (HxWx2), in place."""
        field = self._fields[round(min(blink, 1.0) * self.LEVELS)]
        inside = (
            (maps[..., 0] >= self._x0)
            & (maps[..., 0] < self._x1 - 1)
            & (maps[..., 1] >= self._y0)
            & (maps[..., 1] < self._y1 - 1)
        )
        where_y, where_x = np.nonzero(inside)
        if not len(where_y):
            return
        y0, y1, x0, x1 = where_y.min(), where_y.max() + 1, where_x.min(), where_x.max() + 1
        patch = maps[y0:y1, x0:x1]
        local = patch - np.float32([self._x0, self._y0])
        patch[..., 1] += cv2.remap(
            field, local, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
        )


def _arc(
    x: NDArray[np.int64], knots_x: list[float], knots_y: list[float]
) -> Doubles:
    """A smooth lid line through the four knots (cubic), level outside the corners."""
    order = np.argsort(knots_x)
    kx, ky = np.array(knots_x)[order], np.array(knots_y)[order]
    middle = kx.mean()
    curve = np.polyval(np.polyfit(kx - middle, ky, 3), np.clip(x, kx[0], kx[-1]) - middle)
    return np.asarray(curve, np.float64)
