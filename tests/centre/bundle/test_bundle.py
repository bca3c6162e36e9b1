"""Bundles: what went in comes out, in standard forms; whatever was bent is refused, named."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from datetime import timedelta

import pyrage
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.centre.bundle import accept, seal
from kiosk.centre.bundle import manifest as m
from kiosk.centre.bundle.archive import Reader, Writer
from kiosk.centre.bundle.problems import TEXTS, BundleError
from kiosk.centre.table import read_table
from tests.centre.bundle.conftest import NOON, Office, members, row, tar_of

ROWS = [row(n, "S1" if n < 4 else "S2") for n in range(1, 7)]


def refused(office: Office, path, **more) -> str:
    with pytest.raises(BundleError) as error:
        office.open(path, **more)
    assert list(office.folder.glob("examgate-*")) == [], "nothing is left in memory"
    return error.value.code


def test_what_went_in_comes_out(office):
    manifest, files, known = office.open(office.make(ROWS))
    assert {s.session_id: s.candidates for s in manifest.sessions} == {"S1": 3, "S2": 3}
    assert len(known) == 6
    (office.folder / "t.csv").write_bytes(files["candidates.csv"])
    lines, problems = read_table(office.folder / "t.csv")
    assert not problems
    for line, whole in zip(lines, ROWS, strict=True):
        assert line.fields["identity_number"] == whole["identity_number"]
        assert files[line.fields["photo"]] == whole["photo"]
        names = [n for n in line.fields["templates"].split(";") if n]
        assert [files[name] for name in names] == whole["templates"]
    embedded = accept.enrolled_from(known)([r["photo"] for r in ROWS], 1, lambda done: None)
    assert [e.embedding for e in embedded] == [pytest.approx(r["embedding"]) for r in ROWS]


@pytest.mark.parametrize("blocks", range(44))
def test_every_length_has_an_end(blocks):
    """A tar is filled up to whole records of 20 blocks: the end is 2 to 21 of them."""
    out = io.BytesIO()
    tar = Writer(out)
    tar.add("x", b"x" * 512 * blocks)
    tar.close()
    reader = Reader(io.BytesIO(out.getvalue()))
    assert len(reader.small("x", 10**6)) == 512 * blocks
    reader.end()


def test_equal_rosters_are_equal_bytes_inside(office):
    one, other = office.make(ROWS, "1.age"), office.make(ROWS, "2.age")
    assert office.plain(one) == office.plain(other)


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_ordinary_tools_check_it(office):
    """openssl for the signature, tar and sha256sum for the rest."""
    (office.folder / "plain.tar").write_bytes(office.plain(office.make(ROWS)))
    (office.folder / "centre.pub").write_bytes(office.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ))  # fmt: skip
    subprocess.run(["tar", "-xf", "plain.tar"], cwd=office.folder, check=True)
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "centre.pub", "-rawin", "-in",
         "manifest.json", "-sigfile", "manifest.json.sig"],
        cwd=office.folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    listed = json.loads((office.folder / "manifest.json").read_text())["parts"]
    sums = "".join(f"{p['sha256']}  {p['name']}\n" for p in listed)
    subprocess.run(["sha256sum", "-c", "--quiet"], input=sums, text=True, cwd=office.folder,
                   check=True)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"venue": "YT-02"}, "other_venue"),
        ({"now": NOON + timedelta(hours=12, minutes=11)}, "expired"),
        ({"now": NOON - timedelta(hours=1, minutes=11)}, "not_yet_valid"),
    ],
)
def test_another_place_or_time(office, change, code):
    assert refused(office, office.make(ROWS), **change) == code


def test_clocks_may_differ_a_little(office):
    office.open(office.make(ROWS), now=NOON + timedelta(hours=12, minutes=9))
    office.open(office.make(ROWS), now=NOON - timedelta(hours=1, minutes=9))


def test_for_another_lane_or_no_bundle_at_all(office):
    path = office.make(ROWS)
    office.lane = pyrage.x25519.Identity.generate()
    assert refused(office, path) == "other_recipient"
    path.write_bytes(b"PK\x03\x04 a spreadsheet")
    assert refused(office, path) == "not_a_bundle"
    path.write_bytes(b"")
    assert refused(office, path) == "not_a_bundle"
    assert refused(office, office.folder / "none") == "unreadable"


def test_what_begins_as_a_bundle_and_is_none_is_told_in_one_line(office):
    path = office.folder / "no.age"
    path.write_bytes(b"age-encryption.org/v1\n" + bytes(range(256)) * 8)
    with pytest.raises(BundleError) as error:
        office.open(path)
    said = error.value.sentence("en")
    assert error.value.code == "damaged" and "\n" not in said and "upgrading" not in said


def test_every_cut_is_told(office):
    path = office.make(ROWS)
    whole = path.read_bytes()
    for size in {*range(0, len(whole), 997), len(whole) - 1, 30, 200}:
        path.write_bytes(whole[:size])
        assert refused(office, path) in ("damaged", "not_a_bundle")


def test_every_flipped_byte_is_told(office):
    path = office.make(ROWS)
    whole = path.read_bytes()
    for at in range(0, len(whole), 1499):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert refused(office, path) in ("damaged", "not_a_bundle", "other_recipient")


def test_somebody_elses_signature(office):
    path = office.make(ROWS)
    office.key = Ed25519PrivateKey.generate()
    assert refused(office, path) == "bad_signature"


BENT = {
    "a part changed": lambda f: [*f[:-1], (f[-1][0], f[-1][1][:-1] + b"x")],
    "a part longer": lambda f: [*f[:-1], (f[-1][0], f[-1][1] + b"x")],
    "a part missing": lambda f: f[:-1],
    "a part too many": lambda f: [*f, ("photos/000099.jpg", b"x")],
    "two parts exchanged": lambda f: [*f[:-2], f[-1], f[-2]],
    "a part twice": lambda f: [*f, f[-1]],
    "out of the folder": lambda f: [*f[:-1], ("../../etc/cron.d/x", f[-1][1])],
    "an absolute name": lambda f: [*f[:-1], ("/etc/passwd", f[-1][1])],
    "no signature": lambda f: [f[0], *f[2:]],
    "manifest changed": lambda f: [(f[0][0], f[0][1].replace(b"YT-01", b"YT-02")), *f[1:]],
    "manifest too big": lambda f: [(f[0][0], b" " * (m.MAX_MANIFEST_BYTES + 1)), *f[1:]],
    "nothing": lambda f: [],
}


@pytest.mark.parametrize("how", BENT)
def test_the_inside_is_what_was_signed(office, how):
    found = members(office.plain(office.make(ROWS)))
    code = refused(office, office.sealed(tar_of(BENT[how](found))))
    assert code in ("hash", "member", "damaged", "bad_signature", "too_big"), code


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_not_taken(office, kind):
    def bend(info):
        if info.name.startswith("photos/"):
            info.type, info.linkname = kind, "/etc/passwd"

    found = members(office.plain(office.make(ROWS)))
    assert refused(office, office.sealed(tar_of(found, bend))) == "member"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_name_headers_are_not_interpreted(office, form):
    found = members(office.plain(office.make(ROWS)))
    found[-1] = ("photos/" + "0" * 300 + ".jpg", found[-1][1])
    assert refused(office, office.sealed(tar_of(found, form=form))) in ("member", "damaged")


def signed(office, change) -> str:
    """A manifest that the centre's own key has signed although it is wrong."""
    found = members(office.plain(office.make(ROWS)))
    body = json.loads(found[0][1])
    change(body)
    raw = json.dumps(body).encode()
    tar = tar_of([(m.MANIFEST, raw), (m.SIGNATURE, office.key.sign(raw)), *found[2:]])
    return refused(office, office.sealed(tar))


def no_zone(b):
    b["valid_until"] = "2026-11-27T12:00:00"


SIGNED_WRONG = {
    "format": lambda b: b.update(format="examgate-bundle/2"),
    "unknown field": lambda b: b.update(more=1),
    "serial text": lambda b: b.update(serial="7"),
    "serial zero": lambda b: b.update(serial=0),
    "no zone": no_zone,
    "valid backwards": lambda b: b.update(valid_until=b["valid_from"]),
    "traversal": lambda b: b["parts"][-1].update(name="../x.dat"),
    "name twice": lambda b: b["parts"].append(b["parts"][-1]),
    "huge part": lambda b: b["parts"][-1].update(size=m.MAX_PART_BYTES + 1),
    "negative part": lambda b: b["parts"][-1].update(size=-1),
    "no table": lambda b: b["parts"].pop(0),
    "counts": lambda b: b.update(photos=5),
    "encoder alone": lambda b: b.update(encoder=None),
    "session twice": lambda b: b["sessions"].append(b["sessions"][0]),
}


@pytest.mark.parametrize("how", SIGNED_WRONG)
def test_a_manifest_is_bounded_even_when_it_is_signed(office, how):
    assert signed(office, SIGNED_WRONG[how]) == "format"


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_bent_archive_does_more_than_be_refused(tmp_path_factory, data):
    """Structured damage of the plain tar: bytes changed, blocks cut, moved, doubled."""
    office = _fuzzed(tmp_path_factory)
    tar = bytearray(office.tar)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(tar) // 512 - 1)) * 512
        match data.draw(st.sampled_from(["byte", "cut", "double", "end", "zero"])):
            case "byte":
                tar[at + data.draw(st.integers(0, 511))] ^= data.draw(st.integers(1, 255))
            case "cut":
                del tar[at : at + 512]
            case "double":
                tar[at:at] = tar[at : at + 512]
            case "end":
                del tar[at + data.draw(st.integers(0, 511)) :]
            case "zero":
                tar[at : at + 512] = bytes(512)
        if len(tar) < 1024:
            break
    path = office.sealed(bytes(tar))
    try:
        _, files, _ = office.open(path)
    except BundleError as error:
        assert error.code in TEXTS and error.sentence("zh") and error.sentence("en")
    else:
        assert files == office.files, "only what does not matter was changed"
    assert list(office.folder.glob("examgate-*")) == []


def _fuzzed(factory, made: list = []):  # noqa: B006
    if not made:
        office = Office(factory.mktemp("fuzz"), Ed25519PrivateKey.generate(),
                        pyrage.x25519.Identity.generate())  # fmt: skip
        path = office.make(ROWS)
        office.tar, office.files = office.plain(path), office.open(path)[1]
        made.append(office)
    return made[0]


def test_keys_are_private_and_never_overwritten(tmp_path):
    private, public = tmp_path / "c.pem", tmp_path / "c.pem.pub"
    seal.make_centre_key(private, public)
    assert private.stat().st_mode & 0o777 == 0o600
    assert seal.centre_key(private).public_key() == seal.centre_public_key(public)
    with pytest.raises(BundleError, match="already"):
        seal.make_centre_key(tmp_path / "other", public)
    os.chmod(private, 0o644)
    with pytest.raises(BundleError, match="mode 0644"):
        seal.centre_key(private)
    recipient = seal.make_identity(tmp_path / "age")
    assert str(seal.read_identity(tmp_path / "age").to_public()) == recipient
    for wrong in (public, tmp_path / "none"):
        with pytest.raises(BundleError) as error:
            seal.centre_key(wrong)
        assert error.value.code == "bad_key"
    with pytest.raises(BundleError):
        seal.recipient("age1nonsense")
