"""The composition root's part for the centre: rosters and bundles in, the record out, joined as the
configuration says. Imports of what is heavy are inside the functions, as in kiosk.app.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kiosk.app import age_key_file, open_store, same_person_distance
from kiosk.clock import SystemClock
from kiosk.config import Config

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from pyrage.x25519 import Identity as X25519Identity

    from kiosk.centre.bundle.accept import Opened, Peeked
    from kiosk.centre.bundle.manifest import Manifest
    from kiosk.centre.download import Access, Fetcher
    from kiosk.centre.reembed import Reembedded
    from kiosk.centre.roster_file import Prepared
    from kiosk.centre.upload import Uploader
    from kiosk.store import Store

#: Processes that embed roster photographs; each needs some 200 MB.
MOST_EMBEDDERS = 4
NICENESS = 10  #: of a process that reads a stick beside the lane


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
    from kiosk.face.models import WrongModel

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
    except (BundleError, WrongModel) as error:
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


def uploader_or_none(config: Config, store: Store) -> Uploader | None:
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
        before = store.outbox_size()[0]
        while uploader is not None and asyncio.run(uploader.once()) == 0:
            pass  # until only that waits which the centre does not answer
        left = store.outbox_size()[0]
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
