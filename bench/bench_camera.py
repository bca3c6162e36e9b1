"""Figures of the camera: drawing one virtual frame, and the age of a frame at newest().

Prints medians and 95th percentiles; needs the photographs for the drawing part.
Run: python bench/bench_camera.py
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2

from drivers.camera.device import OpenCvCamera
from drivers.camera.render import Renderer
from drivers.camera.scene import Scene, read_pattern
from drivers.camera.virtual import JPEG_QUALITY, VirtualCamera
from drivers.errors import DeviceFault
from kiosk.demo.photos import PhotosMissing, photos_dir

ROUNDS = 100


def show(name: str, values_ms: list[float]) -> None:
    ranked = sorted(values_ms)
    p95 = ranked[int(0.95 * (len(ranked) - 1))]
    print(f"{name:<44} median {statistics.median(ranked):6.2f} ms   p95 {p95:6.2f} ms")


def cpu_ms(work: Callable[[int], object]) -> list[float]:
    """CPU time of each round: one core, whatever else the machine does."""
    times = []
    for index in range(ROUNDS):
        began = time.process_time()
        work(index)
        times.append((time.process_time() - began) * 1e3)
    return times


def drawing(photo: Path) -> None:
    cv2.setNumThreads(1)
    began = time.perf_counter()
    renderer = Renderer(photo)
    print(f"photograph made ready, models included        {time.perf_counter() - began:.2f} s")
    scene = Scene()
    scene.person(renderer, 1.0, 0.0)
    scene.turn("left", 9.8)
    show("person, head turned", cpu_ms(lambda i: scene.frame(10 + i / 15)))

    def blinking(index: int) -> object:
        scene.blink(99.9)
        return scene.frame(100.0)

    show("person, head turned and blinking", cpu_ms(blinking))
    picture = scene.frame(12.0)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    show("JPEG", cpu_ms(lambda i: cv2.imencode(".jpg", picture, quality)))
    scene.flat_photo(renderer, 1.0, 200.0)
    show("flat photograph", cpu_ms(lambda i: scene.frame(210 + i / 15)))


def stream() -> None:
    with VirtualCamera() as twin:
        twin.pattern()
        camera = OpenCvCamera({"source": twin.url})
        began = time.perf_counter()
        camera.open()
        print(f"open until the first frame                    {time.perf_counter() - began:.2f} s")
        seq, ages = 0, []
        for _ in range(ROUNDS):
            frame = camera.newest(seq, 1.0)
            ages.append((time.monotonic() - read_pattern(frame.image)) * 1e3)
            seq = frame.seq
        show("frame drawn until newest() returns it", ages)
        for name, cut in (("unplugged", twin.unplug), ("silent", twin.stall)):
            began = time.perf_counter()
            cut()
            try:
                while True:
                    seq = camera.newest(seq, 1.0).seq
            except DeviceFault as fault:
                took = time.perf_counter() - began
                print(f"{name + ' until ' + fault.code.value:<44} {took * 1e3:6.0f} ms")
            twin.replug()
            twin.resume()
            camera.open()
        camera.close()


def main() -> None:
    try:
        drawing(photos_dir() / "obama.jpg")
    except PhotosMissing as absent:
        print(f"drawing not measured: {absent}", file=sys.stderr)
    stream()


if __name__ == "__main__":
    main()
