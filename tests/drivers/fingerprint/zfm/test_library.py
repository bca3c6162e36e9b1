"""The real pyfingerprint, its own serial port and all, driven directly against the twin.

Every command it has: this is the proof that the twin speaks the real bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pyfingerprint.pyfingerprint import PyFingerprint

from drivers.fingerprint.zfm.chip import NO_WORK
from drivers.fingerprint.zfm.codec import TEMPLATE_BYTES, Confirm
from drivers.fingerprint.zfm.virtual import VirtualZfm, make_template

ALICE = list(make_template("alice", 1))


@pytest.fixture
def library(twin: VirtualZfm) -> Iterator[PyFingerprint]:
    opened = PyFingerprint(twin.port, 57600, 0xFFFFFFFF, 0)
    yield opened
    opened._PyFingerprint__serial.close()


def test_password(twin: VirtualZfm, library: PyFingerprint) -> None:
    assert library.verifyPassword() is True
    assert library.setPassword(0x1234) is True
    assert library.verifyPassword() is True
    twin.set_password(0x9999)
    assert library.verifyPassword() is False


def test_address(library: PyFingerprint) -> None:
    assert library.setAddress(0xCAFE) is True
    assert library.verifyPassword() is True
    assert library.getSystemParameters()[4] == 0xCAFE


def test_system_parameters(library: PyFingerprint) -> None:
    assert library.getStorageCapacity() == 1000
    assert library.getBaudRate() == 57600
    assert library.getMaxPacketSize() == 128
    library.setSecurityLevel(5)
    assert library.getSecurityLevel() == 5
    library.setBaudRate(115200)
    assert library.getBaudRate() == 115200


def test_no_finger_then_a_finger(twin: VirtualZfm, library: PyFingerprint) -> None:
    assert library.readImage() is False
    twin.put_finger("alice")
    assert library.readImage() is True
    twin.lift_finger()
    assert library.readImage() is False


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_template_up_and_down(library: PyFingerprint, size: int) -> None:
    library.setMaxPacketSize(size)
    assert library.uploadCharacteristics(2, ALICE) is True
    assert library.downloadCharacteristics(2) == ALICE


def test_compare(twin: VirtualZfm, library: PyFingerprint) -> None:
    library.uploadCharacteristics(2, ALICE)
    for finger, matches in [("alice", True), ("bob", False)]:
        twin.put_finger(finger)
        assert library.readImage()
        assert library.convertImage(1)
        assert (library.compareCharacteristics() > 50) is matches


def test_enrol_search_delete(twin: VirtualZfm, library: PyFingerprint) -> None:
    twin.put_finger("alice")
    for buffer in (1, 2):
        library.readImage()
        library.convertImage(buffer)
    assert library.createTemplate() is True
    assert library.storeTemplate() == 0
    assert library.storeTemplate(300) == 300
    assert library.getTemplateCount() == 2
    assert [i for i, used in enumerate(library.getTemplateIndex(0)) if used] == [0]
    assert [i for i, used in enumerate(library.getTemplateIndex(1)) if used] == [300 - 256]
    library.readImage()
    library.convertImage(1)
    position, score = library.searchTemplate()
    assert position in (0, 300)
    assert score > 50
    assert library.loadTemplate(300, 2) is True
    assert library.compareCharacteristics() > 50
    assert library.deleteTemplate(0) is True
    assert library.getTemplateCount() == 1
    assert library.clearDatabase() is True
    assert library.getTemplateCount() == 0
    assert library.searchTemplate() == (-1, -1)


def test_two_fingers_make_no_template(twin: VirtualZfm, library: PyFingerprint) -> None:
    for buffer, finger in [(1, "alice"), (2, "bob")]:
        twin.put_finger(finger)
        library.readImage()
        library.convertImage(buffer)
    assert library.createTemplate() is False


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Confirm.SMEARED, "too messy"),
        (Confirm.TOO_FEW_FEATURES, "too few"),
        (Confirm.TOO_DRY, "0x4"),
        (Confirm.TOO_WET, "0x5"),
    ],
)
def test_bad_images(twin: VirtualZfm, library: PyFingerprint, fault: Confirm, message: str) -> None:
    twin.put_finger("alice")
    twin.next_image(fault)
    assert library.readImage()
    with pytest.raises(Exception, match=message):
        library.convertImage(1)
    assert library.convertImage(1)  # once only


def test_no_image_to_convert(library: PyFingerprint) -> None:
    with pytest.raises(Exception, match="image is invalid"):
        library.convertImage(1)


def test_image(tmp_path: Path) -> None:
    """At a pace (eight times the usual baud) that leaves the reading side time to keep up."""
    with VirtualZfm(timed=True, baud=8 * 57600, work=NO_WORK) as twin:
        library = PyFingerprint(twin.port, 57600, 0xFFFFFFFF, 0)
        twin.put_finger("alice")
        library.readImage()
        library.downloadImage(str(tmp_path / "image.png"))
        library._PyFingerprint__serial.close()
    with Image.open(tmp_path / "image.png") as image:
        assert image.size == (256, 288)


def test_errors_of_the_flash(library: PyFingerprint) -> None:
    with pytest.raises(Exception, match="could not be read"):
        library.loadTemplate(7)
    with pytest.raises(Exception, match="Could not download"):
        library.downloadCharacteristics(1)


def test_random(library: PyFingerprint) -> None:
    assert library.generateRandomNumber() != library.generateRandomNumber()


def test_template_size(library: PyFingerprint) -> None:
    assert len(ALICE) == TEMPLATE_BYTES
