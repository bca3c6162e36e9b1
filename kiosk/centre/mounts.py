"""Which sticks are plugged in: file systems mounted below certain folders, by the kernel's word.

Reads the table of mounts and nothing of what is on them, so that a stick that does not answer
holds up nobody who asks here. Mounting is the system's work (systemd/examgate-stick@.service).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TABLE = Path("/proc/self/mountinfo")
MOST = 8  #: sticks at a time; nobody plugs in more
DEPTH = 2  #: /run/media/USER/LABEL is two below its folder
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system. `number` is the kernel's, of this mount and no other now."""

    number: int
    folder: Path

    @property
    def name(self) -> str:
        """As a screen may show it: what the folder is called says the stick, not the system."""
        return printable(self.folder.name)


def printable(text: str) -> str:
    """A name from outside, for people: at most 80 characters, none of them invisible."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:80])


def mounts(folders: Sequence[Path], table: Path = TABLE) -> list[Mount]:
    """What is mounted below `folders` now (proc(5), mountinfo). Raises `OSError`."""
    found: dict[Path, Mount] = {}
    for line in table.read_text(errors="surrogateescape").splitlines():
        fields = line.split(" ")
        if len(fields) < 6 or not fields[0].isdigit():
            continue
        folder = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[4]))
        if any(above in folders for above in folder.parents[:DEPTH]):
            found[folder] = Mount(int(fields[0]), folder)  # mounted over: the last one is seen
    return sorted(found.values(), key=lambda mount: mount.number)[:MOST]
