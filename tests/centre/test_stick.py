"""Sticks: what is mounted where, and a search that junk, pipes, links and crowds do not stop."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest

from kiosk.centre import stick
from kiosk.centre.bundle import accept
from kiosk.centre.bundle import manifest as m
from kiosk.centre.bundle.problems import BundleError
from kiosk.centre.mounts import MOST, Mount, mounts
from tests.centre.bundle.conftest import NOON, Office, office, row

__all__ = ["office"]

LINE = "{n} 1 8:{n} / {at} ro,noexec shared:1 - vfat /dev/sda1 ro\n"


def test_what_is_mounted_below_the_folders_is_a_stick(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    places = ["/", "/run/examgate-stick/sda1", "/media/root/KING\\040STON", "/media", "/proc",
              "/media/a/b/c", "/runner/examgate-stick/sdb1"]  # fmt: skip
    table.write_text("".join(LINE.format(n=n, at=at) for n, at in enumerate(places, 20)) + "odd\n")
    folders = (Path("/run/examgate-stick"), Path("/media"))
    found = mounts(folders, table)
    assert found == [
        Mount(21, Path("/run/examgate-stick/sda1")), Mount(22, Path("/media/root/KING STON"))]
    assert found[1].name == "KING STON"
    table.write_text("".join(LINE.format(n=n, at=f"/media/s{n}") for n in range(100)))
    assert len(mounts(folders, table)) == MOST
    again = LINE.format(n=7, at="/media/s") + LINE.format(n=9, at="/media/s")
    table.write_text(again)
    assert mounts(folders, table) == [Mount(9, Path("/media/s"))], "what lies on top is seen"


def test_this_machine_has_a_table_of_mounts() -> None:
    assert mounts((Path("/"),)), "/proc/self/mountinfo as the kernel writes it"


def looked(office: Office, folder: Path) -> list[dict[str, Any]]:
    def check(manifest: m.Manifest) -> None:
        m.check_use(manifest, venue="YT-01", now=NOON)

    def peek(path: Path) -> accept.Peeked:
        return accept.peeked(path, office.lane, office.key.public_key(), check)

    return list(stick.look(folder, peek))


def test_each_bundle_is_described_and_each_refusal_has_its_reason(office: Office) -> None:
    folder = office.folder / "stick"
    (folder / "2026" / "11").mkdir(parents=True)
    rows = [row(n, f"S{n % 2}") for n in range(1, 6)]
    office.make(rows, name="stick/Good.TAR.AGE", serial=9)
    office.make(rows, name="stick/2026/11/other.age", venue="YT-99")
    (folder / "junk.age").write_bytes(os.urandom(4000))
    (folder / "empty.age").write_bytes(b"")
    cut = office.make(rows, name="cut.age").read_bytes()
    (folder / "cut.age").write_bytes(cut[:300])
    found = looked(office, folder)
    assert found[-1] == {"end": {"cut": False}}
    (bundle,) = [said["bundle"] for said in found if "bundle" in said]
    assert (bundle["file"], bundle["serial"], bundle["candidates"]) == ("Good.TAR.AGE", 9, 5)
    assert bundle["sessions"] == [
        {"session_id": "S0", "candidates": 2}, {"session_id": "S1", "candidates": 3}]
    refused = {said["refused"]["file"]: said["refused"]["code"] for said in found[:-1]
               if "refused" in said}  # fmt: skip
    assert refused == {"junk.age": "not_a_bundle", "empty.age": "not_a_bundle",
                       "cut.age": "damaged", "other.age": "other_venue"}  # fmt: skip


def test_pipes_devices_and_links_are_not_opened(office: Office) -> None:
    folder = office.folder / "stick"
    folder.mkdir()
    good = office.make([row(1)], name="good.age")
    os.mkfifo(folder / "pipe.age")
    (folder / "link.age").symlink_to(good)
    (folder / "round").symlink_to(folder)
    (folder / "null.age").symlink_to("/dev/zero")
    assert looked(office, folder) == [{"end": {"cut": False}}]
    with pytest.raises(BundleError, match="not a regular file"):  # though somebody named it
        accept.peeked(folder / "pipe.age", office.lane, office.key.public_key(), lambda _: None)
    with pytest.raises(BundleError, match="not a regular file"):
        office.open(folder / "null.age")


def test_a_crowd_of_files_is_looked_at_in_part(office: Office, monkeypatch: Any) -> None:
    monkeypatch.setattr(stick, "MAX_ENTRIES", 500)
    folder = office.folder / "stick"
    folder.mkdir()
    for n in range(600):
        (folder / f"{n}.txt").touch()
    assert looked(office, folder) == [{"end": {"cut": True}}]
    crowd = office.folder / "crowd"
    crowd.mkdir()
    for n in range(40):
        (crowd / f"{n}.age").touch()
    assert len(looked(office, crowd)) == stick.MAX_FOUND + 1
    deep = office.folder / "deep" / "1" / "2" / "3"
    deep.mkdir(parents=True)
    office.make([row(1)], name="deep/1/2/3/far.age")
    assert looked(office, office.folder / "deep") == [{"end": {"cut": False}}]


def test_a_slow_stick_is_left_after_a_while(tmp_path: Path) -> None:
    for n in range(10):
        (tmp_path / f"{n}.age").touch()
    clock = itertools.count(0, 7)
    search = stick.Search(tmp_path, lambda: float(next(clock)))
    assert len(list(search)) < 10 and search.cut


def test_names_are_shown_without_tricks(office: Office) -> None:
    folder = office.folder / "stick"
    folder.mkdir()
    (folder / "a\u202eb\n\x1b[31m.age").touch()
    (folder / os.fsdecode(b"\xff\xfe.age")).touch()
    shown = [said["refused"]["file"] for said in looked(office, folder)[:-1]]
    assert all(name.isprintable() for name in shown)
    assert len(list(stick.Search(folder))) == 2, "and are found under the names they have"


def test_a_stick_that_is_gone_says_so(office: Office) -> None:
    (said,) = looked(office, office.folder / "nowhere")
    assert "cannot be read (No such file" in said["failed"][0]["en"]
