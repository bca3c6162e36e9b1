"""The text form of signed heads: against the example of the signed-note format, and bent."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from kiosk.core.checkpoint import (
    Head,
    key_id,
    origin_of,
    parse_note,
    parse_signed,
    parse_vkey,
    vkey,
    write_note,
    write_signed,
)

#: The example key and note of Go's package golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_the_formats_own_example():
    name, key = parse_vkey(PETER)
    assert vkey(name, key) == PETER
    raw = base64.b64decode(SIGNATURE)
    assert raw[:4] == key_id(name, key)
    Ed25519PublicKey.from_public_bytes(key).verify(raw[4:], TEXT.encode())


SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SIGNER.public_key().public_bytes_raw()
ORIGIN = "examgate/KM1/A"
HEAD = Head(ORIGIN, 7, b"r" * 32)
NOTE = write_note(HEAD, ORIGIN, PUBLIC, SIGNER.sign(HEAD.text().encode()))


@given(st.integers(0, 10**15), st.binary(min_size=32, max_size=32))
def test_written_and_read_again(size, root):
    head = Head(ORIGIN, size, root)
    signature = SIGNER.sign(head.text().encode())
    found = parse_note(write_note(head, ORIGIN, PUBLIC, signature), ORIGIN)
    assert (found.head, found.signature, found.text) == (head, signature, head.text())
    assert found.key_id == key_id(ORIGIN, PUBLIC)


def test_a_witness_signature_is_passed_over():
    witness = "— somebody/else " + base64.b64encode(b"w" * 76).decode() + "\n"
    assert parse_note(NOTE + witness, ORIGIN).head == HEAD
    body, ours = NOTE.split("\n\n")
    assert parse_note(f"{body}\n\n{witness}{ours}", ORIGIN).head == HEAD


@pytest.mark.parametrize(
    ("bent", "why"),
    [
        (NOTE.replace("\n7\n", "\n07\n"), "not a checkpoint"),
        (NOTE.replace("\n7\n", "\n-7\n"), "not a checkpoint"),
        (NOTE.replace("\n\n", "\n"), "not a checkpoint"),
        (NOTE[:-1], "no end"),
        (NOTE.replace("cnJy", "cnJ", 1), "base64|SHA-256"),
        (NOTE.replace("— ", "- "), "not a signature"),
        (NOTE.replace(f"— {ORIGIN}", "— other"), "no signature"),
        ("", "not a checkpoint"),
    ],
)
def test_bent_notes(bent, why):
    with pytest.raises(ValueError, match=why):
        parse_note(bent, ORIGIN)


@pytest.mark.parametrize(
    "bent", ["", "a+b+c", PETER.replace("c74f", "c74e"), PETER.replace("Peter", "Paul"), PETER[:-4]]
)
def test_bent_keys(bent):
    with pytest.raises(ValueError):
        parse_vkey(bent)


def test_names_have_neither_blanks_nor_plus():
    assert origin_of("昆明 1+2", "A-1") == "examgate/%E6%98%86%E6%98%8E%201%2B2/A-1"


def test_any_text_can_be_a_signed_note():
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    text = "examgate/dispute/v1\nexamgate/KM1/A\n00ff\n"
    note = write_signed(text, "examgate/KM1/A", public, key.sign(text.encode()))
    found, identity, signature = parse_signed(note, "examgate/KM1/A")
    assert (found, identity) == (text, key_id("examgate/KM1/A", public))
    key.public_key().verify(signature, text.encode())
    for bad in ("no end", "a\n\nb\n", "\na\n", ""):
        with pytest.raises(ValueError, match="signed as a note"):
            write_signed(bad, "k", public, bytes(64))
    for bent in (text, note[:-1], note.replace("— ", "- "), note.replace("KM1/A ", "KM1/B ")):
        with pytest.raises(ValueError, match=r"note|line|signature"):
            parse_signed(bent, "examgate/KM1/A")
