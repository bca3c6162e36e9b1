"""The process that holds the reader: libfprint through GObject introspection, nothing else.

Run with Debian's own Python (`python3-gi` is made for it) as a module. Messages as in `frames`:
`open`, `ping`, `capture` (answered when a finger has been read), `cancel` (ends that), `close`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from drivers.fingerprint import frames


def main() -> int:
    try:
        import gi

        gi.require_version("FPrint", "2.0")
        from gi.repository import FPrint, Gio, GLib
    except (ImportError, ValueError) as error:
        frames.read(sys.stdin.buffer)
        _say({"missing": str(error)})
        return 1
    _Reader(FPrint, Gio, GLib).run()
    return 0


def _say(head: dict[str, Any], body: bytes = b"") -> None:
    sys.stdout.buffer.write(frames.pack(head, body))
    sys.stdout.buffer.flush()


class _Reader:
    def __init__(self, fprint: Any, gio: Any, glib: Any) -> None:
        self._fprint, self._gio, self._glib = fprint, gio, glib
        self._context = fprint.Context()
        self._device: Any = None
        self._cancel: Any = None
        self._loop = glib.MainLoop()
        self._questions = open(0, "rb", buffering=0)  # noqa: SIM115 - what waits is seen by the loop

    def run(self) -> None:
        self._glib.unix_fd_add_full(0, 0, self._glib.IOCondition.IN, self._heard)
        self._loop.run()

    def _heard(self, *_: Any) -> bool:
        message = frames.read(self._questions)
        if message is None:
            os._exit(0)  # the daemon is gone
        try:
            getattr(self, f"_do_{message[0]['do']}")(message[0])
        except self._glib.Error as error:
            self._failed(error)
        except Exception:
            os._exit(3)  # a question that is never answered would be waited for
        return True

    def _do_open(self, head: dict[str, Any]) -> None:
        self._context.enumerate()
        found = [d for d in self._context.get_devices() if self._fits(d, head["device"])]
        if not found:
            _say({"absent": [d.get_driver() for d in self._context.get_devices()]})
            return
        device = found[0]
        if not device.has_feature(self._fprint.DeviceFeature.CAPTURE):
            _say({"no_images": device.get_name()})
            return
        device.open_sync()
        self._device = device
        _say({"name": device.get_name(), "driver": device.get_driver(),
              "id": device.get_device_id(), "found": len(found)})  # fmt: skip

    @staticmethod
    def _fits(device: Any, wanted: str) -> bool:
        return wanted in ("", device.get_driver(), device.get_device_id())

    def _do_ping(self, head: dict[str, Any]) -> None:
        _say({"pong": True})

    def _do_capture(self, head: dict[str, Any]) -> None:
        self._cancel = self._gio.Cancellable()
        self._device.capture(True, self._cancel, self._captured)

    def _captured(self, device: Any, result: Any) -> None:
        self._cancel = None
        try:
            image = device.capture_finish(result)
        except self._glib.Error as error:
            self._failed(error)
            return
        pixels = bytes(image.get_data())
        _say({"width": image.get_width(), "height": image.get_height(),
              "ppmm": image.get_ppmm()}, pixels)  # fmt: skip

    def _do_cancel(self, head: dict[str, Any]) -> None:
        """Answered by the capture that it ends; by itself where there is none."""
        if self._cancel is None:
            _say({"cancelled": True})
        else:
            self._cancel.cancel()

    def _failed(self, error: Any) -> None:
        if error.matches(self._fprint.DeviceRetry.quark(), error.code):
            _say({"retry": error.code})
        elif error.matches(self._gio.io_error_quark(), self._gio.IOErrorEnum.CANCELLED):
            _say({"cancelled": True})
        else:
            _say({"error": error.message, "code": error.code})


if __name__ == "__main__":
    sys.exit(main())
