"""The lane's keys as systemd hands them to a service: a folder of its own, an access list.

A real daemon process starts with such a folder. What only a running systemd does is not tried.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from drivers.camera.virtual import VirtualCamera
from kiosk import app, credentials
from kiosk.centre.bundle.problems import BundleError
from kiosk.centre.bundle.seal import make_identity, read_identity
from kiosk.clock import SystemClock
from kiosk.config import load
from kiosk.demo.venue import Venue, VenueOptions
from kiosk.store import Store
from kiosk.store.errors import KeyFileProblem, StoreError
from kiosk.store.vault import make_key_file, read_key_file

KEYS = ("lane.key", "lane-sign.key", "lane-age.key")
SECRET = Path("/var/lib/systemd/credential.secret")


def hand_over(keys: Path, folder: Path, mode: int = 0o400) -> Path:
    """As systemd does for a unit with `User=`: a folder that nobody writes to."""
    folder.mkdir()
    for name in KEYS:
        shutil.copy(keys / name, folder / name)
        (folder / name).chmod(mode)
    folder.chmod(0o500)
    return folder


def make_keys(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in KEYS[:2]:
        make_key_file(folder / name)
    make_identity(folder / KEYS[2])
    return folder


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = hand_over(make_keys(tmp_path / "keys"), tmp_path / "credentials")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def grant(file: Path, *entries: tuple[int, int, int]) -> None:
    """An access list: tag, permissions and id of each entry (acl(5))."""
    data = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", data)
    except OSError:
        pytest.skip("no access lists on this file system")


NO_ID = 0xFFFFFFFF
OWNER, MASK, OTHER, GROUP = (1, 4, NO_ID), (16, 4, NO_ID), (32, 0, NO_ID), (4, 0, NO_ID)


def test_an_access_list_that_names_us_alone_is_systemds_own(given: Path) -> None:
    me, somebody = (2, 4, os.geteuid()), (2, 4, 4711)
    file, age = given / KEYS[0], given / KEYS[2]
    for one in (file, age):
        grant(one, OWNER, me, GROUP, MASK, OTHER)
    assert file.stat().st_mode & 0o777 == 0o440, "what looks like a group is the mask"
    assert len(read_key_file(file)) == 32
    read_identity(age)
    a_group, the_group = (8, 4, 4711), (4, 4, NO_ID)
    for wrong in ([OWNER, me, somebody, GROUP, MASK, OTHER], [OWNER, me, the_group, MASK, OTHER],
                  [OWNER, me, GROUP, a_group, MASK, OTHER], [OWNER, somebody, GROUP, MASK, OTHER]):
        grant(file, *wrong)
        grant(age, *wrong)
        with pytest.raises(KeyFileProblem, match="others than root"):
            read_key_file(file)
        with pytest.raises(BundleError):
            read_identity(age)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o444, 0o420, 0o600])
def test_plain_bits_for_others_are_refused(given: Path, mode: int) -> None:
    (given / KEYS[0]).chmod(mode)
    if mode == 0o600:
        assert read_key_file(given / KEYS[0])
        return
    with pytest.raises(KeyFileProblem, match="others than root"):
        read_key_file(given / KEYS[0])


def configured(tmp_path: Path) -> Path:
    text = (Path(__file__).parents[1] / "config.yaml").read_text()
    for there, here in (("/var/lib/examgate", "data"), ("/etc/examgate/lane.key", "etc/lane.key")):
        text = text.replace(there, f"{tmp_path}/{here}")
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return file


def test_a_credential_takes_the_files_place_and_is_never_written(
    given: Path, tmp_path: Path
) -> None:
    file = configured(tmp_path)
    make_keys(tmp_path / "etc")
    config = load(file)
    assert config.paths.key_file == given / "lane.key"
    store = Store.open(config.paths.data, config.paths.key_file, SystemClock())
    before = {name: (given / name).read_bytes() for name in KEYS}
    with pytest.raises(StoreError, match="make files of the keys, rotate"):
        store.rotate_key(config.paths.key_file, "test")
    store.close()
    with pytest.raises(StoreError):
        app.make_key(config)
    assert {f.name: f.read_bytes() for f in given.iterdir()} == before


def test_all_keys_are_credentials_or_none(given: Path, tmp_path: Path) -> None:
    given.chmod(0o700)
    (given / KEYS[1]).unlink()
    config = load(configured(tmp_path))
    with pytest.raises(KeyFileProblem, match=r"lane-sign\.key is a systemd credential"):
        Store.open(config.paths.data, config.paths.key_file, SystemClock())
    (given / KEYS[0]).unlink()
    assert load(tmp_path / "config.yaml").paths.key_file == tmp_path / "etc/lane.key"


def test_a_command_that_was_not_given_the_keys_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = tmp_path / "units"
    units.mkdir()
    shutil.copy(Path(__file__).parents[1] / "systemd/examgate-credentials.conf", units)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    config = load(configured(tmp_path))
    copies = make_keys(tmp_path / "copies")
    monkeypatch.setattr(credentials, "DROP_INS", units)
    with pytest.raises(KeyFileProblem, match=r"with-credentials\.sh"):
        read_key_file(config.paths.key_file)
    with pytest.raises(KeyFileProblem, match="cannot be written"):
        app.make_key(config)
    assert not config.paths.key_file.exists()
    shutil.copytree(copies, tmp_path / "etc")
    assert read_key_file(config.paths.key_file), "as files again, to be rotated"


def test_a_lane_runs_with_credentials_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real daemon and real commands, no key beside the configuration."""
    keys = make_keys(tmp_path / "keys")
    camera = VirtualCamera()
    try:
        with Venue(tmp_path / "venue", VenueOptions(camera=camera)) as venue:
            folder = hand_over(keys, tmp_path / "credentials")
            monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
            assert str(folder) in venue.command("doctor", "--json", check=False).stdout
            venue.start("daemon", "daemon")
            venue.wait(lambda: venue.call("journal.head"), "the daemon")
            venue.stop("daemon")
            refused = venue.command("--lang", "zh", "key", "rotate", check=False)
            assert refused.returncode == 1 and "不能就地更换" in refused.stderr
            refused = venue.command("--lang", "en", "doctor", "--make-key", check=False)
            assert refused.returncode == 1 and "are not made here" in refused.stderr
            assert not list(venue.folder.glob("*.key"))
            assert venue.command("key", "recipient").stdout.startswith("age1")
            # back to files, as docs/operations.md has it for a rotation
            monkeypatch.delenv("CREDENTIALS_DIRECTORY")
            for name in KEYS:
                shutil.copy(keys / name, venue.folder / name)
                (venue.folder / name).chmod(0o600)
            venue.command("key", "rotate")
            assert (venue.folder / "lane.key").read_text() != (keys / "lane.key").read_text()
    finally:
        camera.close()


@pytest.mark.skipif(
    shutil.which("systemd-creds") is None or os.geteuid() != 0 or not SECRET.exists(),
    reason="systemd-creds with the host's secret, which only root reads",
)
def test_the_documented_encryption_gives_the_same_keys_back(tmp_path: Path) -> None:
    keys = make_keys(tmp_path / "keys")
    for name in KEYS:
        sealed = tmp_path / f"examgate-{name}"
        whole = ["systemd-creds", "encrypt", "--with-key=host", f"--name={name}"]
        subprocess.run([*whole, str(keys / name), str(sealed)], check=True, capture_output=True)
        back = ["systemd-creds", "decrypt", f"--name={name}", str(sealed), "-"]
        found = subprocess.run(back, check=True, capture_output=True).stdout
        assert found == (keys / name).read_bytes()
