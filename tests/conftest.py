"""What every test shares: no display is needed, nothing of the user's own lane is touched, and no
example is judged by the wall clock of a busy machine."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before the first import of Qt
os.environ.pop("EXAMGATE_CONFIG", None)

settings.register_profile("examgate", deadline=None)
settings.load_profile("examgate")
