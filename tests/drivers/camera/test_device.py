"""The real OpenCV capture on real streams, files and folders."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.camera.codec import encode_part, response_head
from drivers.camera.device import CameraOptions, OpenCvCamera
from drivers.camera.scene import read_pattern
from drivers.camera.sources import shown
from drivers.camera.virtual import VirtualCamera
from drivers.errors import DeviceFault, FaultCode

Lost = Callable[[OpenCvCamera, float], tuple[DeviceFault, float]]


def grab_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "camera-grabber"]


def test_open_tells_what_answered(camera: OpenCvCamera, twin: VirtualCamera) -> None:
    info = camera.open()
    assert (info.role, info.driver, info.port) == ("camera", "opencv", twin.url)
    assert (info.facts["width"], info.facts["height"]) == ("640", "480")


def test_a_slow_watcher_still_gets_new_frames(camera: OpenCvCamera) -> None:
    camera.open()
    seq, seqs, ages = 0, [], []
    for _ in range(5):
        frame = camera.newest(seq, 1.0)
        ages.append(time.monotonic() - read_pattern(frame.image))
        seq = frame.seq
        seqs.append(seq)
        time.sleep(0.25)  # the watcher thinks; meanwhile three or four frames go by
    assert max(ages) < 0.3, ages
    assert all(b - a >= 2 for a, b in pairwise(seqs)), seqs


def test_newest_waits_for_a_frame_not_seen_yet(camera: OpenCvCamera) -> None:
    camera.open()
    first = camera.newest(0, 1.0)
    second = camera.newest(first.seq, 1.0)
    assert second.seq > first.seq and second.at_s > first.at_s
    with pytest.raises(DeviceFault) as caught:
        camera.newest(second.seq + 10_000, 0.05)
    assert caught.value.code is FaultCode.NO_FRAMES


def test_a_cut_stream_is_seen_at_once_and_comes_back(
    camera: OpenCvCamera, twin: VirtualCamera, lost: Lost
) -> None:
    camera.open()
    before = camera.newest(0, 1.0).seq
    twin.unplug()
    fault, took_s = lost(camera, 5)
    assert fault.code is FaultCode.UNPLUGGED and fault.device == "camera"
    assert took_s < 1.0
    with pytest.raises(DeviceFault) as refused:
        camera.open()
    assert refused.value.code is FaultCode.NO_ANSWER
    twin.replug()
    camera.open()
    frame = camera.newest(before, 1.0)
    assert frame.seq > before  # numbers go on: what was seen before stays seen
    assert time.monotonic() - read_pattern(frame.image) < 0.3


def test_a_silent_stream_is_seen_within_a_second(
    camera: OpenCvCamera, twin: VirtualCamera, lost: Lost
) -> None:
    camera.open()
    camera.newest(0, 1.0)
    twin.stall()
    fault, took_s = lost(camera, 5)
    assert fault.code is FaultCode.NO_FRAMES
    assert took_s < 1.1  # one second, and the frame that was under way


def test_a_frozen_picture_is_a_fault_a_covered_lens_is_not(
    twin: VirtualCamera, lost: Lost
) -> None:
    camera = OpenCvCamera({"source": twin.url, "frozen_s": 0.6})
    try:
        twin.cover()
        camera.open()
        seq, end_s = 0, time.monotonic() + 1.2
        while time.monotonic() < end_s:
            seq = camera.newest(seq, 1.0).seq
        twin.empty()
        time.sleep(0.1)
        twin.freeze()
        assert lost(camera, 5)[0].code is FaultCode.FROZEN
    finally:
        camera.close()


def test_a_frozen_camera_is_not_well_before_another_picture_comes(
    twin: VirtualCamera, lost: Lost
) -> None:
    camera = OpenCvCamera({"source": twin.url, "frozen_s": 0.6})
    try:
        camera.open()
        twin.freeze()
        assert lost(camera, 5)[0].code is FaultCode.FROZEN
        for _ in range(2):
            with pytest.raises(DeviceFault) as caught:
                camera.open()
            assert caught.value.code is FaultCode.FROZEN
        twin.unplug()
        with pytest.raises(DeviceFault):
            camera.open()
        twin.replug()
        with pytest.raises(DeviceFault) as caught:
            camera.open()
        assert caught.value.code is FaultCode.FROZEN
        twin.resume()
        camera.open()
        seq, end_s = 0, time.monotonic() + 1.5
        while time.monotonic() < end_s:
            seq = camera.newest(seq, 1.0).seq
    finally:
        camera.close()


def test_closing_leaves_no_thread(camera: OpenCvCamera) -> None:
    camera.open()
    camera.close()
    camera.close()
    assert grab_threads() == []
    with pytest.raises(DeviceFault):
        camera.newest(0, 0.1)


def test_a_server_that_never_answers_is_given_up(lost: Lost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        camera = OpenCvCamera(
            {"source": f"http://127.0.0.1:{port}/video", "open_timeout_s": 0.5}
        )
        began_s = time.monotonic()
        with pytest.raises(DeviceFault) as caught:
            camera.open()
        assert caught.value.code in (FaultCode.NO_FRAMES, FaultCode.NO_ANSWER)
        assert time.monotonic() - began_s < 2.5
    for thread in grab_threads():
        thread.join(5)


def write_pictures(folder: Path, count: int) -> None:
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:03}.png"), np.full((48, 64, 3), 20 * index, np.uint8))


def brightnesses(camera: OpenCvCamera, count: int) -> list[int]:
    seq, seen = 0, []
    for _ in range(count):
        frame = camera.newest(seq, 2.0)
        seq = frame.seq
        seen.append(round(float(frame.image.mean()) / 20))
    return seen


def test_a_folder_goes_round_in_the_order_of_names(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    (tmp_path / "notes.txt").write_text("not a picture")
    camera = OpenCvCamera({"source": str(tmp_path), "folder_fps": 20.0})
    try:
        camera.open()
        seen = brightnesses(camera, 7)
        assert seen[:2] == [0, 1] and seen == [(seen[0] + i) % 3 for i in range(7)]
    finally:
        camera.close()


def test_a_folder_can_end(tmp_path: Path, lost: Lost) -> None:
    write_pictures(tmp_path, 3)
    camera = OpenCvCamera({"source": str(tmp_path), "folder_fps": 30.0, "loop": False})
    camera.open()
    assert lost(camera, 3)[0].code is FaultCode.UNPLUGGED
    camera.close()


@pytest.mark.parametrize("loop", [True, False])
def test_a_video_file_loops_or_ends(tmp_path: Path, lost: Lost, loop: bool) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    assert writer.isOpened()
    for index in range(6):
        writer.write(np.full((48, 64, 3), 40 * index, np.uint8))
    writer.release()
    camera = OpenCvCamera({"source": str(path), "loop": loop})
    try:
        camera.open()
        if loop:
            seq, end_s = 0, time.monotonic() + 0.7
            while time.monotonic() < end_s:
                seq = camera.newest(seq, 1.0).seq
            assert seq > 12  # more than two rounds, at the file's own pace …
            assert seq < 30  # … and no faster
        else:
            assert lost(camera, 3)[0].code is FaultCode.UNPLUGGED
    finally:
        camera.close()


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    def code(source: str | int) -> FaultCode:
        with pytest.raises(DeviceFault) as caught:
            OpenCvCamera({"source": source}).open()
        return caught.value.code

    (tmp_path / "text.mp4").write_text("not a video")
    assert code(str(tmp_path / "absent.mp4")) is FaultCode.PORT_MISSING
    assert code("/dev/video97") is FaultCode.PORT_MISSING
    assert code(97) is FaultCode.PORT_MISSING
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for nothing in ("empty", "text.mp4", "pipe"):
        assert code(str(tmp_path / nothing)) is FaultCode.WRONG_SOURCE
    assert code("/dev/null") is FaultCode.WRONG_SOURCE
    assert code("/etc/passwd") is FaultCode.WRONG_SOURCE
    assert code("http://127.0.0.1:9/video") is FaultCode.NO_ANSWER
    assert code("rtsp://127.0.0.1:9/stream") is FaultCode.NO_ANSWER


def test_a_folder_of_broken_pictures_names_one(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.png", "3.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    camera = OpenCvCamera({"source": str(tmp_path), "folder_fps": 30.0})
    with pytest.raises(DeviceFault, match=r"1\.jpg: not a picture") as caught:
        camera.open()
    assert caught.value.code is FaultCode.WRONG_SOURCE
    cv2.imwrite(str(tmp_path / "2.png"), np.zeros((48, 64, 3), np.uint8))
    camera.open()
    camera.newest(camera.newest(-1, 1.0).seq, 1.0)
    camera.close()


class Streamer:
    """MJPEG over HTTP, one picture after another as a function of its number gives them."""

    def __init__(self, part: Callable[[int], bytes]) -> None:
        self._part = part
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.recv(4096)
            client.sendall(response_head())
            for number in range(300):
                client.sendall(encode_part(self._part(number)))
                time.sleep(0.03)

    def close(self) -> None:
        self._listener.close()


def jpeg(number: int, width: int = 640, height: int = 480) -> bytes:
    noise = np.random.default_rng(number).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 4))[1].tobytes()


PARTS = [jpeg(number) for number in range(5)]
WIDE = [jpeg(number, 800, 300) for number in range(5)]


def cut(number: int) -> bytes:
    return PARTS[number % 5][: len(PARTS[0]) // 2]


@contextlib.contextmanager
def streaming(part: Callable[[int], bytes]) -> Iterator[OpenCvCamera]:
    streamer = Streamer(part)
    camera = OpenCvCamera({"source": streamer.url})
    try:
        yield camera
    finally:
        camera.close()
        streamer.close()


def test_a_stream_of_cut_pictures_is_no_camera() -> None:
    with streaming(cut) as camera, pytest.raises(DeviceFault, match="all damaged") as caught:
        camera.open()
    assert caught.value.code is FaultCode.MISBEHAVES


def test_cut_pictures_are_left_out_and_lose_it_when_nothing_else_comes(lost: Lost) -> None:
    def every_other(number: int) -> bytes:
        return cut(number) if number % 2 or number > 30 else PARTS[number % 5]

    with streaming(every_other) as camera:
        camera.open()
        whole = [np.asarray(cv2.imdecode(np.frombuffer(p, np.uint8), 1)) for p in PARTS]
        seq = 0
        for _ in range(5):
            frame = camera.newest(seq, 1.0)
            seq = frame.seq
            assert any(np.array_equal(frame.image, each) for each in whole)
        fault, _ = lost(camera, 5)
        assert fault.code is FaultCode.MISBEHAVES and "all damaged" in fault.detail


def test_another_size_is_said_and_never_stretched(lost: Lost) -> None:
    with streaming(lambda n: (PARTS if n < 20 else WIDE)[n % 5]) as camera:
        assert camera.open().facts["height"] == "480"
        fault, _ = lost(camera, 3)
        assert fault.code is FaultCode.MISBEHAVES
        assert "from 640x480 to 800x300" in fault.detail
    with streaming(lambda n: WIDE[n % 5] + b"\0\0\r\n") as camera:
        assert camera.open().facts["height"] == "300", "filled up behind its end"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    path.touch()
    path.chmod(stat.S_IWUSR)
    with pytest.raises(DeviceFault) as caught:
        OpenCvCamera({"source": str(path)}).open()
    assert caught.value.code is FaultCode.PORT_DENIED


def test_passwords_are_never_shown() -> None:
    assert shown("rtsp://user:secret@10.0.0.7:554/a?token=secret") == "rtsp://10.0.0.7:554/a"
    assert shown(0) == "/dev/video0" and shown("/dev/video0") == "/dev/video0"
    with pytest.raises(DeviceFault) as caught:
        OpenCvCamera({"source": "http://user:secret@127.0.0.1:9/video"}).open()
    assert "secret" not in str(caught.value)


def test_user_name_and_password_reach_the_camera() -> None:
    asked: list[bytes] = []

    def answer(listener: socket.socket) -> None:
        for _ in range(2):
            client, _ = listener.accept()
            with client:
                asked.append(client.recv(4096))
                client.sendall(
                    b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=c\r\n"
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with pytest.raises(DeviceFault):
            OpenCvCamera({"source": f"http://user:secret@127.0.0.1:{port}/video"}).open()
    assert any(b"Authorization: Basic" in request for request in asked)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(ValueError, match="widht"):
        CameraOptions.parse({"source": "0", "widht": 640})
    with pytest.raises(ValueError, match="source"):
        CameraOptions.parse({"driver": "opencv"})


def test_nothing_is_written_to_stderr(
    camera: OpenCvCamera, twin: VirtualCamera, lost: Lost, capfd: pytest.CaptureFixture[str]
) -> None:
    camera.open()
    twin.unplug()
    lost(camera, 3)
    with pytest.raises(DeviceFault):
        camera.open()
    assert capfd.readouterr().err == ""
