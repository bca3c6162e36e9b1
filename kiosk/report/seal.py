"""The lane's document key: signs PDF files so that any reader can verify them (PAdES B-B).

ECDSA on P-256 with a certificate that the lane signed itself: readers verify it, which not all do
with the journal's Ed25519. Derived from the lane's own key, so there is no further secret to keep.
Knows no report.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from kiosk.store.errors import KeyFileProblem
from kiosk.store.vault import read_key_file

VALID = timedelta(days=3650)
CERTIFICATE = "document.crt"  #: file name, beside the database
FIELD = "Examgate"
_PURPOSE = b"examgate/document/v1"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, secp256r1
_MAX_NAME = 64  #: characters of a common name (RFC 5280, ub-common-name)


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """The key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in DER, hex: what readers show."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign_pdf(self, pdf: bytes, reason: str, place: str) -> bytes:
        """An invisible signature over the whole file, ETSI.CAdES.detached with SHA-256."""
        from asn1crypto import keys
        from asn1crypto import x509 as asn1
        from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
        from pyhanko.sign import fields, signers
        from pyhanko_certvalidator.registry import SimpleCertificateStore

        coded = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        signer = signers.SimpleSigner(
            signing_cert=asn1.Certificate.load(self.certificate.public_bytes(Encoding.DER)),
            signing_key=keys.PrivateKeyInfo.load(coded),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )
        about = signers.PdfSignatureMetadata(
            field_name=FIELD,
            md_algorithm="sha256",
            subfilter=fields.SigSeedSubFilter.PADES,
            reason=reason,
            location=place,
        )
        out = io.BytesIO()
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        signers.PdfSigner(about, signer=signer).sign_pdf(writer, output=out)
        return out.getvalue()


def load_document_key(key_file: Path, certificate: Path, name: str, now: datetime) -> DocumentKey:
    """The key that belongs to the lane's, and its certificate, made where there is none.

    `name`: the certificate's, of the lane. Raises `KeyFileProblem` with what to do.
    """
    key = _derived(read_key_file(key_file))
    if not certificate.exists():
        _write(certificate, _certificate(key, name, now).public_bytes(Encoding.PEM))
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyFileProblem(
            f"{certificate}: is not a certificate ({error}); remove it, and a new one is made"
        ) from error
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if found.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise KeyFileProblem(
            f"{certificate}: belongs to another lane key than {key_file}; remove it, and a new "
            "one is made"
        )
    return DocumentKey(key, found)


def _derived(lane_key: bytes) -> ec.EllipticCurvePrivateKey:
    """HKDF (RFC 5869); 16 bytes more than the order has, so that no key is likelier
    (FIPS 186-5 A.2.1)."""
    made = HKDF(algorithm=hashes.SHA256(), length=48, salt=None, info=_PURPOSE).derive(lane_key)
    secret = int.from_bytes(made, "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def _certificate(key: ec.EllipticCurvePrivateKey, name: str, now: datetime) -> x509.Certificate:
    """Self-signed, for signing documents only (RFC 5280; non-repudiation)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_MAX_NAME])])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all; a certificate is no secret."""
    draft = file.with_suffix(".new")
    try:
        with draft.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise KeyFileProblem(f"{file}: cannot be written ({error.strerror})") from error
