"""Who is at the other end of a connection before it has said a word, by the kernel's word.

What a peer may follows from it in kiosk.staff.door. Must not know what a method does.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Hashable
from dataclasses import dataclass

from kiosk.told import Told

SCREENS = frozenset({"candidate", "proctor", "technician"})


@dataclass(frozen=True, slots=True)
class Peer:
    machine: bool = False  #: root or the daemon's own user: may everything
    screen: str | None = None  #: it is this one from its first word on
    may_be: frozenset[str] = SCREENS  #: the screens that it may say it is
    far: bool = False  #: over the network
    whose: Hashable = None  #: the user's number, or the certificate's subject

    @classmethod
    def only(cls, screen: str, *, far: bool = False, whose: Hashable = None) -> Peer:
        return cls(screen=screen, may_be=frozenset({screen}), far=far, whose=whose)


class Users:
    """`candidate`: the user of the candidate's screen; None: not told from others.

    With one, its connections are a candidate's screen and nothing else, whatever they say, and
    nobody but the machine's own users may say that they are a candidate's screen.
    """

    def __init__(self, candidate: int | None = None) -> None:
        self._candidate = candidate

    def peer(self, uid: int | None) -> Peer:
        """None: the system does not say who."""
        if uid is not None and self._candidate == uid:
            return Peer.only("candidate", whose=uid)
        if uid is not None and uid in (0, os.geteuid()):
            return Peer(machine=True, whose=uid)
        others = SCREENS if self._candidate is None else SCREENS - {"candidate"}
        return Peer(may_be=others, whose=uid)


class NoSuchUser(Exception):
    """The configured user of the candidate's screen cannot be one; `why` in both languages."""

    def __init__(self, why: Told) -> None:
        super().__init__(why)
        self.why = why


def user_of_screen(name: str, daemon: int | None = None) -> int:
    """The number of a user of this machine who is neither root nor the daemon's.

    `daemon`: None: whoever runs this. Raises `NoSuchUser`.
    """
    try:
        uid = pwd.getpwnam(name).pw_uid
    except KeyError:
        raise NoSuchUser(Told(
            f"ui.candidate_user: this machine has no user {name}; run systemd-sysusers, or correct "
            "the name",
            f"ui.candidate_user：本机没有用户 {name}；请运行 systemd-sysusers，或改正用户名",
        )) from None  # fmt: skip
    if uid in (0, os.geteuid() if daemon is None else daemon):
        raise NoSuchUser(Told(
            f"ui.candidate_user: {name} is root or the daemon's own user; the candidate's screen "
            "needs one of its own",
            f"ui.candidate_user：{name} 是 root 或守护进程自己的用户，考生屏须用单独的用户",
        ))  # fmt: skip
    return uid
