"""The twin itself: it streams what it was told, to whoever watches, and obeys at once."""

from __future__ import annotations

import http.client
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drivers.camera.codec import encode_part, response_head
from drivers.camera.device import OpenCvCamera
from drivers.camera.scene import Scene
from drivers.camera.virtual import VirtualCamera


def wait_until(camera: OpenCvCamera, seen: Callable[[np.ndarray], bool], limit_s: float) -> float:
    """Seconds until a frame is as asked."""
    began_s, seq = time.monotonic(), 0
    while time.monotonic() - began_s < limit_s:
        frame = camera.newest(seq, 1.0)
        seq = frame.seq
        if seen(frame.image):
            return time.monotonic() - began_s
    raise AssertionError(f"not seen within {limit_s} s")


def middle(image: np.ndarray) -> np.ndarray:
    return image[150:330, 260:380].astype(float)


def test_it_speaks_as_network_cameras_do(twin: VirtualCamera) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", twin.port, timeout=2)
    connection.request("GET", "/video")
    answer = connection.getresponse()
    kind = answer.getheader("Content-Type", "")
    assert answer.status == 200 and kind.startswith("multipart/x-mixed-replace; boundary=")
    boundary = kind.partition("boundary=")[2].encode()
    assert answer.readline() == b"--" + boundary + b"\r\n"
    assert answer.readline() == b"Content-Type: image/jpeg\r\n"
    length = int(answer.readline().partition(b":")[2])
    assert answer.readline() == b"\r\n"
    jpeg = answer.read(length)
    assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9"
    assert answer.readline() == b"\r\n"
    connection.close()


def test_the_part_states_its_length() -> None:
    assert b"Content-Length: 4\r\n\r\nJPEG\r\n" in encode_part(b"JPEG")
    assert response_head().endswith(b"\r\n\r\n")


def test_it_keeps_its_pace(twin: VirtualCamera, camera: OpenCvCamera) -> None:
    camera.open()
    first = camera.newest(0, 1.0)
    time.sleep(1.5)
    last = camera.newest(first.seq, 1.0)
    rate = (last.seq - first.seq) / (last.at_s - first.at_s)
    assert 9 < rate < 17  # 15, less what a busy machine takes; never faster


def test_a_person_comes_and_leaves(
    twin: VirtualCamera, camera: OpenCvCamera, photo_path: Callable[[str], Path]
) -> None:
    twin.prepare(photo_path("biden.jpg"))
    twin.empty()
    camera.open()
    hall = middle(camera.newest(0, 1.0).image)
    twin.person(photo_path("biden.jpg"))
    wait_until(camera, lambda image: abs(middle(image) - hall).mean() > 25, 1.0)
    time.sleep(0.6)
    twin.leave()
    assert wait_until(camera, lambda image: abs(middle(image) - hall).mean() < 6, 2.0) < 0.9


def test_a_covered_lens_is_dark(twin: VirtualCamera, camera: OpenCvCamera) -> None:
    camera.open()
    twin.cover()
    wait_until(camera, lambda image: image.mean() < 20, 1.0)


def test_two_watchers_and_a_command_from_each_thread(twin: VirtualCamera) -> None:
    cameras = [OpenCvCamera({"source": twin.url}) for _ in range(2)]
    threads = [threading.Thread(target=twin.blink) for _ in range(8)]
    try:
        for camera in cameras:
            camera.open()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        assert all(camera.newest(1, 1.0).seq > 1 for camera in cameras)
    finally:
        for camera in cameras:
            camera.close()


def test_a_photograph_without_a_face_is_refused(twin: VirtualCamera, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        twin.person(tmp_path / "absent.jpg")
    (tmp_path / "text.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match="not a readable picture"):
        twin.person(tmp_path / "text.jpg")
    twin.empty()  # and it goes on living


def test_it_ends_with_its_handle() -> None:
    camera = VirtualCamera()
    process: subprocess.Popen[str] = camera._process
    camera.close()
    camera.close()
    assert process.returncode == 0
    with pytest.raises(RuntimeError):
        camera.empty()


def test_sensor_noise_makes_no_two_frames_alike() -> None:
    scene = Scene()
    a, b = scene.frame(1.0), scene.frame(1.0)
    assert (a != b).any() and abs(a.astype(float) - b).mean() < 5
