"""Virtual devices that run by themselves and take commands over a socket: for training a
technician, or a proctor's course, with a real daemon and no hardware.

Knows the twins and a small language of commands; not the lane. `SimServer` also stands beside the
twins of a virtual venue (kiosk.demo.venue), the demonstration's among them.
"""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.camera.virtual import VirtualCamera
from drivers.contracts import Way
from drivers.fingerprint.zfm.codec import Confirm
from drivers.fingerprint.zfm.virtual import VirtualZfm
from drivers.idcard.virtual import VirtualSamReader
from drivers.link import Link, VirtualDevice
from drivers.scanner.virtual import VirtualScanner
from drivers.turnstile.gate import VirtualGate
from drivers.turnstile.modbus.virtual import VirtualTurnstile
from drivers.turnstile.osdp.virtual import VirtualOsdp
from drivers.turnstile.usb_relay.virtual import VirtualUsbRelay
from kiosk.demo.people import CHEN, LI, STRANGER, WANG, ZHOU, Person
from kiosk.demo.photos import PhotosMissing, photos_dir

SOCKET = "sim.sock"
PEOPLE = {p.key: p for p in (WANG, LI, CHEN, ZHOU, STRANGER)}
BAD_FINGERS = {
    "dry": Confirm.TOO_DRY,
    "wet": Confirm.TOO_WET,
    "smeared": Confirm.SMEARED,
    "few": Confirm.TOO_FEW_FEATURES,
}


class SimError(ValueError):
    """The command means nothing; says what there is, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.said = {"zh": zh, "en": en}


class Sim:
    """What the commands do. `do(words)` returns what to say."""

    def __init__(
        self,
        turnstile: VirtualGate,
        fingerprint: VirtualZfm,
        id_card: VirtualSamReader,
        camera: VirtualCamera | None = None,
        scanner: VirtualScanner | None = None,
    ) -> None:
        self._camera, self._scanner = camera, scanner
        self.devices: dict[str, VirtualDevice] = {
            "turnstile": turnstile, "fingerprint": fingerprint, "id_card": id_card,
        }  # fmt: skip
        if scanner is not None:
            self.devices["scanner"] = scanner
        self._gate, self._reader, self._cards = turnstile, fingerprint, id_card
        self.commands: dict[str, tuple[int, Callable[..., str]]] = {
            "status": (0, self._status),
            "finger": (1, self._finger),
            "bad-finger": (1, self._bad_finger),
            "lift": (0, self._lift),
            "scan": (1, self._scan),
            "card": (1, self._card),
            "pass": (0, lambda: self._walked(self._gate.person_passes())),
            "second-person": (0, lambda: self._walked(self._gate.two_people())),
            "turn-back": (0, lambda: self._did(self._gate.person_turns_back)),
            "leave": (0, lambda: self._walked(self._gate.person_leaves())),
            "second-leaves": (0, lambda: self._walked(self._gate.two_people(way=Way.EXIT))),
            "leave-turn-back": (
                0, lambda: self._did(lambda: self._gate.person_turns_back(Way.EXIT))),
            "opposite": (0, lambda: self._did(self._gate.opposite)),
            "climb": (0, lambda: self._did(self._gate.climb_over)),
            "stand": (1, lambda s: self._did(lambda: self._gate.stand_in_gate(_number(s, 600)))),
            "force": (0, lambda: self._did(self._gate.force)),
            "fire": (1, lambda on: self._did(lambda: self._gate.set_fire(_switch(on)))),
            "prop": (1, lambda on: self._did(lambda: self._gate.hold_open(_switch(on)))),
            "dirty": (2, self._dirty),
            "face": (1, lambda who: self._before_camera(who, flat=False)),
            "photo": (1, lambda who: self._before_camera(who, flat=True)),
            "camera": (1, self._camera_does),
            "unplug": (1, lambda d: self._did(self._plug(d).unplug)),
            "plug": (1, lambda d: self._did(self._plug(d).replug)),
            "garble": (2, lambda d, rate: self._cable(d, flip=_number(rate, 1))),
            "lose": (2, lambda d, rate: self._cable(d, loss=_number(rate, 1))),
            "delay": (2, lambda d, s: self._cable(d, delay_s=_number(s, 10))),
            "babble": (2, lambda d, rate: self._cable(d, babble=_number(rate, 1))),
            "heal": (1, lambda d: self._cable(d)),
        }

    def do(self, words: list[str]) -> str:
        """Raises `SimError`."""
        name, *arguments = words or [""]
        if name not in self.commands:
            known = ", ".join(self.commands)
            raise SimError(f"没有命令 {name!r}；可用：{known}",
                           f"no command {name!r}; there are: {known}")  # fmt: skip
        count, act = self.commands[name]
        if len(arguments) != count:
            raise SimError(f"{name} 后面应有 {count} 个词，给了 {len(arguments)} 个",
                           f"{name} takes {count} words, not {len(arguments)}")  # fmt: skip
        return act(*arguments)

    # --- what is not one line ---------------------------------------------------------------------

    def _status(self) -> str:
        g = self._gate
        now = {
            "gate": "unlocked" if g.unlocked else "locked",
            "outwards": "unlocked" if g.unlocked_for(Way.EXIT) else "locked",
            "released": g.released,
            "pulses": g.pulses,
            "passages": g.passages,
            "leavings": g.leavings,
            "sensors": [name for name, level in g.sensors.items() if level],
            "finger": self._reader.chip.finger,
            "plugged": [role for role, device in self.devices.items() if device.plugged],
        }
        return json.dumps(now, ensure_ascii=False)

    def _finger(self, who: str) -> str:
        """One of the demonstration's people by name, or any other finger."""
        person = PEOPLE.get(who)
        self._reader.put_finger(person.finger if person else who)
        return "ok"

    def _bad_finger(self, how: str) -> str:
        if how not in BAD_FINGERS:
            known = ", ".join(BAD_FINGERS)
            raise SimError(f"没有 {how!r} 这样的手指；可用：{known}",
                           f"no {how!r} finger; there are: {known}")  # fmt: skip
        self._reader.next_image(BAD_FINGERS[how])
        self._reader.put_finger("somebody/bad")
        return "ok"

    def _scan(self, code: str) -> str:
        """A slip with this code, or that of one of the demonstration's people."""
        if self._scanner is None:
            raise SimError("这里没有扫码器", "there is no scanner here")
        person = PEOPLE.get(code)
        self._scanner.hold(person.admission_no if person else code)
        return "ok"

    def _lift(self) -> str:
        self._reader.lift_finger()
        self._cards.lift_card()
        return "ok"

    def _card(self, who: str) -> str:
        self._cards.lay_card(_person(who).card())
        return "ok"

    def _before_camera(self, who: str, *, flat: bool) -> str:
        camera, person = self._the_camera(), _person(who)
        try:
            photo = photos_dir() / person.live_photo
            (camera.flat_photo if flat else camera.person)(photo)
        except PhotosMissing as missing:
            raise SimError(f"没有照片：{missing}",
                           f"the photographs are not here: {missing}") from missing  # fmt: skip
        return "ok"

    def _camera_does(self, what: str) -> str:
        camera = self._the_camera()
        acts: dict[str, Callable[[], None]] = {
            "leave": camera.leave, "left": lambda: camera.turn("left"),
            "right": lambda: camera.turn("right"), "centre": lambda: camera.turn("center"),
            "blink": camera.blink, "cover": camera.cover, "uncover": camera.empty,
            "freeze": camera.freeze, "stall": camera.stall, "resume": camera.resume,
        }  # fmt: skip
        if what not in acts:
            known = ", ".join(acts)
            raise SimError(f"camera：没有 {what!r}；可用：{known}",
                           f"camera: no {what!r}; there are: {known}")  # fmt: skip
        return self._did(acts[what])

    def _the_camera(self) -> VirtualCamera:
        if self._camera is None:
            raise SimError(
                "这里没有虚拟摄像头；演示的通道才有",
                "there is no virtual camera here; the demonstration's lanes have one",
            )
        return self._camera

    def _plug(self, role: str) -> VirtualDevice | VirtualCamera:
        return self._the_camera() if role == "camera" else self._device(role)

    def _dirty(self, sensor: str, on: str) -> str:
        try:
            self._gate.make_dirty(sensor, _switch(on))
        except KeyError:
            known = ", ".join(self._gate.sensors)
            raise SimError(f"没有传感器 {sensor!r}；可用：{known}",
                           f"no sensor {sensor!r}; there are: {known}") from None  # fmt: skip
        return "ok"

    def _device(self, role: str) -> VirtualDevice:
        if role not in self.devices:
            known = ", ".join(self.devices)
            raise SimError(f"没有设备 {role!r}；可用：{known}",
                           f"no device {role!r}; there are: {known}")  # fmt: skip
        return self.devices[role]

    def _cable(self, role: str, **how: float) -> str:
        self._device(role).link = Link(**how)  # type: ignore[arg-type]
        return "ok"

    @staticmethod
    def _walked(through: bool) -> str:
        return "through" if through else "locked"

    @staticmethod
    def _did(act: Callable[[], object]) -> str:
        act()
        return "ok"


def _person(who: str) -> Person:
    if who not in PEOPLE:
        known = ", ".join(PEOPLE)
        raise SimError(f"没有人叫 {who!r}；可用：{known}",
                       f"nobody is called {who!r}; there are: {known}")  # fmt: skip
    return PEOPLE[who]


def _number(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise SimError(f"{text!r} 不是数", f"{text!r} is no number") from None
    if not 0 <= value <= most:
        raise SimError(f"{text} 不在 0 到 {most:g} 之间", f"{text} is not from 0 to {most:g}")
    return value


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise SimError(f"{text!r} 不是 on 或 off", f"{text!r} is neither on nor off")
    return text == "on"


class SimServer:
    """Listens in `folder` until closed; one command a line, one JSON answer a line."""

    def __init__(self, sim: Sim, folder: Path) -> None:
        self.path = folder / SOCKET
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(_answer(sim, line))

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self._server = Server(str(self.path), Handler)
        os.chmod(self.path, 0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), daemon=True, name="sim"
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


def _answer(sim: Sim, line: bytes) -> bytes:
    try:
        said: dict[str, Any] = {"said": sim.do(json.loads(line))}
    except SimError as error:
        said = {"error": error.said}
    except (ValueError, TypeError) as error:
        said = {"error": {"zh": f"不是命令：{error}", "en": f"not a command: {error}"}}
    except (OSError, RuntimeError) as error:  # a twin that has ended
        said = {"error": {"zh": f"虚拟设备做不到：{error}",
                          "en": f"the virtual device cannot: {error}"}}  # fmt: skip
    return json.dumps(said, ensure_ascii=False).encode() + b"\n"


#: driver → the virtual turnstile for it
TURNSTILES: dict[str, Callable[[Path], VirtualGate]] = {
    "modbus": lambda folder: VirtualTurnstile(folder / "turnstile"),
    "osdp": lambda folder: VirtualOsdp.keyed(folder / "turnstile", folder / "turnstile.key"),
    "usb_relay": lambda folder: VirtualUsbRelay(folder / "turnstile"),
}


class Stage:
    """The twins on ports with names in `folder`, and the socket. A context manager."""

    def __init__(self, folder: Path, turnstile: str = "modbus") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.turnstile = TURNSTILES[turnstile](folder)
        self.fingerprint = VirtualZfm(folder / "fingerprint", timed=True)
        self.id_card = VirtualSamReader(folder / "id_card")
        self.scanner = VirtualScanner(folder / "scanner")
        self._twins = (self.turnstile, self.fingerprint, self.id_card, self.scanner)
        self._server: SimServer | None = None

    def __enter__(self) -> Stage:
        for twin in self._twins:
            twin.start()
        sim = Sim(self.turnstile, self.fingerprint, self.id_card, scanner=self.scanner)
        self._server = SimServer(sim, self.folder)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._server is not None:
            self._server.close()
        for twin in self._twins:
            twin.stop()
