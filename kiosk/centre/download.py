"""Fetching a bundle from the centre's web servers: resumed after a cut, asked for only when new.

HTTPS by urllib3, with a client certificate where the centre asks for one. What has arrived is
checked by others (kiosk.centre.bundle); here a file is only bytes with an ETag.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    NameResolutionError,
    ProxyError,
)
from urllib3.exceptions import (
    TimeoutError as TimeoutException,
)

from kiosk.told import Told, in_language

CHUNK = 64 * 1024
MAX_BYTES = 8 * 1024**3
CONNECT_S, STALLED_S = 10.0, 20.0
#: Rounds over all mirrors, and the pause between two of them: doubled each time, with jitter.
ROUNDS, PAUSE_S, LONGEST_PAUSE_S = 5, 1.0, 60.0
SPARE_BYTES = 256 * 1024**2  #: that stay free on the disk

Progress = Callable[[int, int | None], None]  #: bytes there, bytes in all if known


@dataclass(frozen=True, slots=True)
class Failed:
    """What went wrong with a mirror, the last time it was tried."""

    number: int  #: its place among the addresses, from 1; several may have one host
    host: str  #: with the port where one is given; never a login, path or query: they may be secret
    why: str  #: also as `Told`


class DownloadError(Exception):
    """Nothing came of it; `failed` has one for each mirror, in the order of the addresses."""

    def __init__(self, failed: Sequence[Failed]) -> None:
        super().__init__("; ".join(f"{f.number} {f.host}: {f.why}" for f in failed))
        self.failed = tuple(failed)


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the servers. `limit_kbit_s` 0: as fast as it goes."""

    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str = ""
    limit_kbit_s: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """`new`: fetched now. Else the file is as it was, or gone since it was used."""

    path: Path
    new: bool
    resumed: int  #: bytes that an earlier try had fetched already
    failed: tuple[Failed, ...] = ()  #: mirrors that were tried before the one that answered


@dataclass(frozen=True, slots=True)
class _Meta:
    """What the servers said of the bytes that are there. `url` of the whole file or its part."""

    url: str = ""
    etag: str = ""
    modified: str = ""
    size: int | None = None
    taken: bool = False  #: the file has been used and is gone; only what is newer is wanted


class Fetcher:
    """Keeps `path` and, while it is not whole, `path`.part, each with a `.json` beside it."""

    def __init__(
        self,
        path: Path,
        access: Access,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        rounds: int = ROUNDS,
    ) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._access = access
        self._sleep, self._monotonic = sleep, monotonic
        self._rounds = rounds

    def fetch(self, urls: Sequence[str], progress: Progress = lambda done, of: None) -> Fetched:
        """From the first mirror that gives it whole. Raises `DownloadError`, `ssl.SSLError`,
        `OSError` (the disk)."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pool = https_pool(self._access)
        failed: dict[int, Failed] = {}
        resumed = self._part.stat().st_size if self._part.exists() else 0
        for nth in range(self._rounds):
            if nth:
                pause = min(LONGEST_PAUSE_S, PAUSE_S * 2 ** (nth - 1))
                self._sleep(pause * random.uniform(0.5, 1.0))
            for number, url in enumerate(urls, 1):
                try:
                    new = self._one(pool, url, progress)
                except _Refused as refused:
                    failed[number] = Failed(number, host_of(url), str(refused))
                except HTTPError as error:
                    failed[number] = Failed(number, host_of(url), plain_reason(error))
                else:
                    others = tuple(f for n, f in sorted(failed.items()) if n != number)
                    return Fetched(self._path, new, resumed if new else 0, others)
        raise DownloadError([f for _, f in sorted(failed.items())])

    def taken(self) -> None:
        """The file has been used: it goes, and is not fetched again until it changes."""
        meta = _read_meta(self._path)
        _write_meta(self._path, replace(meta, taken=True))
        self._path.unlink(missing_ok=True)

    def forget(self) -> None:
        """The file was not what it should be: begin from nothing the next time."""
        for file in (self._path, self._part):
            file.unlink(missing_ok=True)
            _meta_file(file).unlink(missing_ok=True)

    def _one(self, pool: urllib3.PoolManager, url: str, progress: Progress) -> bool:
        """True: fetched; False: it has not changed since. Raises `_Refused`, `HTTPError`."""
        whole, part = _read_meta(self._path), _read_meta(self._part)
        have = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Accept-Encoding": "identity", "User-Agent": "examgate"}
        if have and part.etag and not part.etag.startswith("W/"):
            headers |= {"Range": f"bytes={have}-", "If-Range": part.etag}
        elif (self._path.exists() or whole.taken) and whole.url == url:
            headers |= {"If-None-Match": whole.etag} if whole.etag else {}
            headers |= {"If-Modified-Since": whole.modified} if whole.modified else {}
        answer = pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        try:
            match answer.status:
                case 304:
                    return False
                case 206:
                    meta = self._continued(answer, part, have)
                case 200:
                    meta, have = _said(answer, url), 0
                case 416:  # what is there cannot be the beginning of what they have
                    self._drop_part()
                    raise _Refused("HTTP 416, beginning anew")
                case status:
                    raise _Refused(f"HTTP {status} {answer.reason or ''}".strip())
            self._room_for(meta, have)
            _write_meta(self._part, meta)
            self._receive(answer, have, meta, progress)
        finally:
            answer.close()
        self._keep(replace(meta, url=url))
        return True

    def _continued(self, answer: urllib3.BaseHTTPResponse, part: _Meta, have: int) -> _Meta:
        """The rest of the very file whose beginning is there, or `_Refused`."""
        said = answer.headers.get("Content-Range", "")
        size = part.size
        if not said.startswith(f"bytes {have}-") or (size and not said.endswith(f"/{size}")):
            self._drop_part()
            raise _Refused(f"another range than asked for: {said[:60]!r}")
        if answer.headers.get("ETag", part.etag) != part.etag:
            self._drop_part()
            raise _Refused("it changed while it was fetched, beginning anew")
        return part

    def _room_for(self, meta: _Meta, have: int) -> None:
        size = meta.size or 0
        if size > MAX_BYTES:
            raise _Refused(f"{size} bytes, at most {MAX_BYTES}")
        free = shutil.disk_usage(self._path.parent).free
        if size - have > free - SPARE_BYTES:
            raise _Refused(f"{size - have} bytes to come, {free} free on the disk")

    def _receive(
        self, answer: urllib3.BaseHTTPResponse, have: int, meta: _Meta, progress: Progress
    ) -> None:
        done = have
        with self._part.open("r+b" if have else "wb") as file:
            file.seek(have)
            file.truncate()
            os.chmod(self._part, 0o600)
            progress(done, meta.size)
            for chunk in self._slowly(answer.stream(CHUNK)):
                done += len(chunk)
                if done > (meta.size or MAX_BYTES):
                    raise _Refused("more bytes than announced")
                file.write(chunk)
                progress(done, meta.size)
            file.flush()
            os.fsync(file.fileno())
        if meta.size is not None and done != meta.size:
            raise _Refused(f"cut after {done} of {meta.size} bytes")

    def _slowly(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Never faster than the limit, in the mean since the beginning."""
        begun, total = self._monotonic(), 0
        for chunk in chunks:
            yield chunk
            total += len(chunk)
            if self._access.limit_kbit_s:
                due = begun + total * 8 / (1000 * self._access.limit_kbit_s)
                if (early := due - self._monotonic()) > 0:
                    self._sleep(early)

    def _keep(self, meta: _Meta) -> None:
        _meta_file(self._path).unlink(missing_ok=True)  # it must never describe other bytes
        os.replace(self._part, self._path)
        _write_meta(self._path, meta)
        _meta_file(self._part).unlink(missing_ok=True)

    def _drop_part(self) -> None:
        self._part.unlink(missing_ok=True)
        _meta_file(self._part).unlink(missing_ok=True)


class _Refused(Exception):
    """This mirror gives nothing useful; the next one may."""


def _said(answer: urllib3.BaseHTTPResponse, url: str) -> _Meta:
    length = answer.headers.get("Content-Length", "")
    return _Meta(
        url=url,
        etag=answer.headers.get("ETag", ""),
        modified=answer.headers.get("Last-Modified", ""),
        size=int(length) if length.isdigit() else None,
    )


def https_pool(access: Access) -> urllib3.PoolManager:
    """Connections as `access` says. Raises `OSError` when a certificate file or the proxy's
    address cannot be used."""
    context = ssl.create_default_context(cafile=str(access.ca_file) if access.ca_file else None)
    if access.client_certificate is not None:
        context.load_cert_chain(access.client_certificate, access.client_key)
    timeout = urllib3.Timeout(connect=CONNECT_S, read=STALLED_S)
    if access.proxy:
        try:
            return urllib3.ProxyManager(
                access.proxy, ssl_context=context, timeout=timeout, retries=False
            )
        except LocationValueError:  # its text has the address with the login in it
            raise OSError("the proxy must be an address like http://host:port") from None
    return urllib3.PoolManager(ssl_context=context, timeout=timeout, retries=False)


def host_of(url: str) -> str:
    """Host and port, for people to read: no login and no token. `?` when it is no address."""
    try:
        parsed = urllib3.util.parse_url(url)
    except LocationValueError:
        return "?"
    return f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host or "?"


def plain_reason(error: HTTPError) -> str:
    """What is wrong, without the object addresses and logins that urllib3 has in its texts; the
    ordinary reasons in both languages."""
    if isinstance(error, LocationValueError):
        return "not an address like https://host/path"
    if isinstance(error, ProxyError):
        why = error.original_error
        if isinstance(why, HTTPError):
            return _behind("proxy", "代理", plain_reason(why))
        return _behind("proxy", "代理", _named(why) or str(why)[:200])
    cause = error.__cause__ or error.__context__
    named = _named(cause if isinstance(cause, OSError) else error)
    if named is not None:
        return named
    text = str(cause if isinstance(cause, OSError) else error)
    return text.split("object at 0x")[-1].split(": ", 1)[-1][:200] or type(error).__name__


def _behind(en: str, zh: str, why: str) -> Told:
    return Told(f"{en}: {why}", f"{zh}：{in_language(why, 'zh')}")


def _named(error: BaseException) -> Told | None:
    """The ordinary ones, as people say them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = "the server's certificate is not accepted"
        return _behind(said, "服务器证书不被接受", error.verify_message)
    for kind, told in _ORDINARY:
        if isinstance(error, kind):
            return told
    return None


_ORDINARY = (
    (
        (socket.gaierror, NameResolutionError),
        Told(
            "there is no host of this name; check the network and its name server",
            "找不到该主机，请检查网络和域名服务器",
        ),
    ),
    (
        (ConnectionRefusedError,),
        Told("connection refused: nothing listens there", "连接被拒绝，对方没有服务在监听"),
    ),
    ((TimeoutError, TimeoutException), Told("no answer in time", "等待应答超时")),
)


def _meta_file(file: Path) -> Path:
    return file.with_name(file.name + ".json")


def _read_meta(file: Path) -> _Meta:
    """What cannot be read is as good as nothing: the file is fetched whole."""
    try:
        return _Meta(**json.loads(_meta_file(file).read_text()))
    except (OSError, ValueError, TypeError):
        return _Meta()


def _write_meta(file: Path, meta: _Meta) -> None:
    target = _meta_file(file)
    new = target.with_name(target.name + ".new")
    new.write_text(json.dumps(asdict(meta)))
    os.replace(new, target)
