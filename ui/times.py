"""Times of the daemon as people at this lane read them. Only formats; asks no clock."""

from __future__ import annotations

from datetime import datetime


def local(iso: object) -> datetime | None:
    """An ISO time in the zone it was written in; UTC is taken to this machine's zone."""
    try:
        at = datetime.fromisoformat(str(iso))
    except ValueError:
        return None
    return at if at.utcoffset() else at.astimezone()


def clock(iso: object, *, seconds: bool = False) -> str:
    """The time of day; empty when there is none."""
    at = local(iso)
    if at is None:
        return ""
    return f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
