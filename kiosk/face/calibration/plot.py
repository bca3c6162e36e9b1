"""Pictures of a calibration: detection error trade-off curves and histograms of distances.

Owns how they look. Labels are English, so that no Chinese font is needed. Matplotlib's figures
are used without pyplot: no display, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

from kiosk.face.calibration.rates import Numbers
from kiosk.face.calibration.run import ALL, SAME_GROUP, Finding

#: Per cent at the axes of a DET curve.
_TICKS = (0.001, 0.01, 0.1, 1, 2, 5, 10, 20, 40)
_COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#525252")
_DPI = 130
_BINS = 120


def draw_det(findings: Sequence[Finding], path: Path) -> None:
    """All encoders in one picture; both axes scaled as normal deviates (ISO/IEC 19795-1)."""
    figure = Figure(figsize=(7.2, 7), layout="constrained")
    axes = figure.subplots()
    lows = [_curve(axes, finding, colour) for finding, colour in _coloured(findings)]
    low = max(min(lows, default=1e-3), 1e-5)
    for number, (finding, colour) in enumerate(_coloured(findings)):
        _marks(axes, finding, colour, 0.025 * (number - (len(findings) - 1) / 2))
    _deviate_axes(axes, low)
    _unsupported(axes, max(f.points[0].bound for f in findings))
    axes.set_xlabel("False match rate, %")
    axes.set_ylabel("False non-match rate, %")
    first = findings[0]
    axes.set_title(
        f"DET: {first.people} people, {first.genuine:,} genuine and {first.impostor:,} impostor "
        "comparisons",
        fontsize=10,
    )
    axes.plot([-9, 9], [-9, 9], color="#bbbbbb", linewidth=0.8, linestyle=":")
    axes.legend(fontsize=9, loc="upper right")
    figure.savefig(path, dpi=_DPI)


def _coloured(findings: Sequence[Finding]) -> list[tuple[Finding, str]]:
    return [(f, _COLOURS[n % len(_COLOURS)]) for n, f in enumerate(findings)]


def _curve(axes: Axes, finding: Finding, colour: str) -> float:
    """Draw it; where no error is left there is nothing to draw. Returns the smallest rate."""
    fmr, fnmr = finding.det.fmr, finding.det.fnmr
    shown = (fmr > 0) & (fnmr > 0)
    label = f"{finding.encoder}: EER {100 * finding.eer:.2g} %"
    if not shown.any():
        axes.plot([], [], color=colour, label=f"{label} (no overlap)")
        return 1 / finding.impostor
    axes.plot(_deviate(fmr[shown]), _deviate(fnmr[shown]), color=colour, linewidth=1.6, label=label)
    axes.plot(_deviate(finding.eer), _deviate(finding.eer), "o", color=colour, markersize=4)
    return float(min(fmr[shown].min(), fnmr[shown].min()))


def _marks(axes: Axes, finding: Finding, colour: str, aside: float) -> None:
    """The interval of FNMR where FMR is a round number, a little aside of the others'."""
    for point in finding.points:
        if point.fmr is None or point.fnmr is None or point.fmr.value <= 0:
            continue
        low, high = max(point.fnmr.low, 1e-7), point.fnmr.high
        x = float(_deviate(point.fmr.value)) + aside
        axes.plot([x, x], [_deviate(low), _deviate(high)], color=colour, linewidth=1.3, alpha=0.6)


def _unsupported(axes: Axes, bound: float) -> None:
    """Grey where FMR is below what so many pairs of people can show (the rule of three)."""
    begin, end = axes.get_xlim()[0], float(_deviate(bound))
    if end > begin:
        label = f"FMR below {100 * bound:.2g} %: not supported by these people"
        axes.axvspan(begin, end, color="#999999", alpha=0.15, linewidth=0, label=label)


def _deviate_axes(axes: Axes, low: float) -> None:
    begin, end = float(_deviate(low * 0.6)), float(_deviate(0.5))
    axes.set_xlim(begin, end)
    axes.set_ylim(begin, end)
    ticks = [t for t in _TICKS if t / 100 >= low * 0.6]
    places = [float(_deviate(t / 100)) for t in ticks]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(places, [f"{t:g}" for t in ticks])
    axes.set_aspect("equal")
    axes.grid(color="#e5e5e5", linewidth=0.7)


def _deviate(rate: ArrayLike) -> Numbers:
    return np.asarray(stats.norm.ppf(rate), dtype=np.float64)


def draw_scores(finding: Finding, path: Path) -> None:
    """Histograms of both kinds of distance (logarithmic), thresholds, and the tail model."""
    c = finding.comparisons
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(0, float(max(c.impostor[-1], c.genuine.max())) * 1.02, _BINS)
    for distances, name, colour in (
        (c.genuine, "genuine", "#4d7c0f"),
        (c.impostor, "impostor", "#b91c1c"),
    ):
        share = np.full(len(distances), 1 / len(distances))
        axes.hist(
            distances, bins.tolist(), weights=share, histtype="stepfilled", alpha=0.35,
            color=colour, label=f"{name} ({len(distances):,})",
        )  # fmt: skip
    _tails(axes, finding, bins)
    _thresholds(axes, finding)
    axes.set_yscale("log")
    axes.set_ylim(1e-8, 1)
    axes.set_xlim(0, bins[-1])
    axes.set_xlabel("Euclidean distance")
    axes.set_ylabel("share of comparisons per bin")
    axes.set_title(f"{finding.encoder}: {finding.people} people", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")
    figure.savefig(path, dpi=_DPI)


def _tails(axes: Axes, finding: Finding, bins: Numbers) -> None:
    for name, style in ((ALL, "-"), (SAME_GROUP, "--")):
        if name in finding.tails:
            model = finding.tails[name].model
            edges = bins[bins <= model.below]
            per_bin = np.diff(model.rate(edges))
            label = f"tail model, {name.replace('_', ' ')}"
            axes.plot(edges[1:], per_bin, style, color="#7f1d1d", linewidth=1.1, label=label)


def _thresholds(axes: Axes, finding: Finding) -> None:
    if finding.recommendation is None:
        return
    thresholds = finding.recommendation.thresholds
    for value, name, colour in (
        (thresholds.identify_max_distance, "identify", "#0b6e99"),
        (thresholds.verify_max_distance, "verify", "#7e22ce"),
    ):
        label = f"{name}_max_distance {value:.3f}"
        axes.axvline(value, color=colour, linewidth=1.1, label=label)
