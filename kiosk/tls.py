"""The daemon's language over the network: TLS with client certificates, only where configured.

Owns certificates, handshakes and their bounds. Whom a certificate's subject stands for is handed
in; what its owner may do is kiosk.staff.door's.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from kiosk.credentials import is_private
from kiosk.staff.peers import Peer

log = structlog.get_logger(__name__)

HANDSHAKE_S = 5.0  #: from the first byte of TCP to the certificate
MAX_HANDSHAKES = 16  #: at once; each is a socket, and work for the processor
MAX_OF_ONE = 2  #: of them from one address: nobody alone keeps the others out
MAX_FAR = 16  #: connections; the rest of the server's are left to the machine's own
AGAIN_S = 10.0  #: until an address that is not there, or files that are bad, are tried again
TOLD_EVERY_S = 1.0  #: refusals are logged so often, and how many there were between
BLOCK = 64 * 1024  #: bytes that are read ahead

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Peer], Awaitable[None]]


class TlsProblem(Exception):
    """A file that cannot be used, with what is wrong."""


@dataclass(frozen=True, slots=True)
class Files:
    """PEM; `crl`: certificates that were taken back, None: there is no such list."""

    certificate: Path
    key: Path
    client_ca: Path
    crl: Path | None = None

    def stamp(self) -> tuple[int, ...]:
        """Another one when a file was exchanged; 0 for what is not there."""
        found = []
        for file in (self.certificate, self.key, self.client_ca, self.crl):
            try:
                found.append(file.stat().st_mtime_ns if file is not None else 0)
            except OSError:
                found.append(0)
        return tuple(found)


def server_context(files: Files) -> ssl.SSLContext:
    """TLS 1.2 or newer, and nobody without a certificate of this authority. Raises `TlsProblem`."""
    try:
        if not is_private(files.key):
            raise TlsProblem(
                f"{files.key}: must be root's or user {os.geteuid()}'s, and nobody else may read "
                f"it; run: chmod 600 {files.key}"
            )
    except OSError as error:
        raise TlsProblem(f"{files.key}: {error.strerror}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    # a resumed session would not be held against the list of those taken back
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    file = files.certificate
    try:
        context.load_cert_chain(file, files.key, password=_no_password)
        file = files.client_ca
        context.load_verify_locations(file)
        if files.crl is not None:
            file = files.crl
            context.load_verify_locations(file)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise TlsProblem(f"{file}: {_why(error)}") from error
    return context


def client_context(certificate: Path, key: Path, ca: Path) -> ssl.SSLContext:
    """For a screen elsewhere; the lane's name or address must be in its certificate. Raises
    `TlsProblem`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    file = certificate
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        file = ca
        context.load_verify_locations(ca)
    except (OSError, ValueError) as error:
        raise TlsProblem(f"{file}: {_why(error)}") from error
    return context


def _why(error: OSError | ValueError) -> object:
    """In OpenSSL's own few words, or the system's, where there are any."""
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or error


def _no_password() -> str:
    """Nobody is there to type one."""
    raise ValueError("the key is encrypted; store it without a password, readable by its user only")


def subject_of(certificate: x509.Certificate) -> str:
    """As RFC 4514 writes it: `openssl x509 -noout -subject -nameopt RFC2253`."""
    return certificate.subject.rfc4514_string()


class Listener:
    """`clients`: subject → screen. Never stops the lane: what goes wrong is logged and tried again.

    Exchanged files are read before the next connection, without a restart.
    """

    def __init__(self, address: str, port: int, files: Files, clients: Mapping[str, str]) -> None:
        self._where = (address, port)
        self._files = files
        self._clients = dict(clients)
        self._context: ssl.SSLContext | None = None
        self._stamp: tuple[int, ...] = ()
        self._shaking: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._far = 0
        self._told_at, self._untold = 0.0, 0
        self.port: int | None = None  #: once it listens

    async def start(self, serve: Serve) -> None:
        """Begin to listen, now or as soon as address and files are there."""
        self._keep(self._listen(serve))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_never_a_reason_to_stop(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self, serve: Serve) -> None:
        while True:
            try:
                self._refresh()
                family = socket.AF_INET6 if ":" in self._where[0] else socket.AF_INET
                with socket.create_server(self._where, family=family, backlog=32) as listening:
                    listening.setblocking(False)
                    self.port = listening.getsockname()[1]
                    log.info("tls_listening", port=self.port)
                    await self._accept(listening, serve)
            except (OSError, TlsProblem) as error:
                log.error("tls_not_listening", error=str(error))
            await asyncio.sleep(AGAIN_S)

    async def _accept(self, listening: socket.socket, serve: Serve) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                end, (address, *_) = await loop.sock_accept(listening)
            except OSError as error:  # no descriptor is left, or it went away again
                self._refused("accept", detail=str(error.strerror))
                await asyncio.sleep(0.1)
                continue
            crowded = sum(self._shaking.values()) >= MAX_HANDSHAKES or self._far >= MAX_FAR
            if crowded or self._shaking[address] >= MAX_OF_ONE:
                self._refused("too_many")
                end.close()
                continue
            self._shaking[address] += 1
            self._keep(self._one(end, address, serve))

    def _refresh(self) -> ssl.SSLContext:
        """Raises `TlsProblem` when nothing was ever read; else bad new files leave the old ones."""
        stamp = self._files.stamp()
        if self._context is None or stamp != self._stamp:
            try:
                self._context = server_context(self._files)
            except TlsProblem as problem:
                if self._context is None:
                    raise
                log.error("tls_files_not_taken", error=str(problem))
            self._stamp = stamp
        return self._context

    async def _one(self, end: socket.socket, address: str, serve: Serve) -> None:
        try:
            try:
                reader, writer = await self._handshake(end)
            finally:
                self._shaking[address] -= 1
                self._shaking += Counter()  # forgets addresses with none
        except ssl.SSLError as error:
            why = getattr(error, "verify_message", "") or error.reason or "tls"
            self._refused("handshake", detail=why)
            return
        except (OSError, TimeoutError):
            self._refused("handshake", detail="cut or too slow")
            return
        self._far += 1
        try:
            await self._converse(reader, writer, serve)
        except ValueError:  # OpenSSL took a certificate that cannot be read
            self._refused("not_listed", detail="unreadable")
        finally:
            self._far -= 1
            _cut(writer.transport)

    async def _handshake(
        self, end: socket.socket
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        _notice_the_dead(end)
        reader = asyncio.StreamReader(limit=BLOCK)
        transport, protocol = await loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader),
            end,
            ssl=self._refresh(),
            ssl_handshake_timeout=HANDSHAKE_S,
            ssl_shutdown_timeout=1.0,
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, serve: Serve
    ) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        certificate = x509.load_der_x509_certificate(shown)
        subject = subject_of(certificate)
        screen = self._clients.get(subject)
        if screen is None:
            self._refused("not_listed", sha256=hashlib.sha256(shown).hexdigest()[:16])
            return
        left = (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()
        # what has expired is over, also while it is connected
        over = asyncio.get_running_loop().call_later(min(left, 1e6), _cut, writer.transport)
        try:
            await serve(reader, writer, Peer.only(screen, far=True, whose=subject))
        finally:
            over.cancel()

    def _refused(self, why: str, **about: str) -> None:
        """Neither names nor addresses: a certificate is told by its digest."""
        now = time.monotonic()
        if now - self._told_at < TOLD_EVERY_S:
            self._untold += 1
            return
        log.warning("tls_refused", why=why, more_before=self._untold, **about)
        self._told_at, self._untold = now, 0


async def _never_a_reason_to_stop(work: Awaitable[None]) -> None:
    """A mistake of ours here is told; the gate works without the network."""
    try:
        await work
    except Exception:
        log.critical("bug_in_tls", exc_info=True)


def _cut(transport: asyncio.WriteTransport) -> None:
    with contextlib.suppress(AttributeError):  # Python 3.11.2, Debian 12's: it was closed twice
        transport.abort()


def _notice_the_dead(end: socket.socket) -> None:
    """Whose cable was pulled is gone within a minute, and with it who had logged in there."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
