"""Malformed bundles and messages, many of them: nothing crashes, hangs or is half applied.

    python bench/bench_fuzz.py [--bundles N] [--messages N] [--socket N]

Bundles: a good one's tar, damaged in one to four places (bytes, blocks cut, doubled, zeroed,
exchanged, the end, names, sizes), sealed again, or the sealed file itself. Messages: each method
of the office with parameters that are nearly right, wrong in kind, huge or missing, on a real
store. What is accepted must be the unharmed content; after every tenth of the messages the
journal is recomputed.

`--socket`: as many messages and broken lines to a running daemon's socket, three quarters of them
one peer at a time, each answer held against what was written meanwhile, the rest eight peers at
once; meanwhile somebody else asks for the lane's state. As root the peers are other users.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import app, wire
from kiosk.centre.bundle.problems import BundleError
from kiosk.config import load
from kiosk.demo.people import CHEN, LI, WANG, write_roster
from kiosk.demo.photos import photos_dir
from kiosk.demo.venue import STAFF, Venue, VenueOptions, soon
from kiosk.office import Office as TheOffice
from kiosk.wire import RpcError
from tests.centre.bundle.conftest import Office, row
from tests.e2e.hostile import PEERS, Record, Stranger, turn

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


# --- a daemon that runs -------------------------------------------------------------------------

AT_ONCE = 8  #: peers that send at the same time
TURNS = 60  #: what one does before the next one's turn


def memory_mb(pid: int) -> float:
    """Resident, of one process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


class Bystander:
    """Asks for the lane's state all the while, as a screen does, and counts how long it takes."""

    def __init__(self, socket: Path, pid: int) -> None:
        self.slowest, self.asked, self.most_mb = 0.0, 0, 0.0
        self._socket, self._pid, self._over = socket, pid, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.problem: Exception | None = None

    def __enter__(self) -> Bystander:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with wire.Client(self._socket, 60.0) as client:
                while not self._over.wait(0.05):
                    begun = time.perf_counter()
                    client.call("lane.state")
                    self.slowest = max(self.slowest, time.perf_counter() - begun)
                    self.asked += 1
                    self.most_mb = max(self.most_mb, memory_mb(self._pid))
        except Exception as error:  # told by the one who waits
            self.problem = error


@contextlib.contextmanager
def lane() -> Iterator[Venue]:
    """A lane with people who may log in and a session that is open."""
    with tempfile.TemporaryDirectory() as name, Venue(Path(name), VenueOptions()) as venue:
        everybody = {"S1": [WANG, LI], "S2": [CHEN]}
        roster = write_roster(venue.folder / "roster", photos_dir(), everybody)
        venue.prepare(roster, [("S1", soon(25), 5), ("S2", soon(60), 5)])
        venue.prepare_staff()
        venue.start_daemon()
        venue.call("session.open", {"session_id": "S1", "person": "fuzz"})
        try:
            yield venue
        except BaseException:
            traceback.print_exc()  # whatever else goes wrong when all this ends
            print((venue.logs / "daemon.log").read_text()[-20_000:], file=sys.stderr)
            raise


def one_after_another(
    many: int, venue: Venue, pins: dict[str, tuple[str, str]], chance: random.Random
) -> Counter[str]:
    ended: Counter[str] = Counter()
    record = Record(venue.folder / "data")
    while many > 0:
        many -= shift(venue, record, pins, chance, ended)
    record.close()
    return ended


def shift(
    venue: Venue,
    record: Record | None,
    pins: dict[str, tuple[str, str]],
    chance: random.Random,
    ended: Counter[str],
) -> int:
    """One peer comes, does this and that, and goes. Returns how many messages it sent."""
    peer = Stranger(venue.socket, record, pins, chance.choice(PEERS))
    sent = sum(turn(peer, chance) for _ in range(TURNS))
    peer.close()
    ended.update(peer.ended)
    return sent


def at_once(
    many: int, venue: Venue, pins: dict[str, tuple[str, str]], seed: int
) -> Counter[str]:
    ended = [Counter[str]() for _ in range(AT_ONCE)]
    broken: list[BaseException] = []

    def one(number: int) -> None:
        chance, left = random.Random(f"{seed} {number}"), many // AT_ONCE
        try:
            while left > 0:
                left -= shift(venue, None, pins, chance, ended[number])
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return sum(ended, Counter())


def socket_messages(many: int, seed: int) -> None:
    pins = {role: (no, pin) for no, _, role, pin in STAFF if role in ("chief", "technician")}
    with lane() as venue:
        pid, begun = int(venue.call("lane.info")["pid"]), time.perf_counter()
        first_mb = memory_mb(pid)
        with Bystander(venue.socket, pid) as bystander:
            alone = many * 3 // 4
            ended = one_after_another(alone, venue, pins, random.Random(seed))
            ended += at_once(many - alone, venue, pins, seed)
        if bystander.problem is not None:
            raise bystander.problem
        took, last_mb = time.perf_counter() - begun, memory_mb(pid)
        assert int(venue.call("lane.info")["pid"]) == pid, "the daemon was started anew"
        verified = venue.call("journal.verify")
        assert verified["problems"] == []
        intents = [e for e in venue.journal() if e["kind"] == "gate_intent"]
        assert venue.stop("daemon") == 0
        log = (venue.logs / "daemon.log").read_text()
        assert '"critical"' not in log, log[-5000:]
        asked = [e for e in json.loads(venue.command("journal", "list", "--json", "--limit", "10000"
                 ).stdout)["entries"] if e["kind"] == "device_tried"]  # fmt: skip
        assert venue.turnstile.pulses <= len(intents) + len(asked)
    told = ", ".join(f"{kind} {n}" for kind, n in ended.most_common())
    print(f"{sum(ended.values())} messages to a daemon's socket in {took:.0f} s: {told}")
    print(f"{verified['entries']} journal entries, all right; memory {first_mb:.0f} MB before, "
          f"at most {bystander.most_mb:.0f}, {last_mb:.0f} after")  # fmt: skip
    print(f"the state asked for {bystander.asked} times meanwhile, slowest "
          f"{1000 * bystander.slowest:.0f} ms")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundles", type=int, default=2_000)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--socket", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.bundles:
        bundles(options.bundles, random.Random(options.seed))
    if options.messages:
        messages(options.messages, random.Random(options.seed))
    if options.socket:
        socket_messages(options.socket, options.seed)


if __name__ == "__main__":
    main()
