"""A hall's certificate authority, made anew for a test, and what it signs."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

PEM = serialization.Encoding.PEM
HOUR = datetime.timedelta(hours=1)


def name_of(text: str) -> x509.Name:
    """`CN=desk-1,O=Hall`"""
    return x509.Name.from_rfc4514_string(text)


class Authority:
    """`issue` writes NAME.pem and NAME.key into the folder; `ca.pem` is its own certificate."""

    def __init__(self, folder: Path, name: str = "hall") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._name = folder, name_of(f"CN={name} authority")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._revoked: list[int] = []
        public = self._key.public_key()
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = self._begin(self._name, public, datetime.timedelta(days=2))
        own = own.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def _begin(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, until: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 24 * HOUR)
            .not_valid_after(now + until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
            .add_extension(issuer, False)
        )

    def issue(
        self,
        name: str,
        subject: str,
        *,
        server: bool = False,
        valid: datetime.timedelta = HOUR,
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        made = self._begin(name_of(subject), key.public_key(), valid)
        made = made.add_extension(x509.ExtendedKeyUsage([use]), False)
        if server:
            here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            made = made.add_extension(x509.SubjectAlternativeName([here]), False)
        certificate, file = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(PEM))
        form = serialization.PrivateFormat.PKCS8
        file.touch(0o600)
        file.write_bytes(key.private_bytes(PEM, form, serialization.NoEncryption()))
        return certificate, file

    def revoke(self, *certificates: Path) -> Path:
        """The list of what was taken back, these among it."""
        now = datetime.datetime.now(datetime.UTC)
        for file in certificates:
            found = x509.load_pem_x509_certificate(file.read_bytes())
            self._revoked.append(found.serial_number)
        made = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        made = made.last_update(now - HOUR).next_update(now + 24 * HOUR)
        for number in self._revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(number)
            made = made.add_revoked_certificate(entry.revocation_date(now - HOUR).build())
        crl = self.folder / "crl.pem"
        crl.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(PEM))
        return crl
