"""config.yaml: its schema (schema.py, devices.py, network.py), how it is read and what is told of a
wrong one. `python -m kiosk.config` prints docs/config.md from the same schema (doc.py)."""

from kiosk.config.reading import check, load
from kiosk.config.schema import Config

__all__ = ["Config", "check", "load"]
