"""The real capture on a real RTSP stream: RTP/JPEG (RFC 2435) interleaved in TCP (RFC 2326)."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import cv2
import pytest

from drivers.camera.device import OpenCvCamera
from drivers.camera.headmodel import Image
from drivers.camera.scene import Scene, read_pattern
from drivers.errors import DeviceFault, FaultCode

SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=c\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:0\r\n"
FRAGMENT = 1300


def tables_and_scan(jpeg: bytes) -> tuple[bytes, bytes]:
    """A baseline JPEG's quantisation tables (128 bytes) and its entropy-coded data."""
    tables, at = {}, 2
    while True:
        marker, length = struct.unpack(">HH", jpeg[at : at + 4])
        body = jpeg[at + 4 : at + 2 + length]
        if marker == 0xFFDB:
            for start in range(0, len(body), 65):
                tables[body[start]] = body[start + 1 : start + 65]
        at += 2 + length
        if marker == 0xFFDA:
            return tables[0] + tables[1], jpeg[at:-2]


def packets(picture: Image, seq: int, stamp: int) -> list[bytes]:
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    tables, scan = tables_and_scan(jpeg)
    out = []
    for offset in range(0, len(scan), FRAGMENT):
        piece = scan[offset : offset + FRAGMENT]
        last = 0x80 if offset + FRAGMENT >= len(scan) else 0
        rtp = struct.pack(">BBHII", 0x80, last | 26, (seq + len(out)) & 0xFFFF, stamp, 7)
        size = picture.shape[1] // 8, picture.shape[0] // 8
        head = struct.pack(">IBBBB", offset, 1, 255, *size)
        if offset == 0:
            head += struct.pack(">BBH", 0, 0, 128) + tables
        body = rtp + head + piece
        out.append(b"$\0" + struct.pack(">H", len(body)) + body)
    return out


class RtspCamera:
    """One client, the pattern scene at 15 pictures a second; cut and silenced on demand."""

    def __init__(self) -> None:
        self.silent = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self._listener.getsockname()[1]}/live"
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        if self._client is not None:
            self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(3)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                self._client, _ = self._listener.accept()
            except OSError:
                return
            with self._client:
                try:
                    if self._converse(self._client):
                        self._play(self._client)
                except OSError:
                    continue

    def _converse(self, client: socket.socket) -> bool:
        stream = client.makefile("rb")
        while request := stream.readline():
            method, headers = request.split()[0], {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            answer = f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\nSession: 1\r\n"
            if method == b"OPTIONS":
                answer += "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            if method == b"SETUP":
                assert "TCP" in headers["transport"]  # the driver asks for TCP
                answer += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            body = SDP if method == b"DESCRIBE" else ""
            if body:
                answer += f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            client.sendall(f"{answer}\r\n{body}".encode())
            if method == b"PLAY":
                return True
        return False

    def _play(self, client: socket.socket) -> None:
        scene, seq = Scene(), 0
        scene.pattern(0)
        while True:
            now_s = time.monotonic()
            if not self.silent:
                burst = packets(scene.frame(now_s), seq, int(now_s * 90_000) & 0xFFFFFFFF)
                client.sendall(b"".join(burst))
                seq += len(burst)
            client.settimeout(1 / 15)
            try:
                if client.recv(4096) == b"":
                    return
            except TimeoutError:
                continue


@pytest.fixture
def rtsp() -> Iterator[RtspCamera]:
    server = RtspCamera()
    yield server
    server.close()


@pytest.fixture
def viewer(rtsp: RtspCamera) -> Iterator[OpenCvCamera]:
    device = OpenCvCamera({"source": rtsp.url})
    yield device
    device.close()


def test_newest_frame_loss_and_recovery(
    rtsp: RtspCamera,
    viewer: OpenCvCamera,
    lost: Callable[[OpenCvCamera, float], tuple[DeviceFault, float]],
) -> None:
    viewer.open()
    seq, ages = 0, []
    for _ in range(4):
        frame = viewer.newest(seq, 1.0)
        ages.append(time.monotonic() - read_pattern(frame.image))
        seq = frame.seq
        time.sleep(0.2)
    assert max(ages) < 0.3, ages
    rtsp.cut()
    fault, took_s = lost(viewer, 5)
    assert fault.code is FaultCode.UNPLUGGED and took_s < 1.0
    viewer.open()
    rtsp.silent = True
    fault, took_s = lost(viewer, 5)
    assert fault.code is FaultCode.NO_FRAMES and took_s < 1.1
    rtsp.silent = False
    viewer.open()
    assert viewer.newest(seq, 1.0).seq > seq
