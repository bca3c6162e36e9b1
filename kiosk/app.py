"""The composition root: the only place that builds concrete things from the configuration.

Entry points for the commands; imports are inside the functions so that `examgate --help` does
not load a face model. Also the daemon's own children: `python -m kiosk.app face-worker`, and
`stick`, which reads one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from drivers.errors import DeviceFault
from drivers.registry import make_device
from kiosk.clock import SystemClock
from kiosk.config import Config

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from pyrage.x25519 import Identity as X25519Identity

    from kiosk.acceptance import Ledger
    from kiosk.centre.bundle.accept import Opened, Peeked
    from kiosk.centre.bundle.manifest import Manifest
    from kiosk.centre.download import Access, Fetcher
    from kiosk.centre.mounts import Mount
    from kiosk.centre.reembed import Reembedded
    from kiosk.centre.roster_file import Prepared
    from kiosk.centre.upload import Uploader
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

#: Processes that embed roster photographs; each needs some 200 MB.
MOST_EMBEDDERS = 4
NICENESS = 10  #: of a process that reads a stick beside the lane
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
    )
    daemon.join(session, office, server, worker, watch)
    daemon.uploader = _uploader_or_none(config, store)
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
            make = _maker(config, role)
            supervisor.add(role, driver, port_of(config, role), make, serve[role])
    return daemon


def _users(config: Config) -> Users:
    """Raises `StoreError`: a lane whose screens cannot be told apart as configured does not run."""
    from kiosk.staff.peers import NoSuchUser, Users, user_of_screen
    from kiosk.store.errors import StoreError

    name = config.ui.candidate_user
    try:
        return Users(user_of_screen(name) if name else None)
    except NoSuchUser as error:
        zh, en = error.sentences
        raise StoreError(zh if config.ui.language == "zh" else en) from error


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


def _maker(config: Config, role: str) -> Callable[[], Any]:
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
    from kiosk.face.worker import WorkerOptions, run
    from kiosk.logs import configure

    configure()
    camera = device_of(config, "camera")
    run(
        camera,
        fd,
        WorkerOptions(
            absent_s=config.timeouts.absent_s,
            liveness_s=config.timeouts.liveness_s,
            frames=config.face.frames,
            cache_dir=config.paths.data / "cache",
            encoder=config.face.encoder,
        ),
    )
    return 0


# --- commands -----------------------------------------------------------------------------------


def run_ui(role: str, config: Config, *, robot: Path | None, windowed: bool) -> int:
    """The candidate's or the proctor's screen."""
    from ui.app import UiOptions, run

    return run(
        role,
        socket_path(config),
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


def prepare_roster(
    config: Config, path: Path, progress: Callable[[str, int, int], None]
) -> Prepared:
    """Read and check a roster folder or file; nothing is stored."""
    from kiosk.centre.roster_file import prepare
    from kiosk.face.enrol import enrol_many

    embed = partial(enrol_many, encoder=config.face.encoder)
    return prepare(
        path,
        enrol_many=embed,
        workers=_embedders(),
        progress=progress,
        same_face_max_distance=same_person_distance(config),
    )


@contextlib.contextmanager
def open_bundle(config: Config, path: Path) -> Iterator[Opened]:
    """A bundle that this lane may use now, its parts in memory. Raises `BundleError`."""
    from kiosk.centre.bundle import accept

    with accept.opened(path, *_bundle_keys(config), _usable(config)) as bundle:
        yield bundle


def bundles_on(config: Config, folder: Path) -> Iterator[dict[str, Any]]:
    """What a stick has, as kiosk.centre.stick says it. Raises `BundleError` for our own keys."""
    from kiosk.centre.bundle.accept import peeked
    from kiosk.centre.stick import look

    keys, check = _bundle_keys(config), _usable(config)

    def peek(path: Path) -> Peeked:
        return peeked(path, *keys, check)

    return look(folder, peek)


def _bundle_keys(config: Config) -> tuple[X25519Identity, Ed25519PublicKey]:
    """The lane's and the centre's. Raises `BundleError`."""
    from kiosk.centre.bundle import seal
    from kiosk.centre.bundle.problems import BundleError

    if config.centre.public_key is None:
        raise BundleError("no_key")
    centre = seal.centre_public_key(config.centre.public_key)
    return seal.read_identity(age_key_file(config)), centre


def _usable(config: Config) -> Callable[[Manifest], None]:
    """Whether a bundle is for this venue and this day; raises `BundleError`."""
    from kiosk.centre.bundle.manifest import check_use

    now = SystemClock().now()
    return lambda found: check_use(found, venue=config.venue.code, now=now)


def run_stick_reader(config: Config, what: str, path: Path) -> int:
    """The child process that reads a stick: `look` at a folder, or `take` one bundle whole."""
    from kiosk.centre.bundle.problems import BundleError
    from kiosk.centre.stick import rows_of

    def say(said: dict[str, Any]) -> None:
        sys.stdout.buffer.write(json.dumps(said).encode() + b"\n")
        sys.stdout.buffer.flush()

    with contextlib.suppress(OSError):  # where that is forbidden it goes without
        os.nice(NICENESS)
    try:
        if what == "look":
            for said in bundles_on(config, path):
                say(said)
            return 0
        with open_bundle(config, path) as bundle:
            for said in rows_of(bundle, prepare_bundle(config, bundle, lambda *_: None)):
                say(said)
    except BundleError as error:
        say({"failed": [{"zh": error.sentence("zh"), "en": error.sentence("en")}]})
    except BrokenPipeError:  # nobody listens any more
        return 1
    return 0


def prepare_bundle(
    config: Config, bundle: Opened, progress: Callable[[str, int, int], None]
) -> Prepared:
    """Its rows, checked like any roster; faces are only looked at where the centre has not."""
    from kiosk.centre.bundle.accept import embeddings, enrolled_from
    from kiosk.centre.roster_file import prepare
    from kiosk.face.enrol import enrol_many

    encoder = config.face.encoder
    known = embeddings(bundle) if bundle.manifest.encoder == encoder else {}
    return prepare(
        bundle.folder,
        enrol_many=enrolled_from(known) if known else partial(enrol_many, encoder=encoder),
        workers=_embedders(),
        progress=progress,
        same_face_max_distance=same_person_distance(config),
    )


def prepare_for_centre(
    path: Path, encoder: str, progress: Callable[[str, int, int], None]
) -> Prepared:
    """A roster folder or table where there is no lane: the office that makes bundles."""
    from kiosk.centre.roster_file import prepare
    from kiosk.face.encoders import LIMITS
    from kiosk.face.enrol import enrol_many

    return prepare(
        path,
        enrol_many=partial(enrol_many, encoder=encoder),
        workers=_embedders(),
        progress=progress,
        same_face_max_distance=LIMITS[encoder].same_person,
    )


def _access(config: Config) -> Access:
    from kiosk.centre.download import Access

    c = config.centre
    return Access(c.ca_file, c.client_certificate, c.client_key, c.proxy, c.limit_kbit_s)


def uploader_of(config: Config, store: Store) -> Uploader | None:
    """None where no centre takes records. Raises `OSError` for a bad certificate file,
    `ValueError` for a bad recipient."""
    from kiosk.centre.upload import Sender, Uploader

    url, recipients = config.centre.record_url, config.centre.evidence_recipients
    if not url:
        return None
    return Uploader(store, Sender(url, store.origin, _access(config), recipients))


def _uploader_or_none(config: Config, store: Store) -> Uploader | None:
    """A certificate that cannot be read does not keep the lane from working."""
    import structlog

    try:
        return uploader_of(config, store)
    except (OSError, ValueError) as error:
        structlog.get_logger(__name__).error("upload_impossible", why=str(error))
        return None


def send_outbox(config: Config) -> tuple[int, int]:
    """What waits, now. Returns how many rows were answered and how many are left.

    Raises `StoreError` (a daemon runs), `UploadError`.
    """
    store = open_store(config)
    try:
        uploader = uploader_of(config, store)
        before = left = store.outbox_size()[0]
        while uploader is not None and left:
            asyncio.run(uploader.once())
            still = store.outbox_size()[0]
            if still == left:
                break  # the centre waits for what another lane or way has to bring
            left = still
        return before - left, left
    finally:
        store.close()


def fetcher_of(config: Config, day: date) -> tuple[Fetcher, list[str]]:
    """Fetches the venue's bundle of that day, from these addresses."""
    from kiosk.centre.download import Fetcher

    venue, access = config.venue.code, _access(config)
    urls = [url.format(venue=venue, day=day.isoformat()) for url in config.centre.urls]
    name = f"{venue}-{day}.tar.age".replace("/", "_")
    return Fetcher(config.paths.data / "downloads" / name, access), urls


def today(config: Config) -> date:
    """At the venue."""
    return SystemClock().now().astimezone(ZoneInfo(config.venue.timezone)).date()


def age_key_file(config: Config) -> Path:
    """The lane's age identity, beside its other keys."""
    file = config.paths.key_file
    return file.with_name(f"{file.stem}-age{file.suffix}")


def reembed_roster(config: Config, person: str, progress: Callable[[int, int], None]) -> Reembedded:
    """The stored roster for the configured encoder; no daemon may run. Raises `StoreError`."""
    from kiosk.centre.reembed import reembed
    from kiosk.face.enrol import enrol_many

    encoder = config.face.encoder
    store = open_store(config)
    try:
        return reembed(
            store,
            partial(enrol_many, encoder=encoder),
            encoder,
            workers=_embedders(),
            person=person,
            progress=progress,
        )
    finally:
        store.close()


def _embedders() -> int:
    return min(os.cpu_count() or 1, MOST_EMBEDDERS)


@dataclass(frozen=True, slots=True)
class Probe:
    """What opening one device showed."""

    role: str
    driver: str
    port: str
    ok: bool
    summary: str
    code: str | None = None
    facts: dict[str, str] = field(default_factory=dict)


def probe_devices(config: Config) -> list[Probe]:
    """Open every configured device once. The daemon must not be running."""
    return [_probe(config, role) for role in roles_of(config)]


def _probe(config: Config, role: str) -> Probe:
    from kiosk import workshop

    driver, port = str(config.device_options(role)["driver"]), port_of(config, role)
    try:
        device = device_of(config, role)
        if role == "camera":
            info = device.open()
            seen = workshop.look_on(device, 1.0)
            device.close()
            facts = info.facts | {"frame": f"{seen.width}×{seen.height}", "fps": str(seen.fps)}
        else:
            info = asyncio.run(_open_and_close(device))
            facts = info.facts
    except DeviceFault as fault:
        return Probe(role, driver, port, False, fault.detail, fault.code.value)
    return Probe(role, driver, info.port or port, True, info.model, None, dict(facts))


async def _open_and_close(device: Any) -> Any:
    try:
        return await device.open()
    finally:
        await device.close()


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a technician's commands work with while no daemon runs."""

    store: Store
    journal: Callable[[str, str, dict[str, Any]], None]


@contextlib.contextmanager
def by_hand(config: Config, person: str) -> Iterator[ByHand]:
    """The record, so that what moves the gate is in it. Raises `StoreError` (locked: a daemon
    runs, and the lane is in service)."""
    from kiosk.core.codes import JournalKind

    store = open_store(config)

    def note(device: str, action: str, about: dict[str, Any]) -> None:
        pseudonym = about.pop("pseudonym", None)
        payload = {"device": device, "action": action, "person": person} | about
        store.journal(JournalKind.DEVICE_TRIED, pseudonym=pseudonym, payload=payload)

    try:
        yield ByHand(store, note)
    finally:
        store.close()


async def accept(
    config: Config,
    *,
    person: str,
    hands: bool,
    seconds: float,
    ask: Callable[[str], None],
    show: Callable[[dict[str, Any]], None],
    folder: Path | None,
) -> Ledger:
    """Check every device and write the signed equipment ledger. Raises `StoreError`."""
    from kiosk.acceptance import Hands, check_devices, ledger_text, write_ledger
    from kiosk.core.codes import JournalKind

    with by_hand(config, person) as hand:
        devices = [
            (role, str(config.device_options(role)["driver"]), port_of(config, role),
             _maker(config, role))
            for role in roles_of(config)
        ]  # fmt: skip
        checks = []
        async for check in check_devices(devices, Hands(hands, seconds, ask), hand.journal):
            checks.append(check)
            show(asdict(check))
        at = SystemClock().now().astimezone(ZoneInfo(config.venue.timezone))
        about = {
            "origin": hand.store.origin, "at": at.isoformat(), "person": person,
            "version": version(), "venue": config.venue.name, "lane": config.lane.id,
            "hands": hands,
        }  # fmt: skip
        ledger = write_ledger(
            folder or config.paths.data / "ledgers",
            at,
            ledger_text(about, checks),
            hand.store.sign_text,
            checks,
        )
        said = {"sha256": ledger.sha256, "passed": list(ledger.passed),
                "failed": list(ledger.failed), "person": person}  # fmt: skip
        hand.store.journal(JournalKind.EQUIPMENT_CHECKED, payload=said)
        return ledger


def safe_state(config: Config) -> str:
    """Put the gate into its configured safe state; while a fire release lasts it stays open.

    Returns `locked`, `free` or `fire`. Raises `DeviceFault`.
    """
    state = "fire" if latch_of(config).is_set else config.lane.safe_state
    asyncio.run(_release(config, state != "locked"))
    return state


async def _release(config: Config, on: bool) -> None:
    turnstile = device_of(config, "turnstile")
    try:
        await turnstile.open()
        await turnstile.release(on)
    finally:
        await turnstile.close()


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
        return run_stick_reader(load(arguments.config), arguments.what, arguments.path)
    return run_face_worker(load(arguments.config), arguments.fd)


if __name__ == "__main__":
    sys.exit(main())
