"""Enrolment at the counter, to the devices' bytes: what is written, a bundle is built from."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest
import yaml

from drivers.camera.virtual import VirtualCamera
from drivers.fingerprint.zfm.codec import Confirm
from drivers.fingerprint.zfm.virtual import VirtualZfm
from drivers.idcard.virtual import VirtualSamReader
from kiosk.centre import counter
from kiosk.centre.counter import CounterProblem, Entry, RosterFolder
from kiosk.centre.table import read_table
from kiosk.cli import enrol
from kiosk.cli.base import Exit
from kiosk.core import fingers
from kiosk.demo.people import WANG
from kiosk.demo.photos import PhotosMissing, photos_dir

BOOKING = ("--session", "KM1-0900", "--admission-no", "A0001", "--licence-class", "c1")
WHO = ("--number", WANG.number, "--name", WANG.name)


@pytest.fixture(scope="module")
def photos():
    try:
        return photos_dir()
    except PhotosMissing as missing:
        pytest.skip(f"photographs are not here: {missing}")


@pytest.fixture
def portrait(photos):
    return photos / WANG.roster_photo


@pytest.fixture
def reader(config):
    port = Path(config.devices.fingerprint.port)
    port.parent.mkdir(exist_ok=True)
    with VirtualZfm(port) as twin:
        yield twin


@pytest.fixture
def hand(reader, monkeypatch):
    """Does what the counter says; `laid`: the finger for each time one is to be laid on."""

    class Hand:
        laid: list[str] = []
        said: list[str] = []

    hand = Hand()
    hand.laid, hand.said = [], []

    def hears(self, code):
        hand.said.append(code)
        if code in ("lay", "again"):
            reader.put_finger(hand.laid.pop(0) if len(hand.laid) > 1 else hand.laid[0])
        elif code == "lift" or code in fingers_retries():
            reader.lift_finger()

    monkeypatch.setattr(enrol._Desk, "_ask", hears)
    return hand


def fingers_retries():
    return {"too_dry", "too_wet", "smeared", "too_few_features", "no_match", "same_finger"}


def table(folder):
    with (folder / counter.TABLE).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_fingers_names_are_the_rosters():
    assert tuple(enrol.FINGERS) == fingers.NAMES[1:]


def test_a_candidate_with_photograph_and_two_fingers(run, hand, portrait, tmp_path):
    hand.laid = ["w/ri", "w/ri", "w/li", "w/li"]
    folder = tmp_path / "1127"
    done = run("enrol", str(folder), *BOOKING, *WHO, "--photo", str(portrait))
    assert done.exit_code == Exit.OK, done.stderr
    (row,) = table(folder)
    assert (row["identity_number"], row["name"], row["licence_class"]) == (
        WANG.number, WANG.name, "C1")  # fmt: skip
    assert (row["fingers"], row["template_format"]) == ("right_index;left_index", "zfm")
    files = [folder / name for name in row["templates"].split(";")]
    assert [len(f.read_bytes()) for f in files] == [fingers.ZFM_BYTES] * 2
    assert (folder / row["photo"]).read_bytes() == portrait.read_bytes()
    lines, problems = read_table(folder / counter.TABLE)
    assert len(lines) == 1 and problems == [], "what a roster is read by"
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, "for its owner alone"
    assert WANG.number not in done.stdout + done.stderr


def test_what_is_enrolled_is_taken_in_as_a_roster(run, key, hand, portrait, tmp_path):
    hand.laid = ["w/ri"]
    folder = tmp_path / "1127"
    one = ("--photo", str(portrait), "--finger", "right_index")
    assert run("enrol", str(folder), *BOOKING, *WHO, *one).exit_code == Exit.OK
    done = run("roster", "import", str(folder))
    assert done.exit_code == Exit.OK, done.stdout + done.stderr


def test_a_finger_that_does_not_match_itself_is_taken_again(run, hand, reader, portrait, tmp_path):
    hand.laid = ["w/ri", "w/other", "w/ri", "w/ri"]
    one = ("--photo", str(portrait), "--finger", "right_index")
    assert run("enrol", str(tmp_path / "f"), *BOOKING, *WHO, *one).exit_code == Exit.OK
    assert hand.said.count("lay") == 2 and "no_match" in hand.said
    assert len(list((tmp_path / "f/templates").iterdir())) == 1


def test_the_same_finger_is_not_taken_for_another(run, hand, portrait, tmp_path):
    hand.laid = ["w/ri", "w/ri", "w/ri", "w/ri", "w/li", "w/li"]
    done = run("enrol", str(tmp_path / "f"), *BOOKING, *WHO, "--photo", str(portrait))
    assert done.exit_code == Exit.OK and "same_finger" in hand.said
    a, b = sorted((tmp_path / "f/templates").iterdir())
    assert a.read_bytes() != b.read_bytes()


def test_bad_images_are_told_and_do_not_end_it(run, hand, reader, portrait, tmp_path):
    hand.laid = ["w/ri"]
    reader.next_image(Confirm.TOO_DRY)
    one = ("--photo", str(portrait), "--finger", "right_index")
    done = run("enrol", str(tmp_path / "f"), *BOOKING, *WHO, *one)
    assert done.exit_code == Exit.OK and "too_dry" in hand.said


def test_nobody_comes_and_nothing_is_written(run, reader, portrait, tmp_path):
    folder = tmp_path / "f"
    done = run("enrol", str(folder), *BOOKING, *WHO, "--photo", str(portrait), "--seconds", "1")
    assert done.exit_code == Exit.DECLINED
    assert "no finger came in time" in done.stderr and "nothing was written" in done.stderr
    assert not folder.exists()


def test_number_and_name_from_the_card(run, config, portrait, tmp_path):
    port = Path(config.devices.id_card.port)
    port.parent.mkdir(exist_ok=True)
    with VirtualSamReader(port) as cards:
        cards.lay_card(WANG.card())
        more = ("--card", "--no-fingers", "--photo", str(portrait))
        done = run("enrol", str(tmp_path / "f"), *BOOKING, *more)
    assert done.exit_code == Exit.OK, done.stderr
    (row,) = table(tmp_path / "f")
    assert (row["identity_number"], row["name"], row["templates"]) == (WANG.number, WANG.name, "")


def test_photograph_from_the_camera(run, config_file, photos, tmp_path):
    with VirtualCamera() as camera:
        text = yaml.safe_load(config_file.read_text())
        text["devices"]["camera"] = {"driver": "opencv", "source": camera.url}
        config_file.write_text(yaml.safe_dump(text, allow_unicode=True))
        camera.empty()
        some = ("--no-fingers", "--seconds", "1.5")
        done = run("enrol", str(tmp_path / "no"), *BOOKING, *WHO, *some)
        assert done.exit_code == Exit.DECLINED and not (tmp_path / "no").exists()
        camera.person(photos / WANG.live_photo)
        done = run("enrol", str(tmp_path / "f"), *BOOKING, *WHO, "--no-fingers", "--seconds", "30")
    assert done.exit_code == Exit.OK, done.stderr
    (row,) = table(tmp_path / "f")
    assert (tmp_path / "f" / row["photo"]).read_bytes().startswith(b"\xff\xd8")


def test_a_photograph_of_nobody_is_refused(run, tmp_path):
    file = tmp_path / "p.jpg"
    file.write_bytes(b"\xff\xd8 no picture")
    done = run("enrol", str(tmp_path / "f"), *BOOKING, *WHO, "--no-fingers", "--photo", str(file))
    assert done.exit_code == Exit.DECLINED and not (tmp_path / "f").exists()
    assert "the picture cannot be read" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--number": "370602198001010000"}, "--number: "),
        ({"--licence-class": "Z9"}, "--licence-class: "),
        ({"--session": "KM1 0900"}, "--session: "),
        ({"--name": "王\u202e明"}, "--name: "),
        ({"--name": ""}, "--name: "),
        ({"--admission-no": "../../etc/passwd"}, "letters, digits, dot and dash"),
        ({"--admission-no": ".hidden"}, "letters, digits, dot and dash"),
    ],
    ids=str,
)
def test_what_is_wrong_with_the_words_is_said_before_anybody_is_asked(run, tmp_path, change, said):
    words = dict(zip(*[iter((*BOOKING, *WHO))] * 2, strict=True)) | change
    flat = [each for pair in words.items() for each in pair]
    done = run("enrol", str(tmp_path / "f"), *flat, "--no-fingers")
    assert done.exit_code == Exit.BAD_INPUT and said in done.stderr
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("extra", [(), ("--card", *WHO), ("--card", "--name", "x")], ids=str)
def test_card_or_words_and_not_both(run, tmp_path, extra):
    assert run("enrol", str(tmp_path / "f"), *BOOKING, *extra).exit_code == Exit.USAGE


def entry(number=WANG.number, admission="A0001", session="S1", photo=b"one"):
    fields = {"session_id": session, "admission_no": admission, "identity_number": number,
              "name": WANG.name, "licence_class": "C1"}  # fmt: skip
    return Entry(fields, photo, {"right_index": bytes(512)}, "zfm")


def test_twice_in_a_session_only_when_asked_to(tmp_path):
    folder = RosterFolder(tmp_path / "f")
    folder.add(entry())
    with pytest.raises(CounterProblem, match="there_already"):
        folder.add(entry(admission="A0002"))
    with pytest.raises(CounterProblem, match="admission_taken"):
        folder.add(entry(number="37060219610804301X"), replace=True)
    folder.add(entry(photo=b"two"), replace=True)
    folder.add(entry(session="S2"))
    again = RosterFolder(tmp_path / "f")
    assert len(again) == 2
    assert (tmp_path / "f/photos/A0001.jpg").read_bytes() == b"one", "of the other session"


def test_a_table_of_another_make_is_left_alone(tmp_path):
    (tmp_path / counter.TABLE).write_text("name,photo\nx,y\n")
    with pytest.raises(CounterProblem, match="other_table"):
        RosterFolder(tmp_path)
    assert (tmp_path / counter.TABLE).read_text() == "name,photo\nx,y\n"


def test_a_power_cut_leaves_the_old_roster_or_the_new(tmp_path, monkeypatch):
    folder = RosterFolder(tmp_path / "f")
    folder.add(entry())
    before = (tmp_path / "f" / counter.TABLE).read_bytes()
    real, left = os.fsync, [0]

    def cut(handle):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("cut")
        real(handle)

    for n in range(12):
        monkeypatch.setattr(os, "fsync", cut)
        left[0] = n
        try:
            more = entry(number="37060219610804301X", admission="A0002")
            RosterFolder(tmp_path / "f").add(more, replace=True)
        except OSError:
            # photograph, template and table, each and then its folder
            assert ((tmp_path / "f" / counter.TABLE).read_bytes() == before) is (n < 5)
        else:
            break
        finally:
            monkeypatch.setattr(os, "fsync", real)
        RosterFolder(tmp_path / "f")
    assert len(RosterFolder(tmp_path / "f")) == 2
