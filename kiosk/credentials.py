"""Secret files that systemd hands to a service: `$CREDENTIALS_DIRECTORY` (systemd.exec(5)).

Knows where they are and whether only we can read them; not what is in them.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from pathlib import Path

#: Where a unit is told of its credentials; read by anybody, unlike where they lie.
DROP_INS = Path("/etc/systemd/system/examgate.service.d")

_ACL = "system.posix_acl_access"
#: acl(5) and linux/posix_acl_xattr.h: version 2, then tag, permissions and id of each entry.
_HEAD, _ENTRY, _VERSION = struct.Struct("<I"), struct.Struct("<HHI"), 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_READ = 4


def folder() -> Path | None:
    """This service's, where it has one."""
    given = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return Path(given) if given.startswith("/") else None


def instead_of(file: Path) -> Path:
    """The credential of this name when the service was given one, else `file`."""
    given = folder()
    if given is not None and os.path.lexists(given / file.name):
        return given / file.name
    return file


def is_credential(file: Path) -> bool:
    """Also of one that is not there: nothing can be written beside the others."""
    return file.parent == folder()


def kept_elsewhere(file: Path) -> bool:
    """Whether the daemon's unit is given a credential of this name and this process was not: the
    file is then missing on purpose."""
    if is_credential(file) or file.exists():
        return False
    given = re.compile(rf"^LoadCredential(Encrypted)?={re.escape(file.name)}(:|$)", re.M)
    try:
        return any(given.search(unit.read_text()) for unit in DROP_INS.glob("*.conf"))
    except (OSError, UnicodeDecodeError):
        return False


def is_private(file: Path) -> bool:
    """Whether root and whoever runs this are the only ones who may read it. Raises `OSError`.

    systemd gives a service's user a file that is theirs, or root's with an access list that names
    them; the mode's group bits are then the list's mask.
    """
    status = file.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in (0, os.geteuid()) or mode & 0o037:
        return False
    return not mode & 0o040 or _names_only_us(file)


def _names_only_us(file: Path) -> bool:
    try:
        data = os.getxattr(file, _ACL)
    except OSError:
        return False  # plain group bits
    if len(data) % _ENTRY.size != _HEAD.size or _HEAD.unpack_from(data) != (_VERSION,):
        return False
    for tag, allowed, uid in _ENTRY.iter_unpack(data[_HEAD.size :]):
        if tag in (_OWNER, _MASK):
            continue
        if tag == _USER and uid == os.geteuid() and allowed == _READ:
            continue
        if tag not in (_GROUP, _OTHER) or allowed:
            return False
    return True
