"""Fetch the public photographs of demo and tests; nothing to do when they are there.

A thin command around kiosk.demo.photos. Exit 0: complete; 1: missing, and it says what.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kiosk.demo.photos import PhotosMissing, fetch, photos_folder


def main() -> int:
    try:
        fetched = fetch()
    except PhotosMissing as error:
        print(f"fetch_photos: {error}", file=sys.stderr)
        return 1
    if fetched:
        print(f"fetched {len(fetched)} photographs into {photos_folder()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
