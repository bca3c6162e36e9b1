"""Prints docs/config.md."""

from kiosk.config.doc import render

print(render(), end="")
