"""One virtual lane: twins on pseudo-terminals, and the real daemon and screen processes.

Starts and stops everything, writes the configuration a technician would write; knows nothing
of who comes to the gate. Used by the demonstration and by the end-to-end tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from drivers.camera.virtual import VirtualCamera
from drivers.fingerprint.zfm.virtual import VirtualZfm
from drivers.idcard.virtual import VirtualSamReader
from drivers.turnstile.modbus.virtual import COUNTER_ENTRY, COUNTER_EXIT, VirtualTurnstile
from kiosk import wire
from kiosk.demo.people import CHEN, LI, WANG
from kiosk.demo.sim import Sim, SimServer

#: Number, name, role and PIN of who may log in at a virtual venue.
STAFF = (
    ("1001", "李敏", "chief", "483917"),
    ("1002", "周静", "proctor", "275064"),
    ("1003", "王工", "technician", "630958"),
)
START_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 10.0


class VenueError(Exception):
    """A process of the lane did not do what it must; the message says which and where to look."""


@dataclass
class VenueOptions:
    """What may differ between venues. Times in seconds."""

    claim: str = "id_card"
    language: str = "zh"
    windowed: bool = False  #: real windows instead of off-screen ones
    camera_source: str | int | None = None  #: None: the virtual camera
    camera: VirtualCamera | None = None  #: one that is shared and outlives this venue
    portrait: bool = False
    timed_reader: bool = False  #: the fingerprint reader takes a real one's time
    timeouts: dict[str, float] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)  #: dotted key → value in the config


class Venue:
    """A folder, four twins, a configuration, and processes. Use as a context manager.

    `examgate --config FOLDER/config.yaml sim do …` commands the twins meanwhile.
    """

    def __init__(self, folder: Path, options: VenueOptions | None = None) -> None:
        self.folder = folder
        self.options = options or VenueOptions()
        self.config_path = folder / "config.yaml"
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.ports = ports = folder / "ports"
        ports.mkdir(exist_ok=True)
        self._sim: SimServer | None = None
        self.turnstile = VirtualTurnstile(link_path=ports / "turnstile")
        self.fingerprint = VirtualZfm(
            link_path=ports / "fingerprint", timed=self.options.timed_reader
        )
        self.id_card = VirtualSamReader(link_path=ports / "id_card")
        self.camera: VirtualCamera | None = self.options.camera
        self._own_camera = self.camera is None and self.options.camera_source is None
        if self._own_camera:
            self.camera = VirtualCamera()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Venue:
        for twin in (self.turnstile, self.fingerprint, self.id_card):
            twin.start()
        sim = Sim(self.turnstile, self.fingerprint, self.id_card, self.camera)
        self._sim = SimServer(sim, self.ports)
        self.write_config()
        return self

    def __exit__(self, *exc: object) -> None:
        for name in reversed(list(self._processes)):
            self.stop(name)
        if self._sim is not None:
            self._sim.close()
        for twin in (self.turnstile, self.fingerprint, self.id_card):
            twin.stop()
        if self.camera is not None and self._own_camera:
            self.camera.close()

    # --- configuration --------------------------------------------------------------------------

    @property
    def runtime(self) -> Path:
        return self.folder / "run"

    @property
    def socket(self) -> Path:
        return self.runtime / "examgate.sock"

    def write_config(self) -> None:
        """The lane's config.yaml, private folders and all."""
        source = self.camera.url if self.camera is not None else self.options.camera_source
        config: dict[str, Any] = {
            "venue": {"code": "YT-DEMO", "name": "烟台市示范考场", "timezone": "Asia/Shanghai"},
            "lane": {"id": "entry-1", "direction": "entry", "safe_state": "locked"},
            "paths": {
                "data": str(self.folder / "data"),
                "runtime": str(self.runtime),
                "key_file": str(self.folder / "lane.key"),
            },
            "identity": {"claim": self.options.claim, "finger": True, "finger_attempts": 3},
            "session": {"early_s": 1800, "late_s": 3600},
            "face": {},
            "timeouts": self.options.timeouts,
            "devices": {
                "turnstile": {
                    "driver": "modbus",
                    "port": self.turnstile.port,
                    "counter_entry": COUNTER_ENTRY,
                    "counter_exit": COUNTER_EXIT,
                },
                "fingerprint": {"driver": "zfm", "port": self.fingerprint.port},
                "camera": {"driver": "opencv", "source": source},
                "id_card": {"driver": "sam", "port": self.id_card.port},
            },
            "ui": {
                "language": self.options.language,
                "fullscreen": False,
                "voice": self.options.windowed,
            },
        }
        for key, value in self.options.changes.items():
            *parents, last = key.split(".")
            section = config
            for parent in parents:
                section = section.setdefault(parent, {})
            section[last] = value
        self.config_path.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))

    # --- commands and processes -----------------------------------------------------------------

    def command(
        self, *words: str, check: bool = True, said: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `examgate …` as a technician would, with this lane's configuration.

        `said` is given on standard input.
        """
        argv = [sys.executable, "-m", "kiosk.cli.main", "--config", str(self.config_path), *words]
        done = subprocess.run(
            argv, capture_output=True, text=True, env=self._env(), timeout=180, input=said
        )
        if check and done.returncode != 0:
            raise VenueError(
                f"examgate {' '.join(words)} ended with {done.returncode}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done

    def start(self, name: str, *words: str) -> None:
        """Start a long-running `examgate …` process; its output goes to logs/NAME.log."""
        argv = [sys.executable, "-m", "kiosk.cli.main", "--config", str(self.config_path), *words]
        with (self.logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env()
            )

    def start_daemon(self) -> None:
        """Start the daemon and wait until it answers and every device is well."""
        self.start("daemon", "daemon")
        self.wait(
            lambda: all(d["ok"] for d in self.call("device.status").values()), "every device well"
        )

    def start_screen(self) -> None:
        """The candidate screen with its robot hand; off screen unless windowed."""
        robot = str(self.robot)
        self.start("ui", "ui", "--role", "candidate", "--windowed", "--robot", robot)
        self.wait(self.robot.exists, "the candidate screen")

    @property
    def robot(self) -> Path:
        return self.folder / "run" / "robot.sock"

    def running(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def kill(self, name: str) -> None:
        """SIGKILL: what a power cut or the kernel would do."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_TIMEOUT_S)

    def stop(self, name: str) -> int:
        """SIGTERM; returns the exit code."""
        process = self._processes.pop(name)
        process.terminate()
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise VenueError(f"{name} did not stop in {STOP_TIMEOUT_S:.0f} s") from None

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """One request to the daemon's socket."""
        with wire.Client(self.socket) as client:
            return client.call(method, params)

    def wait(self, holds: Any, what: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until `holds()` is true. Raises `VenueError` naming the log to read."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            with contextlib.suppress(wire.NotRunning, ConnectionError):
                if holds():
                    return
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise VenueError(self._died(name, process.returncode))
            time.sleep(0.05)
        raise VenueError(f"waited {timeout_s:.0f} s for {what}; logs are in {self.logs}")

    def _died(self, name: str, code: int | None) -> str:
        tail = (self.logs / f"{name}.log").read_text(errors="replace")[-2000:]
        return f"{name} ended with {code}; the end of its log:\n{tail}"

    def _env(self) -> dict[str, str]:
        env = os.environ | {"PYTHONUNBUFFERED": "1"}
        if self.options.windowed:  # several windows share the display
            env.setdefault("EXAMGATE_SCREEN", "1280x720")
        else:
            env["QT_QPA_PLATFORM"] = "offscreen"
            if self.options.portrait:
                env["EXAMGATE_SCREEN"] = "1080x1920"
        return env

    # --- the day's preparation ------------------------------------------------------------------

    def prepare(self, roster: Path, sessions: Sequence[tuple[str, datetime, int]]) -> None:
        """Key, sessions (id, start, number of terminals) and roster, by the commands."""
        self.command("doctor", "--make-key")
        for session_id, starts_at, terminals in sessions:
            self.command(
                "session",
                "create",
                session_id,
                "--subject",
                "科目一",
                "--starts-at",
                starts_at.isoformat(timespec="seconds"),
                "--terminals",
                f"001-{terminals:03d}",
            )
        self.command("roster", "import", str(roster))

    def prepare_staff(self) -> None:
        """The proctor and the chief of the play, by the command."""
        for staff_no, name, role, pin in STAFF:
            add = ("staff", "add", staff_no, "--name", name, "--role", role, "--pin-stdin")
            self.command(*add, said=pin + "\n")

    def prepare_camera(self, photos: Path) -> None:
        """Have the heads modelled before the stream matters: it takes a second each."""
        if self.camera is not None:
            for name in sorted({person.live_photo for person in (WANG, LI, CHEN)}):
                self.camera.prepare(photos / name)

    def journal(self) -> list[dict[str, Any]]:
        """Every entry, through the command."""
        done = self.command("journal", "list", "--json", "--limit", "10000")
        entries: list[dict[str, Any]] = json.loads(done.stdout)["entries"]
        return entries


def soon(minutes: float = 10) -> datetime:
    """A session start so near that its check-in window is open now."""
    return datetime.now().astimezone() + timedelta(minutes=minutes)
