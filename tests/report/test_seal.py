"""Signed by the lane: standard readers verify it, and notice what was changed."""

from __future__ import annotations

import io
import os
import re
import subprocess
from datetime import UTC, datetime

import pytest

from kiosk.report.gather import gather
from kiosk.report.page import report_pdf
from kiosk.report.seal import load_document_key
from kiosk.store.errors import KeyFileProblem
from kiosk.store.vault import make_key_file
from tests.report.conftest import PLACE

NOW = datetime.now(UTC)


@pytest.fixture
def key(tmp_path):
    make_key_file(tmp_path / "doc.key")
    return load_document_key(tmp_path / "doc.key", tmp_path / "doc.crt", "examgate/KM1/A", NOW)


@pytest.fixture
def signed(halls, key):
    hall = halls(3)
    hall.enter(0)
    hall.close()
    return key.sign_pdf(report_pdf(gather(hall.store, "S1", PLACE), "zh"), "report", "昆明")


def pdfsig(data: bytes, folder) -> str:
    file = folder / "x.pdf"
    file.write_bytes(data)
    return subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True).stdout


def test_poppler_says_it_is_valid(signed, tmp_path):
    said = pdfsig(signed, tmp_path)
    assert "Signature is Valid." in said
    assert "ETSI.CAdES.detached" in said and "SHA-256" in said
    assert "Total document signed" in said
    assert "examgate/KM1/A" in said


def test_pyhanko_says_it_is_valid_and_by_this_certificate(signed, key):
    from asn1crypto import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    root = x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    found = PdfFileReader(io.BytesIO(signed)).embedded_signatures
    assert len(found) == 1
    status = validate_pdf_signature(found[0], ValidationContext(trust_roots=[root]))
    assert status.bottom_line and status.intact and status.valid and status.trusted
    assert found[0].signer_cert.sha256.hex() == key.fingerprint


@pytest.mark.parametrize("where", [0.02, 0.3, 0.6])
def test_a_changed_byte_is_noticed(signed, where, tmp_path):
    bent = bytearray(signed)
    bent[int(len(bent) * where)] ^= 1
    assert "Signature is Valid." not in pdfsig(bytes(bent), tmp_path)


def test_what_is_added_after_the_signature_is_noticed(signed, tmp_path):
    from pyhanko.pdf_utils.generic import pdf_name, pdf_string
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    writer.root[pdf_name("/Added")] = pdf_string("later")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    assert "Not total document signed" in pdfsig(out.getvalue(), tmp_path)


def test_key_and_certificate_stay_the_same(tmp_path, key):
    again = load_document_key(tmp_path / "doc.key", tmp_path / "doc.crt", "other name", NOW)
    assert again.fingerprint == key.fingerprint
    (tmp_path / "doc.crt").unlink()
    renewed = load_document_key(tmp_path / "doc.key", tmp_path / "doc.crt", "examgate/KM1/A", NOW)
    assert renewed.key.private_numbers() == key.key.private_numbers()
    assert renewed.fingerprint != key.fingerprint
    assert re.fullmatch("[0-9a-f]{64}", renewed.fingerprint)


def test_a_key_that_others_can_read_is_refused(tmp_path, key):
    os.chmod(tmp_path / "doc.key", 0o640)
    with pytest.raises(KeyFileProblem, match="chmod 600"):
        load_document_key(tmp_path / "doc.key", tmp_path / "doc.crt", "x", NOW)


def test_a_certificate_of_another_key_is_refused(tmp_path, key):
    make_key_file(tmp_path / "other.key")
    with pytest.raises(KeyFileProblem, match="another lane key"):
        load_document_key(tmp_path / "other.key", tmp_path / "doc.crt", "x", NOW)
    (tmp_path / "doc.crt").write_text("no certificate")
    with pytest.raises(KeyFileProblem, match="is not a certificate"):
        load_document_key(tmp_path / "doc.key", tmp_path / "doc.crt", "x", NOW)
