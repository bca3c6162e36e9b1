"""Photographs as they come from elsewhere: any kind of pixels, turned as their EXIF says.

Owns what Pillow does not do by itself; bounds and formats are the caller's.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

SIDEWAYS = 0x0112  #: EXIF tag "Orientation"; 1 is upright


def upright_rgb(picture: Image.Image, quarter_turns: int = 0) -> Image.Image:
    """8 bits a channel, turned by its EXIF and then `quarter_turns` times clockwise.

    Transparency is left out, not filled: the colours under it are the photograph's.
    """
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    elif picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")  # to RGB at once, Pillow warns of each
    turned = ImageOps.exif_transpose(picture.convert("RGB"))
    return turned.rotate(-90 * quarter_turns, expand=True) if quarter_turns else turned


def turned_by_exif(picture: Image.Image) -> bool:
    """Whether a program that does not read EXIF would show it lying or mirrored."""
    return bool(picture.getexif().get(SIDEWAYS, 1) != 1)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Of 16-bit grey; Pillow's own conversion cuts everything above 255 to white."""
    grey = np.asarray(picture).clip(0, 65_535) / 257
    eight = Image.fromarray(grey.round().astype(np.uint8))
    eight.info = picture.info  # the EXIF, too
    return eight
