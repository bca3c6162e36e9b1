"""How the lane logs: one JSON object a line on standard error, for the system's own journal.

Never frames, templates, strokes or names: lengths, ids and codes (a test searches for them).
"""

from __future__ import annotations

import logging
import re
import sys

import structlog

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def without_credentials(text: str) -> str:
    """The same with what stands before the @ of an address (rtsp://user:password@…) blotted out."""
    return _CREDENTIALS.sub("***@", text)


def configure(level: int = logging.INFO) -> None:
    """Set up structlog for a process of the lane."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
