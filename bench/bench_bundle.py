"""A roster bundle of 5,000 candidates: build, open and check, import, replace.

The peer, in the same run: the bare work of the libraries (one SHA-256 and one age encryption of
the same bytes), which no bundle can do without.

    python bench/bench_bundle.py [--candidates N] [--photo-kb K]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import resource
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import given
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.centre.bundle import accept
from kiosk.centre.bundle.build import Label, write_bundle
from kiosk.centre.roster_file import prepare
from kiosk.clock import SystemClock
from kiosk.core.idnumber import check_character
from kiosk.store import RosterRow, Store
from kiosk.store.roster import BundleMark
from kiosk.store.vault import make_key_file

SESSIONS = 10
TEMPLATES = 2


def row(n: int, photo_bytes: int) -> dict[str, Any]:
    first17 = f"370602{19400101 + n // 900 * 10000}{n % 900 + 1:03}"
    return {
        "session_id": f"S{n % SESSIONS}",
        "admission_no": f"A{n:06}",
        "identity_number": first17 + check_character(first17),
        "name": f"考生{n}",
        "licence_class": "C1",
        "driving_school": "",
        "accessible": False,
        "photo": b"\xff\xd8\xff" + secrets.token_bytes(photo_bytes - 3),
        "templates": [secrets.token_bytes(512) for _ in range(TEMPLATES)],
        "embedding": [float(x) / 255 for x in secrets.token_bytes(256)],
        "encoder": "dlib+sface-v1",
    }


def timed(what: str, work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    result = work()
    took = time.perf_counter() - begun
    print(f"{what:<46}{took:8.2f} s")
    return result, took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=given.whole(1), default=5000)
    parser.add_argument("--photo-kb", type=given.whole(1), default=54)
    options = parser.parse_args()
    rows = [row(n, options.photo_kb * 1000) for n in range(options.candidates)]
    key, lane = Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate()
    now = datetime.now(UTC)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "b.tar.age"

        def label(serial: int) -> Label:
            return Label("YT-01", serial, now, now, now + timedelta(days=1))

        _, build = timed(
            f"build, {len(rows)} candidates",
            lambda: write_bundle(path, rows, label(1), key, [lane.to_public()]),
        )
        print(f"{'  size':<46}{path.stat().st_size / 1e6:8.0f} MB")

        def verify() -> Any:
            with accept.opened(path, lane, key.public_key(), lambda m: None) as bundle:
                known = accept.embeddings(bundle)
                return bundle.manifest, prepare(
                    bundle.folder,
                    enrol_many=accept.enrolled_from(known),
                    same_face_max_distance=None,
                )

        (manifest, prepared), opening = timed("open, verify, check every row", verify)
        assert not prepared.problems, prepared.problems[:3]

        plain = secrets.token_bytes(manifest.size)
        _, bare = timed(
            "peer: bare SHA-256 and age of as many bytes",
            lambda: (
                hashlib.sha256(plain).digest(),
                pyrage.encrypt_io(io.BytesIO(plain), io.BytesIO(), [lane.to_public()]),
            ),
        )
        make_key_file(folder / "lane.key")
        store = Store.open(folder / "data", folder / "lane.key", SystemClock())
        names = tuple(session.session_id for session in manifest.sessions)

        def stored(found: list[dict[str, Any]], serial: int) -> Any:
            taken = [
                RosterRow(**r | {"templates": tuple(r["templates"]),
                                 "embedding": tuple(r["embedding"])})
                for r in found
            ]  # fmt: skip
            mark = BundleMark(serial, f"{serial:064x}", now, names)
            return store.apply_roster(taken, "bench", "bench", mark)

        timed("import, encrypted, one transaction", lambda: stored(prepared.rows, 1))
        fewer = prepared.rows[len(rows) // 10 :]
        done, _ = timed("replace: a tenth cancelled", lambda: stored(fewer, 2))
        print(f"{'  cancelled, unchanged':<46}{len(done.changes):8} {done.unchanged}")
        store.close()
        print(f"{'build / bare':<46}{build / bare:8.1f}")
        print(f"{'open / bare':<46}{opening / bare:8.1f}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{'peak memory, rows held by this bench included':<46}{peak:8.0f} MB")


if __name__ == "__main__":
    main()
