"""Malformed bundles and messages, many of them: nothing crashes, hangs or is half applied.

    python bench/bench_fuzz.py [--bundles N] [--messages N]

Bundles: a good one's tar, damaged in one to four places (bytes, blocks cut, doubled, zeroed,
exchanged, the end, names, sizes), sealed again, or the sealed file itself. Messages: each method
of the office with parameters that are nearly right, wrong in kind, huge or missing, on a real
store. What is accepted must be the unharmed content; after every tenth of the messages the
journal is recomputed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import app
from kiosk.centre.bundle.problems import BundleError
from kiosk.config import load
from kiosk.office import Office as TheOffice
from kiosk.wire import RpcError
from tests.centre.bundle.conftest import Office, row

SLOWEST_S = 2.0  #: longer than this is told


def damaged(tar: bytes, chance: random.Random) -> bytes:
    found = bytearray(tar)
    for _ in range(chance.randint(1, 4)):
        blocks = len(found) // 512
        if blocks < 2:
            break
        at = chance.randrange(blocks) * 512
        match chance.choice(["byte", "header", "cut", "double", "zero", "end", "swap"]):
            case "byte":
                found[chance.randrange(len(found))] ^= chance.randint(1, 255)
            case "header":  # a name, a size, a kind: the first 160 bytes of a block
                found[at + chance.randrange(160)] = chance.randrange(256)
            case "cut":
                del found[at : at + 512]
            case "double":
                found[at:at] = found[at : at + 512]
            case "zero":
                found[at : at + 512] = bytes(512)
            case "end":
                del found[at + chance.randrange(512) :]
            case "swap":
                other = chance.randrange(blocks) * 512
                one, two = found[at : at + 512], found[other : other + 512]
                found[at : at + 512], found[other : other + 512] = two, one
    return bytes(found)


def bundles(many: int, chance: random.Random) -> None:
    ended: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        office = Office(Path(name), Ed25519PrivateKey.generate(),
                        pyrage.x25519.Identity.generate())  # fmt: skip
        good = office.make([row(n) for n in range(1, 4)])
        tar, sealed = office.plain(good), good.read_bytes()
        whole = office.open(good)[1]
        for _ in range(many):
            if chance.random() < 0.2:
                path = office.folder / "bent.tar.age"
                path.write_bytes(damaged(sealed, chance))
            else:
                path = office.sealed(damaged(tar, chance))
            begun = time.perf_counter()
            try:
                files = office.open(path)[1]
            except BundleError as error:
                ended[error.code] += 1
            else:
                assert files == whole, "something else was accepted"
                ended["unharmed"] += 1
            slowest = max(slowest, time.perf_counter() - begun)
            assert not list(office.folder.glob("examgate-*")), "something was left"
    told = ", ".join(f"{code} {n}" for code, n in ended.most_common())
    print(f"{many} bundles: {told}; slowest {1000 * slowest:.0f} ms")


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**63, 2**80, 1.5, float("nan"), "", "S1", "x" * 100_000, "\0", "\ud800",
    "王小明", "2026-11-27T09:00", "370602198001010019", [], {}, [[]], [None] * 300, ["001"],
    {"a": {"b": []}}, "AAAA", "not base64!", b"bytes",
)  # fmt: skip


def parameters(office: TheOffice, method: str, chance: random.Random) -> dict[str, Any]:
    fields = list(office._methods[method][0].model_fields)
    found = {name: chance.choice(ODD) for name in fields if chance.random() < 0.85}
    if chance.random() < 0.1:
        found["more"] = chance.choice(ODD)
    if "person" in found and chance.random() < 0.8:
        found["person"] = "fuzz"
    if "lang" in found and chance.random() < 0.8:
        found["lang"] = "zh"
    if "session_id" in found and chance.random() < 0.6:
        found["session_id"] = "S1"
    return found


def messages(many: int, chance: random.Random) -> None:
    ended: Counter[str] = Counter()
    slowest, which = 0.0, ""
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as name:
        text = (root / "config.yaml").read_text()
        for there, here in (("/var/lib/examgate", "data"), ("/run/examgate", "run"),
                            ("/etc/examgate/lane.key", "lane.key")):  # fmt: skip
            text = text.replace(there, f"{name}/{here}")
        file = Path(name) / "config.yaml"
        file.write_text(text)
        config = load(file)
        app.make_key(config)
        with app.offline(config) as office:
            office.call("session.create", {
                "session_id": "S1", "subject": "x", "starts_at": "2026-11-27T09:00+08:00",
                "terminals": [f"{n:03}" for n in range(10)], "person": "fuzz",
            })  # fmt: skip
            for n in range(many):
                method = chance.choice(office.methods)
                begun = time.perf_counter()
                try:
                    office.call(method, parameters(office, method, chance))
                    ended["answered"] += 1
                except RpcError as error:
                    ended["declined" if error.data else "not understood"] += 1
                took = time.perf_counter() - begun
                if took > slowest:
                    slowest, which = took, method
                if n % max(1, many // 10) == 0:
                    assert office.call("journal.verify", {})["problems"] == []
            entries = office.call("journal.verify", {})
            assert entries["problems"] == []
    told = ", ".join(f"{kind} {n}" for kind, n in ended.most_common())
    print(f"{many} messages: {told}; {entries['entries']} journal entries, all right; slowest "
          f"{1000 * slowest:.0f} ms ({which})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundles", type=int, default=2_000)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bundles(options.bundles, random.Random(options.seed))
    messages(options.messages, random.Random(options.seed))


if __name__ == "__main__":
    main()
