"""Times of the daemon as people at this venue read them, whatever zone the computer is set to."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

_zone: tzinfo | None = None


def set_zone(name: str | None) -> None:
    """The venue's IANA zone, such as Asia/Shanghai. None: times stay in the zone they were written
    in, UTC is taken to the computer's."""
    global _zone
    _zone = ZoneInfo(name) if name is not None else None


def venue_now() -> datetime:
    """The present time in the venue's zone."""
    return datetime.now().astimezone(_zone)


def local(iso: object) -> datetime | None:
    """An ISO time in the venue's zone; one that names no zone is the computer's."""
    try:
        at = datetime.fromisoformat(str(iso))
    except ValueError:
        return None
    return at if _zone is None and at.utcoffset() else at.astimezone(_zone)


def clock(iso: object, *, seconds: bool = False) -> str:
    """The time of day; empty when there is none."""
    at = local(iso)
    if at is None:
        return ""
    return f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
