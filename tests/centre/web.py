"""A centre's web server on this machine: nginx with TLS, and a proxy that cuts connections."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
CONFIG = """{user}
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    map $ssl_client_s_dn $examgate_lane {{ "~^CN=(?<cn>[\\w/%.~-]+)(,|$)" $cn; }}
    access_log {folder}/access.log;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.tls.key;
        ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;
        root {folder}/www; client_max_body_size 8m;
        proxy_set_header Examgate-Lane $examgate_lane;
        location /v1/ {{ proxy_pass http://127.0.0.1:{behind}; }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Authority:
    """A certificate authority and what it has signed, as PEM files in a folder: a server, and lanes
    by file, each with its CN."""

    def __init__(self, folder: Path, **lanes: str) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test centre")])
        self._write("ca", self._name, self._key, ca=True)
        for name, called in {"server": "server", "lane": "lane", **lanes}.items():
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
            self._write(name, subject, ec.generate_private_key(ec.SECP256R1()), ca=False)

    def _write(self, name: str, subject: x509.Name, key: ec.EllipticCurvePrivateKey, ca: bool):
        now = datetime.datetime.now(datetime.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        ours, theirs = self._key.public_key(), key.public_key()
        usage = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(theirs)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(usage, True)
            .add_extension(x509.SubjectAlternativeName([address]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(theirs), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), False)
            .sign(self._key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        (self.folder / f"{name}.tls.key").write_bytes(key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip


@contextlib.contextmanager
def nginx(folder: Path, behind: int = 9) -> Iterator[int]:
    """Serves folder/www, and a receiver at the port `behind`, over TLS to those whom folder's
    authority knows; gives the port."""
    assert NGINX is not None
    (folder / "www").mkdir(exist_ok=True)
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""  # its workers must reach a private folder
    text = CONFIG.format(folder=folder, port=port, user=user, behind=behind)
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                "-e", str(folder / "error.log")])  # fmt: skip
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    end = time.monotonic() + 15
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < end, "nginx does not listen"
        time.sleep(0.02)


class Cutter:
    """A cable to `port` that is cut after so many bytes towards the client, once for each of
    `cuts`; afterwards it holds. Works on the bytes of TLS, as a real network does."""

    def __init__(self, port: int, cuts: list[int]) -> None:
        self._to, self.cuts = port, list(cuts)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._carry(client)

    def _carry(self, client: socket.socket) -> None:
        left = self.cuts.pop(0) if self.cuts else None
        server = socket.create_connection(("127.0.0.1", self._to))
        up = threading.Thread(target=_pump, args=(client, server, None), daemon=True)
        up.start()
        _pump(server, client, left)
        for end in (client, server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        up.join(5)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)


def _pump(source: socket.socket, target: socket.socket, left: int | None) -> None:
    with contextlib.suppress(OSError):
        while left is None or left > 0:
            data = source.recv(65536 if left is None else min(65536, left))
            if not data:
                break
            target.sendall(data)
            left = None if left is None else left - len(data)
        if left is None:
            target.shutdown(socket.SHUT_WR)
