"""Keys and certificates, and who may read what."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cli.base import Context
from kiosk.cli.doctor.finding import GREEN, RED, YELLOW, Finding
from kiosk.told import in_language

if TYPE_CHECKING:
    from kiosk.config.network import Tls

SOON_DAYS = 30  #: an end this near is said, so that there is time to renew

def key(c: Context) -> Iterator[Finding]:
    from kiosk.credentials import is_credential, kept_elsewhere
    from kiosk.store.errors import StoreError
    from kiosk.store.vault import read_key_file

    what, file = c.say("密钥", "key"), c.config.paths.key_file
    if kept_elsewhere(file):
        said = c.say("systemd 凭据，由守护进程的单元读取", "a systemd credential, which the "
                     "daemon's unit is given")  # fmt: skip
        command = "sudo /opt/examgate/systemd/with-credentials.sh examgate doctor"
        remedy = c.say(f"要一并检查：{command}", f"to look at it too: {command}")
        yield Finding(what, YELLOW, said, remedy)
        return
    try:
        read_key_file(file)
    except StoreError as error:
        yield Finding(what, RED, error.problems[0])  # which says what to do
    else:
        kind = c.say("systemd 凭据", "systemd credential") if is_credential(file) else _day(file)
        yield Finding(what, GREEN, f"{file} ({kind})")


def certificates(c: Context) -> Iterator[Finding]:
    """Each certificate that the lane shows or trusts, and until when it is valid."""
    from kiosk.report.seal import CERTIFICATE

    centre, tls = c.config.centre, c.config.network.tls
    own = c.config.paths.data / CERTIFICATE
    renew = c.say("请中心签发新证书", "ask the centre for a new one")
    files = [
        (c.say("客户端证书", "client certificate"), centre.client_certificate, renew),
        (c.say("服务器 CA", "servers' CA"), centre.ca_file, renew),
        (c.say("报告签名证书", "reports' certificate"), own if own.exists() else None,
         c.say(f"删除 {own}，会自动重新生成", f"remove {own}: a new one is made")),
    ]  # fmt: skip
    if tls is not None:
        again = c.say("签发新证书（docs/operations.md）", "issue a new one (docs/operations.md)")
        files += [(c.say("TLS 证书", "TLS certificate"), tls.certificate, again),
                  (c.say("TLS 客户端 CA", "TLS clients' CA"), tls.client_ca, again)]  # fmt: skip
    for what, file, remedy in files:
        if file is not None:
            yield from _certificate(c, what, file, remedy)
    if tls is not None:
        yield _tls(c, tls)
    if centre.public_key is not None:
        yield _public_key(c, centre.public_key)


def _certificate(c: Context, what: str, file: Path, remedy: str) -> Iterator[Finding]:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        yield Finding(what, RED, f"{file}: {error}", remedy)
        return
    first = min(found, key=lambda one: one.not_valid_after_utc)
    now, until = datetime.now(UTC), first.not_valid_after_utc
    days = (until - now).days
    begins = max(one.not_valid_before_utc for one in found)
    colour = GREEN
    said = c.say(f"有效期至 {until:%Y-%m-%d}", f"valid until {until:%Y-%m-%d}")
    if now >= until:
        colour, said = RED, c.say(f"已于 {until:%Y-%m-%d} 过期", f"expired on {until:%Y-%m-%d}")
    elif now < begins:
        colour = RED
        said = c.say(f"{begins:%Y-%m-%d} 起才有效", f"not valid before {begins:%Y-%m-%d}")
    elif days < SOON_DAYS:
        colour = YELLOW
        said += c.say(f"，还有 {days} 天", f", {days} days left")
    yield Finding(what, colour, f"{file}: {said}", remedy)


def _tls(c: Context, tls: Tls) -> Finding:
    """Whether the daemon can use the files; a list of what was taken back has an end, too."""
    from cryptography import x509

    from kiosk.tls import Files, TlsProblem, server_context

    what, where = c.say("TLS 接入", "TLS"), f"{tls.address}:{tls.port}"
    try:
        server_context(Files(tls.certificate, tls.key, tls.client_ca, tls.crl))
        if tls.crl is not None:
            until = x509.load_pem_x509_crl(tls.crl.read_bytes()).next_update_utc
            if until is not None and until < datetime.now(UTC):
                said = c.say(f"吊销列表已于 {until:%Y-%m-%d} 过期，任何人都不能接入",
                             f"out of date since {until:%Y-%m-%d}: nobody is let in")  # fmt: skip
                return Finding(what, RED, f"{tls.crl}: {said}",
                               c.say("发布新的吊销列表", "publish a new list"))  # fmt: skip
    except (TlsProblem, OSError, ValueError) as error:
        return Finding(what, RED, str(error), c.say("检查文件和权限", "check file and mode"))
    names = "; ".join(sorted(tls.clients))
    return Finding(what, GREEN, f"{where}: {names}")


def _public_key(c: Context, file: Path) -> Finding:
    from kiosk.centre.bundle import seal
    from kiosk.centre.bundle.problems import BundleError

    what = c.say("中心公钥", "centre's public key")
    try:
        seal.centre_public_key(file)
    except (BundleError, OSError) as error:
        remedy = c.say("向中心索取公钥文件", "ask the centre for its public key file")
        return Finding(what, RED, str(error), remedy)
    return Finding(what, GREEN, f"{file} ({_day(file)})")


def permissions(c: Context) -> Iterator[Finding]:
    """What others may not do: read what is held about people, or change how the lane works."""
    what = c.say("权限", "permissions")
    paths = c.config.paths
    secret = [p for p in (paths.data, c.config.centre.client_key) if p is not None]
    wrong = [f"chmod go-rwx {p}" for p in secret if _mode(p) & 0o007]
    wrong += [f"chmod go-w {p}" for p in (c.config_path, paths.runtime, paths.key_file.parent)
              if _mode(p) & 0o002]  # fmt: skip
    if wrong:
        said = c.say(f"{len(wrong)} 处他人可读或可改", f"others may read or change {len(wrong)}")
        yield Finding(what, RED, said, "; ".join(wrong))
    else:
        yield Finding(what, GREEN, c.say("他人不可读写", "others neither read nor change"))


def users(c: Context) -> Iterator[Finding]:
    """Whether the daemon can tell the candidate's screen from others."""
    from kiosk.staff.peers import NoSuchUser, user_of_screen

    what, name = c.say("考生屏用户", "candidate's user"), c.config.ui.candidate_user
    if not name:
        said = c.say("未设置：本机各屏幕自报身份", "not set: every screen says itself which it is")
        remedy = c.say("设置 ui.candidate_user：examgate-candidate",
                       "ui.candidate_user: examgate-candidate")  # fmt: skip
        yield Finding(what, YELLOW, said, remedy)
        return
    data = c.config.paths.data
    try:
        user_of_screen(name, data.stat().st_uid if data.exists() else None)
    except NoSuchUser as error:
        remedy = c.say("systemd-sysusers；ui.candidate_user：examgate-candidate",
                       "systemd-sysusers; ui.candidate_user: examgate-candidate")  # fmt: skip
        yield Finding(what, RED, in_language(error.why, c.language), remedy)
    else:
        yield Finding(what, GREEN, name)


def _mode(path: Path) -> int:
    """0 for what is not there, or not ours to see: others say that."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0


def _day(file: Path) -> str:
    """When the file was last written."""
    return f"{datetime.fromtimestamp(file.stat().st_mtime).astimezone():%Y-%m-%d}"
