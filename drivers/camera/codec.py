"""MJPEG over HTTP as network cameras send it: multipart/x-mixed-replace parts.

Sans-IO: JPEG pictures in, bytes out. Reading is FFmpeg's work, behind OpenCV.
"""

from __future__ import annotations

BOUNDARY = "examgate"


def response_head() -> bytes:
    """The answer's status line and headers; parts follow for as long as both sides live."""
    kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
    return head.encode("ascii")


def encode_part(jpeg: bytes) -> bytes:
    """One part (RFC 2046 §5.1), with its length, closed by its own line end."""
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode("ascii") + jpeg + b"\r\n"
