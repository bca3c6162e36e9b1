"""What every test shares: no display is needed, and nothing of the user's own lane is touched."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before the first import of Qt
os.environ.pop("EXAMGATE_CONFIG", None)
