"""The key file: whole, this user's alone, and not the key that everybody knows."""

from __future__ import annotations

import pytest

from drivers.turnstile.osdp.key import DEFAULT_KEY, KEY_BYTES, KeyProblem, make_key, read_key


def test_a_made_key_is_read_again_and_never_overwritten(tmp_path):
    file = tmp_path / "osdp.key"
    key = make_key(file)
    assert len(key) == KEY_BYTES and read_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyProblem, match="already"):
        make_key(file)
    assert read_key(file) == key


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0o600, "is missing"),
        ("00" * 16, 0o640, "chmod 600"),
        ("00" * 15, 0o600, "32 hexadecimal digits"),
        ("zz" * 16, 0o600, "32 hexadecimal digits"),
        ("密钥", 0o600, "32 hexadecimal digits"),
        (DEFAULT_KEY.hex(), 0o600, "no secret"),
    ],
)
def test_each_mistake_names_the_file_and_never_the_key(tmp_path, text, mode, said):
    file = tmp_path / "osdp.key"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    with pytest.raises(KeyProblem, match=said) as caught:
        read_key(file)
    assert str(file) in str(caught.value)
    assert not text or text not in str(caught.value)
