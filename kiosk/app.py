"""The composition root: builds concrete things from the configuration. This is the lane's part;
beside it the centre's (app_centre) and that of devices tried by hand (app_devices).

Entry points for the commands; imports are inside the functions so that `examgate --help` does
not load a face model. Also the daemon's own children: `python -m kiosk.app face-worker`, and
`stick`, which reads one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from drivers.registry import make_device
from kiosk.clock import SystemClock
from kiosk.config import Config
from kiosk.config.problems import Problem, line_of
from kiosk.told import in_language

if TYPE_CHECKING:

    from kiosk.centre.mounts import Mount
    from kiosk.core.identity import Policy
    from kiosk.daemon import Daemon
    from kiosk.desks.document import Stationery
    from kiosk.desks.roster import Trust
    from kiosk.desks.stick import StickDesk
    from kiosk.latch import OpenLatch
    from kiosk.office import Office
    from kiosk.staff.peers import Users
    from kiosk.store import Store
    from kiosk.store.evidence import EvidenceKind
    from kiosk.tls import Listener

ASYNC_ROLES = ("turnstile", "fingerprint", "id_card", "scanner")


def version() -> str:
    try:
        return metadata.version("examgate")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def latch_of(config: Config) -> OpenLatch:
    """Where it is remembered that a fire release lasts."""
    from kiosk.latch import OpenLatch

    return OpenLatch([config.paths.runtime, config.paths.data])


def socket_path(config: Config) -> Path:
    return config.paths.runtime / "examgate.sock"


def roles_of(config: Config) -> list[str]:
    """The devices this lane needs, as configured."""
    wanted = {"turnstile": True, "fingerprint": config.identity.finger, "camera": True}
    wanted["id_card"] = config.devices.id_card is not None
    wanted["scanner"] = config.devices.scanner is not None
    return [role for role, needed in wanted.items() if needed]


def port_of(config: Config, role: str) -> str:
    options = config.device_options(role)
    return str(options.get("port", options.get("source", "")))


def device_of(config: Config, role: str, **changes: Any) -> Any:
    """A device as configured but for `changes`, not yet opened.

    Raises `DeviceFault` when it is to be searched and is not there. Where several adapters have its
    USB identity, or neither identity nor port is given, it is the one whose device answers.
    """
    from drivers.search import AmongSeveral
    from kiosk.port_search import where_is

    options = config.device_options(role) | changes
    driver = str(options["driver"])
    if role == "turnstile":
        options = options | {"clear_s": config.timeouts.gate_clear_s}
    if "port" not in options:
        return make_device(role, driver, options)
    where = where_is(config, role, options)
    options.pop("usb", None)

    def make(port: str) -> Any:
        return make_device(role, driver, options | {"port": port})

    if not where.to_ask:
        return make(where.ports[0])
    return AmongSeveral(role, where.ports, make, where.to_ask)


def find_port(config: Config, role: str) -> str:
    """Where a serial device is now. Raises `DeviceFault`. The daemon must not be running."""
    from kiosk.port_search import where_is

    where = where_is(config, role, config.device_options(role))
    return str(asyncio.run(device_of(config, role).find())) if where.to_ask else where.ports[0]


# --- daemon -------------------------------------------------------------------------------------


def run_daemon(config: Config, config_path: Path) -> int:
    """Run the lane until SIGTERM. Returns the exit code."""
    from kiosk.logs import configure

    configure()
    return asyncio.run(_run_daemon(config, config_path))


async def _run_daemon(config: Config, config_path: Path) -> int:
    store = open_store(config)
    try:
        return await build_daemon(config, config_path, store).run()
    finally:
        store.close()


def open_store(config: Config) -> Store:
    """The lane's database with the writer's lock. Raises `StoreError`."""
    from kiosk.core.checkpoint import origin_of
    from kiosk.store import Store

    origin = origin_of(config.venue.code, config.lane.id)
    store = Store.open(config.paths.data, config.paths.key_file, SystemClock(), origin)
    store.send_evidence(evidence_sent(config))
    return store


def evidence_sent(config: Config) -> list[EvidenceKind]:
    """What of the evidence goes to the centre."""
    from kiosk.store.evidence import EvidenceKind as Kind

    kinds = {
        "signatures": [Kind.SIGNATURE],
        "reports": [Kind.REPORT, Kind.REPORT_TABLE],
        "captures": [Kind.CAPTURE],
    }
    centre = config.centre
    if not (centre.record_url and centre.evidence_recipients):
        return []
    return [kind for name in centre.evidence for kind in kinds[name]]


def evidence_thinned(config: Config) -> list[EvidenceKind]:
    """What may be removed when the disk fills, in this order."""
    from kiosk.store.evidence import EvidenceKind as Kind

    kinds = {"captures": Kind.CAPTURE, "signatures": Kind.SIGNATURE}
    return [kinds[name] for name in config.disk.thin]


def build_daemon(config: Config, config_path: Path, store: Store) -> Daemon:
    """Everything joined, nothing started."""
    from kiosk.app_centre import uploader_or_none
    from kiosk.core.codes import ExitCheck
    from kiosk.core.flow import Rules
    from kiosk.daemon import Daemon, Identity
    from kiosk.face.client import FaceWorker
    from kiosk.mode import Lacks
    from kiosk.room import Room
    from kiosk.server import Server
    from kiosk.session import LaneSession, Times
    from kiosk.steps.seen_faces import SameFaceRule
    from kiosk.supervisor import Supervisor
    from kiosk.watch import Watch

    clock = SystemClock()
    identity = Identity(
        version=version(),
        lane=config.lane.id,
        venue=config.venue.name,
        claim_mode=config.identity.claim,
        language=config.ui.language,
        entrance=config.venue.entrance,
        free_when_stopped=config.lane.safe_state == "free",
        policy=journalled_policy(config),
        lock_after_s=config.staff.lock_after_s,
    )
    supervisor = Supervisor(clock, lambda status: daemon.device_changed(status))
    daemon = Daemon(store=store, supervisor=supervisor, clock=clock, identity=identity)
    argv = [sys.executable, "-m", "kiosk.app", "face-worker", "--config", str(config_path)]
    worker = FaceWorker(argv, daemon.on_face)
    t = config.timeouts
    session = LaneSession(
        store=store,
        supervisor=supervisor,
        face_worker=worker,
        rules=Rules(
            claim_by_card=config.identity.claim == "id_card",
            has_card_reader=config.devices.id_card is not None,
            finger=config.identity.finger,
            finger_attempts=config.identity.finger_attempts,
            may_type=config.identity.typed_claim != "never",
            may_type_at_once=config.identity.typed_claim == "always",
            exit=ExitCheck(config.identity.exit) if lets_out(config) else None,
            expired_card=config.identity.expired_card == "warn",
        ),
        policy=policy_of(config),
        times=Times(
            t.face_s,
            t.claim_s,
            t.finger_s,
            t.sign_s,
            t.gate_s,
            t.gate_clear_s,
            t.result_s,
            t.verify_s,
        ),
        two_people=config.identity.override_approval,
        clock=clock,
        zone=ZoneInfo(config.venue.timezone),
        encoder=config.face.encoder,
        same_face=SameFaceRule(same_person_distance(config), config.face.same_face == "stop"),
        latch=latch_of(config),
        changed=daemon.changed,
        happened=daemon.happened,
    )
    office = _office(
        config,
        store,
        lambda: session.ladder.needed,
        lambda: session.session_changed(),
        daemon.happened,
        lambda: session.warnings_changed(),
    )
    watch = Watch(
        store,
        clock,
        ZoneInfo(config.venue.timezone),
        min_free_mb=config.disk.min_free_mb,
        roster_days=config.session.roster_days,
        changed=session.warnings_changed,
    )
    door = daemon.door
    server = Server(
        socket_path(config),
        daemon.handle,
        came=lambda connection: door.came(connection, connection.peer),
        gone=door.gone,
        users=_users(config),
        far=_listener(config),
    )
    daemon.join(session, office, server, worker, watch)
    daemon.uploader = uploader_or_none(config, store)
    daemon.lacks = Lacks(
        store,
        clock,
        screen_there=lambda: door.has_screen("candidate"),
        sensor_since=lambda: session.gate.sensor_since,
        has_centre=lambda: daemon.uploader is not None,
        roster_days=config.session.roster_days,
    )
    daemon.room = Room(
        store,
        above_mb=config.disk.evidence_above_mb,
        min_free_mb=config.disk.min_free_mb,
        kinds=evidence_thinned(config),
    )
    session.ladder.others = lambda: daemon.lacks.found
    daemon.sticks = _stick_desk(config, config_path, store, daemon)
    serve: dict[str, Callable[[Any], Any]] = {
        "turnstile": daemon.serve_turnstile,
        "fingerprint": daemon.serve_fingerprint,
        "id_card": daemon.serve_cards,
        "scanner": daemon.serve_scanner,
    }
    for role in roles_of(config):
        driver = str(config.device_options(role)["driver"])
        if role == "camera":
            supervisor.add_external(role, driver, port_of(config, role))
        else:
            make = maker_of(config, role)
            supervisor.add(role, driver, port_of(config, role), make, serve[role])
    return daemon


def _listener(config: Config) -> Listener | None:
    """Where screens on other computers are let in; None: nowhere."""
    from kiosk.tls import Files, Listener

    tls = config.network.tls
    if tls is None:
        return None
    files = Files(tls.certificate, tls.key, tls.client_ca, tls.crl)
    return Listener(tls.address, tls.port, files, tls.clients)


def _users(config: Config) -> Users:
    """Raises `StoreError`: a lane whose screens cannot be told apart as configured does not run."""
    from kiosk.staff.peers import NoSuchUser, Users, user_of_screen
    from kiosk.store.errors import StoreError

    name = config.ui.candidate_user
    try:
        return Users(user_of_screen(name) if name else None)
    except NoSuchUser as error:
        raise StoreError(in_language(error.why, config.ui.language)) from error


def _stick_desk(config: Config, config_path: Path, store: Store, daemon: Daemon) -> StickDesk:
    """Watches for sticks where there is a centre whose bundles could be on them."""
    from kiosk.core.codes import NOBODY_AT_THE_LANE
    from kiosk.desks.stick import StickDesk

    def reader(what: str, path: str) -> list[str]:
        return [sys.executable, "-m", "kiosk.app", "stick", what, "--config", str(config_path),
                "--", path]  # fmt: skip

    return StickDesk(
        store,
        daemon.office.declined,
        zone=ZoneInfo(config.venue.timezone),
        language=config.ui.language,
        mounts=(lambda: sticks(config)) if config.centre.public_key is not None else None,
        reader=reader,
        ask=daemon.office.call,
        quiet=lambda: daemon.session.lane.state in NOBODY_AT_THE_LANE,
        changed=daemon.changed,
    )


def sticks(config: Config) -> list[Mount]:
    """What is plugged in now. Raises `OSError`."""
    from kiosk.centre.mounts import mounts

    return mounts(config.centre.usb_folders)


def policy_of(config: Config) -> Policy:
    """When the lane is sure: the configured distances, else those measured for the encoder."""
    from kiosk.core.identity import Policy
    from kiosk.face.encoders import LIMITS

    face, limits = config.face, LIMITS[config.face.encoder]

    def either(set_one: float | None, own: float) -> float:
        return own if set_one is None else set_one

    return Policy(
        verify_max_distance=either(face.verify_max_distance, limits.verify),
        identify_max_distance=either(face.identify_max_distance, limits.identify),
        identify_margin=either(face.identify_margin, limits.margin),
        frames=face.frames,
        liveness=face.liveness,
    )


def config_doubts(path: Path) -> list[Problem]:
    """What the file says within all bounds, and hardly means. Raises `ConfigError`."""
    from kiosk.config import check
    from kiosk.config.doubts import doubts
    from kiosk.face.encoders import LIMITS

    config, lines = check(path)
    found = [
        Problem(key, line_of(key, lines), *said)
        for key, said in doubts(config, LIMITS[config.face.encoder])
    ]
    return sorted(found, key=lambda problem: problem.line)


def journalled_policy(config: Config) -> dict[str, Any]:
    """What this lane asks of a candidate, as the journal has it (docs/journal.md)."""
    return {
        "claim": config.identity.claim,
        "finger": config.identity.finger,
        "liveness": config.face.liveness,
        "override_approval": config.identity.override_approval,
    } | ({"exit": config.identity.exit} if lets_out(config) else {})


def lets_out(config: Config) -> bool:
    return config.lane.direction == "both"


def same_person_distance(config: Config) -> float:
    """Two identities at or below it look like one person."""
    from kiosk.face.encoders import LIMITS

    set_one = config.face.same_person_distance
    return LIMITS[config.face.encoder].same_person if set_one is None else set_one


def maker_of(config: Config, role: str) -> Callable[[], Any]:
    return lambda: device_of(config, role)


def _office(
    config: Config,
    store: Store,
    devices: Callable[[], Any] | None,
    session_changed: Callable[[], None],
    happened: Callable[[dict[str, Any]], None],
    warnings_changed: Callable[[], None] = lambda: None,
) -> Office:
    from kiosk.office import Office

    return Office(
        store,
        clock=SystemClock(),
        zone=ZoneInfo(config.venue.timezone),
        encoder=config.face.encoder,
        min_free_mb=config.disk.min_free_mb,
        early_s=config.session.early_s,
        late_s=config.session.late_s,
        language=config.ui.language,
        same_person_distance=same_person_distance(config),
        policy=journalled_policy(config),
        stationery=_stationery(config),
        trust=_trust(config),
        retention_days=config.retention.days,
        devices=devices,
        session_changed=session_changed,
        warnings_changed=warnings_changed,
        happened=happened,
    )


def _trust(config: Config) -> Trust:
    """Raises `StoreError` when the centre's key cannot be read: no roster is better than any."""
    from kiosk.centre.bundle.problems import BundleError
    from kiosk.centre.bundle.seal import centre_public_key
    from kiosk.desks.roster import Trust
    from kiosk.store.errors import StoreError

    file = config.centre.public_key
    try:
        return Trust(config.venue.code, centre_public_key(file) if file else None)
    except BundleError as error:
        raise StoreError(f"centre.public_key: {error.sentence(config.ui.language)}") from error


def _stationery(config: Config) -> Stationery:
    from kiosk.desks.document import Stationery
    from kiosk.report.gather import Place
    from kiosk.report.seal import CERTIFICATE

    venue = config.venue
    place = Place(venue.code, venue.name, config.lane.id, venue.timezone, version())
    return Stationery(place, config.paths.key_file, config.paths.data / CERTIFICATE)


@contextlib.contextmanager
def offline(config: Config) -> Iterator[Office]:
    """The office methods while no daemon runs. Raises `StoreError` (locked: one runs)."""
    from kiosk.staff.door import Door

    store = open_store(config)
    try:
        office = _office(config, store, None, lambda: None, lambda event: None)
        door = Door(
            store,
            SystemClock(),
            lock_after_s=config.staff.lock_after_s,
            declined=office.declined,
            told=lambda connection, standing: None,
        )
        office.door = door.at_the_machine
        try:
            yield office
        finally:
            office.documents.stop()
    finally:
        store.close()


# --- face worker --------------------------------------------------------------------------------


def run_face_worker(config: Config, fd: int) -> int:
    """The child process that owns the camera."""
    from kiosk.face.events import TOLD_WHY
    from kiosk.face.models import WrongModel
    from kiosk.face.worker import WorkerOptions, run
    from kiosk.logs import configure

    configure()
    options = WorkerOptions(
        absent_s=config.timeouts.absent_s,
        liveness_s=config.timeouts.liveness_s,
        frames=config.face.frames,
        cache_dir=config.paths.data / "cache",
        encoder=config.face.encoder,
    )
    try:
        run(device_of(config, "camera"), fd, options)
    except WrongModel:
        return TOLD_WHY
    return 0


# --- commands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A lane on another computer, and what this one shows to it."""

    host: str
    port: int
    certificate: Path
    key: Path
    ca: Path


def run_ui(
    role: str, config: Config, *, robot: Path | None, windowed: bool, lane: Elsewhere | None = None
) -> int:
    """The candidate's or the proctor's screen; of a lane elsewhere, where one is given. Raises
    `TlsProblem`."""
    from kiosk.relay import Relay
    from kiosk.tls import client_context

    if lane is None:
        return _run_ui(role, config, socket_path(config), robot=robot, windowed=windowed)
    context = client_context(lane.certificate, lane.key, lane.ca)
    with Relay(lane.host, lane.port, context) as relay:
        return _run_ui(role, config, relay.path, robot=robot, windowed=windowed)


def _run_ui(role: str, config: Config, path: Path, *, robot: Path | None, windowed: bool) -> int:
    from ui.app import UiOptions, run

    return run(
        role,
        path,
        UiOptions(
            language=config.ui.language,
            fullscreen=config.ui.fullscreen and not windowed,
            robot=robot,
            text_scale=config.ui.text_scale,
            reach=reach_of(config),
            timezone=config.venue.timezone,
            volume=config.ui.volume if config.ui.voice else 0,
        ),
    )


def reach_of(config: Config) -> float:
    """The lower part of a tall screen that a hand reaches, as a fraction of its height."""
    ui = config.ui
    if ui.lower_edge_cm is None:
        return 1.0
    return min(1.0, max(0.0, (ui.reach_cm - ui.lower_edge_cm) / ui.display_cm))


def age_key_file(config: Config) -> Path:
    """The lane's age identity, beside its other keys."""
    file = config.paths.key_file
    return file.with_name(f"{file.stem}-age{file.suffix}")


def rotate_key(config: Config, person: str) -> int:
    """Raises `StoreError`; a daemon that runs holds the database."""
    from kiosk.report.seal import CERTIFICATE

    store = open_store(config)
    try:
        count = store.rotate_key(config.paths.key_file, person)
    finally:
        store.close()
    certificate = config.paths.data / CERTIFICATE
    if certificate.exists():  # it certifies a key that was derived from the old one
        day = SystemClock().now()
        certificate.rename(
            certificate.with_name(f"{certificate.stem}-until-{day:%Y%m%dT%H%M%S}.pem")
        )
    return count


def make_key(config: Config) -> Path:
    """Create the lane's key files. Raises `StoreError` when all are there already, or when one is
    missing that has been used: only a copy of it is of use then.

    A lane of an earlier version lacks one or two of them; those that it has are kept.
    """
    from kiosk.centre.bundle.seal import make_identity
    from kiosk.store.errors import StoreError
    from kiosk.store.signer import signing_key_file
    from kiosk.store.vault import check_may_be_made, make_key_file

    lane, signing = config.paths.key_file, signing_key_file(config.paths.key_file)
    age = age_key_file(config)
    missing = [file for file in (lane, signing, age) if not file.exists()]
    uses = {lane: "keys", signing: "checkpoints", age: "bundles"}
    for file in missing:
        check_may_be_made(file)
        if _rows(config.paths.data / "lane.db", uses[file]):
            raise StoreError(
                f"{file} was lost, and {config.paths.data} was used with it: restore your copy; a "
                "new one would not fit what is there"
            )
    for file in missing or [lane]:
        if file == age:
            make_identity(file)
        else:
            make_key_file(file)  # raises where it exists
    return missing[0]


def _rows(database: Path, table: str) -> bool:
    """Whether a table of a database, if there is one, has any."""
    if not database.exists():
        return False
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(f"select 1 from {table} limit 1").fetchone() is not None
        except sqlite3.OperationalError:  # an earlier version's, without this table
            return False


def main(argv: list[str] | None = None) -> int:
    """For the daemon's own children only; people use `examgate`."""
    from kiosk.config import load

    parser = argparse.ArgumentParser(prog="python -m kiosk.app")
    commands = parser.add_subparsers(dest="command", required=True)
    worker = commands.add_parser("face-worker")
    worker.add_argument("--config", type=Path, required=True)
    worker.add_argument("--fd", type=int, required=True)
    stick = commands.add_parser("stick")
    stick.add_argument("what", choices=("look", "take"))
    stick.add_argument("--config", type=Path, required=True)
    stick.add_argument("path", type=Path)
    arguments = parser.parse_args(argv)
    if arguments.command == "stick":
        from kiosk.app_centre import run_stick_reader

        return run_stick_reader(load(arguments.config), arguments.what, arguments.path)
    return run_face_worker(load(arguments.config), arguments.fd)


if __name__ == "__main__":
    sys.exit(main())
