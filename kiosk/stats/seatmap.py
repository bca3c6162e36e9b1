"""The hall as a picture: how often each terminal was drawn against how often it should have been.

Owns how it looks. Matplotlib's figures are used without pyplot: no display, no global state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps, font_manager
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle

from kiosk.stats.draws import Seat
from kiosk.stats.tally import Tally

#: orange to purple: told apart by colour-blind eyes, and light where all is well
COLOURS = "PuOr_r"
WIDEST = 3.5  #: standard deviations at the ends of the scale
PER_ROW = 10  #: of a hall whose rows are not known
_FONTS = ("WenQuanYi Zen Hei", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei")
_DPI = 130


@dataclass(frozen=True, slots=True)
class Words:
    """What is written on the picture."""

    title: str  #: with {venue}, {draws}, {sessions}
    scale: str
    front: str
    order: str  #: instead of `front`, where rows are not known


def draw_map(tallies: Mapping[str, Tally], path: Path, words: Words) -> None:
    """One hall below the other. Raises `OSError`, `ValueError` for an unknown kind of picture."""
    grids = {venue: _grid(tally.seats) for venue, tally in tallies.items()}
    rows = [1 + max(y for _, y in grid.values()) for grid in grids.values()]
    wide = max((1 + max(x for x, _ in grid.values()) for grid in grids.values()), default=1)
    figure = Figure(
        figsize=(max(6.0, 0.85 * wide + 1.6), sum(0.62 * n + 1.3 for n in rows)),
        layout="constrained",
    )
    font = chinese_font()
    every = figure.subplots(len(grids), 1, squeeze=False, height_ratios=rows)[:, 0]
    for axes, (venue, tally) in zip(every, tallies.items(), strict=True):
        _hall(axes, tally, grids[venue], font, words)
        axes.set_title(
            words.title.format(venue=venue, draws=f"{tally.draws:,}", sessions=tally.sessions),
            fontproperties=font,
            fontsize=11,
        )
    scale = ScalarMappable(Normalize(-WIDEST, WIDEST), colormaps[COLOURS])
    bar = figure.colorbar(scale, ax=list(every), shrink=0.8, pad=0.02)
    bar.set_label(words.scale, fontproperties=font, fontsize=9)
    figure.savefig(path, dpi=_DPI)


def chinese_font() -> FontProperties | None:
    """A font that has Chinese, if this machine has one."""
    known = {font.name: font.fname for font in font_manager.fontManager.ttflist}
    found = next((known[name] for name in _FONTS if name in known), None)
    return FontProperties(fname=found) if found else None


def _grid(seats: Mapping[str, Seat]) -> dict[str, tuple[int, int]]:
    """Terminal → column and row of the picture, from 0; row 1 of the hall is above."""
    if all(seat.row is not None and seat.column is not None for seat in seats.values()):
        left = min(seat.column or 0 for seat in seats.values())
        front = min(seat.row or 0 for seat in seats.values())
        return {
            name: ((seat.column or 0) - left, (seat.row or 0) - front)
            for name, seat in seats.items()
        }
    order = sorted(seats, key=lambda name: (seats[name].position, name))
    return {name: (n % PER_ROW, n // PER_ROW) for n, name in enumerate(order)}


def _hall(
    axes: Axes,
    tally: Tally,
    grid: Mapping[str, tuple[int, int]],
    font: FontProperties | None,
    words: Words,
) -> None:
    colours, normal = colormaps[COLOURS], Normalize(-WIDEST, WIDEST)
    for place, name in enumerate(tally.seats):
        x, y = grid[name]
        count, expected = tally.observed[place], tally.expected[place]
        variance = tally.covariance[place, place]
        away = (count - expected) / np.sqrt(variance) if variance > 0 else 0.0
        never = expected == 0
        ground = "#e5e5e5" if never else colours(normal(away))
        ink = "white" if not never and abs(away) > 0.62 * WIDEST else "#1a1a1a"
        axes.add_patch(Rectangle((x + 0.04, y + 0.04), 0.92, 0.92, color=ground))
        axes.text(x + 0.5, y + 0.36, name, ha="center", va="center", color=ink,
                  fontproperties=font, fontsize=10 if len(name) < 5 else 7)  # fmt: skip
        said = "–" if never else f"{count:.0f} / {expected:.1f}"
        axes.text(x + 0.5, y + 0.72, said, ha="center", va="center", color=ink, fontsize=6.5)
    axes.set_xlim(0, 1 + max(x for x, _ in grid.values()))
    axes.set_ylim(1 + max(y for _, y in grid.values()), 0)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    rows_known = all(s.row is not None and s.column is not None for s in tally.seats.values())
    axes.set_xlabel(words.front if rows_known else words.order, fontproperties=font, fontsize=9)
    axes.xaxis.set_label_position("top")
    for side in axes.spines.values():
        side.set_visible(False)
