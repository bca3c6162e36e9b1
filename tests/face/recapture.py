"""What a screen or paper adds when a camera takes a picture of it: optics, worked out, not looks.

Owns the display's pixel grid and the printer's raster as the lane's camera samples them, light,
and the camera itself (lens, Bayer pattern, rolling shutter, noise, JPEG). Knows no attacks and
no detector. Simulated: no display, print or camera was measured for it (docs/face.md).

A grid is a sum of waves. Lens and pixel let of each wave through what its frequency allows, and
sampling folds the rest back: that is moiré, exactly, wherever the picture itself changes slowly
against the grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from streams import Picture, Pose, Scene, warp_of

Floats = NDArray[np.float32]
#: A person's outer eye corners are this far apart, mm (adults: about 87 to 95).
EYES_MM = 90.0
_LEAST = 0.0015  #: of the mean: weaker waves are left out


@dataclass(frozen=True)
class Wave:
    """Of one colour's grid: cycles per mm across and down, strength (mean: 1), phase in turns."""

    across: float
    down: float
    strength: float
    phase: float


@dataclass(frozen=True)
class Lens:
    """The lane's camera. `finer`: sensor pixels per picture pixel, each way, before it scales."""

    name: str = "webcam 720p"
    finer: int = 2
    blur: float = 0.55  #: sigma, sensor pixels
    fill: float = 0.9  #: of a pixel's side that gathers light
    noise: float = 4.0  #: grey levels of a sensor pixel
    frame_s: float = 1 / 30  #: in which the rows are read one after the other
    exposure_s: float = 1 / 60
    sharpen: float = 0.4
    jpeg: int = 88


@dataclass(frozen=True)
class Display:
    """`scale`: the face on it over a face of flesh. `veil`: reflected light, of its white."""

    name: str
    pitch_mm: float
    pentile: bool = False
    fill: float = 0.85  #: of a subpixel's side that shines
    scale: float = 1.0
    black: float = 0.001
    veil: float = 0.01
    pwm_hz: float = 0.0
    pwm_depth: float = 0.0  #: 1: dark in between
    cool: float = 1.04  #: blue over what the camera's white balance expects

    def waves(self) -> tuple[list[Wave], list[Wave], list[Wave]]:
        """Of blue, green and red."""
        if self.pentile:
            return self._diamond(0.5, 0.0), self._square(), self._diamond(0.0, 0.5)
        return self._stripes(2 / 3), self._stripes(1 / 3), self._stripes(0.0)

    def _stripes(self, phase: float) -> list[Wave]:
        wide, high = self.fill / 3, self.fill
        pitch = self.pitch_mm
        return [
            Wave(m / pitch, n / pitch, _sinc(m * wide) * _sinc(n * high), -m * phase)
            for m, n in _half_plane(3)
        ]

    def _square(self) -> list[Wave]:
        side = 0.45
        return [
            Wave(m / self.pitch_mm, n / self.pitch_mm, _sinc(m * side) * _sinc(n * side), 0.0)
            for m, n in _half_plane(2)
        ]

    def _diamond(self, x: float, y: float) -> list[Wave]:
        """Every second pixel, in a quincunx: half as many as the green ones."""
        side, waves = 0.55, []
        for i, j in _half_plane(2):
            m, n = (i + j) / 2, (i - j) / 2
            strength = _sinc(m * side) * _sinc(n * side)
            waves.append(Wave(m / self.pitch_mm, n / self.pitch_mm, strength, -(m * x + n * y)))
        return waves


@dataclass(frozen=True)
class Paper:
    """`lines_mm`: of the halftone raster, per mm; 0: dots too fine and irregular for a raster."""

    name: str
    lines_mm: float
    gain: float = 0.15  #: dot gain at half coverage
    ink: float = 0.05  #: what full ink reflects
    white: float = 0.85
    gloss: float = 0.0  #: a lamp's reflection, of white
    scale: float = 1.0


DISPLAYS = (
    Display("monitor 24 in, 1920×1080", 0.277),
    Display("monitor 27 in, 2560×1440", 0.233, pwm_hz=240, pwm_depth=0.8),
    Display("laptop 14 in, 1920×1080", 0.161, veil=0.02),
    Display("tablet, 264 per inch", 0.0962, scale=0.8, veil=0.02),
    Display("telephone, OLED 460 per inch", 0.0552, True, scale=0.45, pwm_hz=240, pwm_depth=0.6),
)
PAPERS = (
    Paper("laser, 106 lines per inch", 106 / 25.4),
    Paper("laser, 141 lines per inch", 141 / 25.4),
    Paper("offset, 175 lines per inch", 175 / 25.4, ink=0.03, gloss=0.1),
    Paper("inkjet, plain paper", 0.0, ink=0.08, white=0.82),
    Paper("photo paper", 0.0, ink=0.02, white=0.9, gloss=0.15),
)
LENSES = (
    Lens(),
    Lens("webcam 640×480", 1, blur=0.5, noise=3.0, sharpen=0.2),
    Lens("webcam 1440p, scaled", 3, blur=0.7, noise=5.0, jpeg=92),
    Lens("soft lens", 2, blur=0.9, noise=4.0, sharpen=0.8, jpeg=80),
)
Medium = Display | Paper


@dataclass
class Recapture:
    """A picture on `medium`, or with None the world itself, as `lens` sees it."""

    medium: Medium | None
    lens: Lens
    rng: np.random.Generator
    _phase: float = field(init=False)

    def __post_init__(self) -> None:
        self._phase = float(self.rng.uniform(0, 1))

    def look(self, scene: Scene, pose: Pose, at_s: float = 0.0) -> Picture:
        """`scene.picture` held in `pose` (streams.flat's arguments), taken at `at_s`."""
        warp, fine = warp_of(scene, pose), self.lens.finer
        high, wide = scene.picture.shape[:2]
        size = (wide * fine, high * fine)
        # pixel middles: picture pixel u is sensor pixel fine·u + (fine−1)/2
        zoom = np.array([[fine, 0, (fine - 1) / 2], [0, fine, (fine - 1) / 2], [0, 0, 1.0]])
        taken = cv2.warpPerspective(
            scene.picture, zoom @ warp, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        light = _linear(np.asarray(taken, dtype=np.float32))
        if isinstance(self.medium, Display):
            light = self._shines(self.medium, light, scene, zoom @ warp, at_s)
        elif isinstance(self.medium, Paper):
            light = self._reflects(self.medium, light, scene, zoom @ warp)
        return self._taken(light)

    # --- media ----------------------------------------------------------------------------------

    def _shines(
        self, display: Display, light: Floats, scene: Scene, warp: NDArray[np.float64], at_s: float
    ) -> Floats:
        out = light * (1 - display.black) + display.black
        where = _Where(scene, warp, EYES_MM * display.scale, out.shape[:2])
        for colour, waves in enumerate(display.waves()):
            out[..., colour] *= 1 + self._seen(waves, where)
        out += display.veil
        out[..., 0] *= display.cool
        if display.pwm_depth:
            out *= self._banding(display, at_s, out.shape[0])[:, None, None]
        return out / (1 + display.veil)

    def _banding(self, display: Display, at_s: float, rows: int) -> Floats:
        """Rows are read one after the other while the backlight goes on and off."""
        left = display.pwm_depth * _sinc(display.pwm_hz * self.lens.exposure_s)
        times = at_s + self._phase / display.pwm_hz + np.arange(rows) * self.lens.frame_s / rows
        return np.asarray(1 + left * np.cos(2 * np.pi * display.pwm_hz * times), dtype=np.float32)

    def _reflects(
        self, paper: Paper, light: Floats, scene: Scene, warp: NDArray[np.float64]
    ) -> Floats:
        cover = 1 - _encoded(light) / 255.0
        cover = np.clip(cover + paper.gain * 4 * cover * (1 - cover), 0, 1)
        if paper.lines_mm:
            where = _Where(scene, warp, EYES_MM * paper.scale, light.shape[:2])
            for colour, angle_deg in enumerate((0.0, 75.0, 15.0)):  # yellow, magenta, cyan
                radius = np.sqrt(np.clip(cover[..., colour], 0, 0.785) / np.pi)
                dots = self._raster(paper.lines_mm, angle_deg, where)
                cover[..., colour] += 2 * radius * _bessel(2 * np.pi * radius) * dots
        range_ = np.log(paper.ink / paper.white)
        out = paper.white * np.exp(np.clip(cover, 0, 1) * range_ * 0.9)
        if paper.gloss:
            y, x = np.mgrid[0 : out.shape[0], 0 : out.shape[1]].astype(np.float32)
            high, wide = out.shape[:2]
            off_x, off_y = (x - self._phase * wide) / (0.12 * wide), (y - 0.3 * high) / (0.1 * high)
            spot = np.exp(-(off_x**2) - off_y**2)
            out = out + paper.gloss * spot[..., None]
        return np.asarray(out * (light.mean() / max(float(out.mean()), 1e-3)), dtype=np.float32)

    def _raster(self, lines_mm: float, angle_deg: float, where: _Where) -> Floats:
        cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        waves = [
            Wave(lines_mm * cos, lines_mm * sin, 0.5, self._phase),
            Wave(-lines_mm * sin, lines_mm * cos, 0.5, self._phase),
        ]
        return self._seen(waves, where)

    def _seen(self, waves: list[Wave], where: _Where) -> Floats:
        """What is left of the grid after lens and pixel: a sum of waves, mean 0."""
        out = np.zeros(where.shape, np.float32)
        for wave in waves:
            fx, fy = where.frequency(wave)
            passed = math.exp(-2 * (math.pi * self.lens.blur) ** 2 * (fx * fx + fy * fy))
            passed *= _sinc(self.lens.fill * fx) * _sinc(self.lens.fill * fy)
            strength = 2 * wave.strength * passed
            if abs(strength) >= _LEAST:
                turns = wave.across * where.x + wave.down * where.y + (wave.phase + self._phase)
                turns -= np.floor(turns)
                out += strength * np.cos(np.float32(2 * np.pi) * turns.astype(np.float32))
        return out

    # --- camera ---------------------------------------------------------------------------------

    def _taken(self, light: Floats) -> Picture:
        lens, fine = self.lens, self.lens.finer
        light = cv2.GaussianBlur(light, (0, 0), lens.blur)
        raw = _encoded(np.asarray(light, dtype=np.float32))
        mosaic = np.empty(raw.shape[:2], np.float32)
        for row, column, colour in ((0, 0, 2), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
            mosaic[row::2, column::2] = raw[row::2, column::2, colour]
        cv2.setRNGSeed(int(self.rng.integers(2**31)))
        grain = np.empty(mosaic.shape, np.float32)
        cv2.randn(grain, 0, lens.noise)
        mosaic = np.clip(mosaic + grain, 0, 255).astype(np.uint8)
        colours = cv2.cvtColor(mosaic, cv2.COLOR_BayerBG2BGR_EA)
        if fine > 1:
            smaller = (colours.shape[1] // fine, colours.shape[0] // fine)
            colours = cv2.resize(colours, smaller, interpolation=cv2.INTER_AREA)
        if lens.sharpen:
            soft = cv2.GaussianBlur(colours, (0, 0), 1.0)
            colours = cv2.addWeighted(colours, 1 + lens.sharpen, soft, -lens.sharpen, 0)
        quality = [cv2.IMWRITE_JPEG_QUALITY, lens.jpeg]
        stored = cv2.imdecode(cv2.imencode(".jpg", colours, quality)[1], cv2.IMREAD_COLOR)
        return np.asarray(stored, dtype=np.uint8)


class _Where:
    """Each sensor pixel's place on the medium, mm, and how frequencies there look from here."""

    def __init__(
        self, scene: Scene, warp: NDArray[np.float64], eyes_mm: float, shape: tuple[int, ...]
    ) -> None:
        self.shape = (shape[0], shape[1])
        self._mm = eyes_mm / scene.face.eye_width
        self._back = np.linalg.inv(warp)
        v, u = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
        self.x, self.y = self._place(u, v)
        cx, cy = shape[1] / 2, shape[0] / 2
        x0, y0 = self._place(cx, cy)
        x1, y1 = self._place(cx + 1, cy)
        x2, y2 = self._place(cx, cy + 1)
        self._slope = np.array([[x1 - x0, x2 - x0], [y1 - y0, y2 - y0]], dtype=np.float64)

    def _place(self, u, v):  # type: ignore[no-untyped-def]
        b = self._back
        below = b[2, 0] * u + b[2, 1] * v + b[2, 2]
        x = (b[0, 0] * u + b[0, 1] * v + b[0, 2]) / below
        y = (b[1, 0] * u + b[1, 1] * v + b[1, 2]) / below
        return x * self._mm, y * self._mm

    def frequency(self, wave: Wave) -> tuple[float, float]:
        """Cycles per sensor pixel, across and down, in the middle of the picture."""
        fx, fy = np.array([wave.across, wave.down]) @ self._slope
        return float(fx), float(fy)


def _half_plane(most: int) -> Iterator[tuple[int, int]]:
    """Each pair of orders but (0, 0), one of each two opposite ones."""
    for m in range(most + 1):
        for n in range(-most, most + 1):
            if m > 0 or n > 0:
                yield m, n


def _sinc(value: float) -> float:
    return float(np.sinc(value))


def _bessel(values: Floats) -> Floats:
    """J1 by its series, for arguments to 2π·0.5."""
    half, term = values / 2, values / 2
    total = term.copy()
    for k in range(1, 9):
        term = term * (-(half**2) / (k * (k + 1)))
        total += term
    return total


def _linear(picture: Floats) -> Floats:
    return np.asarray((picture.clip(0, 255) / 255.0) ** 2.2, dtype=np.float32)


def _encoded(light: Floats) -> Floats:
    return np.asarray(255.0 * np.clip(light, 0, 1) ** (1 / 2.2), dtype=np.float32)
