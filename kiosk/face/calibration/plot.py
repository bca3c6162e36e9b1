"""Pictures of a calibration: detection error trade-off curves and histograms of distances.

Owns how they look. Labels are English, so that no Chinese font is needed. Matplotlib's figures
are used without pyplot: no display, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

from kiosk.face.calibration.rates import Numbers
from kiosk.face.calibration.run import ALL, Finding

#: Per cent at the axes of a DET curve.
_TICKS = (0.001, 0.01, 0.1, 1, 2, 5, 10, 20, 40, 60, 80, 95)
_LEAST, _USUAL_END, _MOST = 1e-5, 0.5, 0.97  #: rates that the axes begin and end with
_STRIP = 0.1  #: of an axis, for no error at all
_COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#525252")
_DPI = 130
_BINS = 120


def draw_det(findings: Sequence[Finding], path: Path) -> None:
    """All encoders in one picture; both axes scaled as normal deviates (ISO/IEC 19795-1).

    Such an axis has no 0. A curve without an error of one kind goes on in the strip at the
    axes' beginning, and what the few people leave open is shaded above it.
    """
    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    axes = figure.subplots()
    scale = _Scale.of(findings)
    for finding, colour in _coloured(findings):
        _curve(axes, scale, finding, colour)
    _unsupported(axes, scale, findings)
    _deviate_axes(axes, scale)
    axes.set_xlabel("False match rate (strangers taken for one another), %")
    axes.set_ylabel("False non-match rate (a person not recognised), %")
    first = findings[0]
    axes.set_title(
        f"DET: {first.people} people, {first.genuine:,} genuine comparisons (of "
        f"{first.people_genuine} people)\nand {first.impostor:,} impostor comparisons "
        f"({first.impostor_pairs:,} pairs of people)",
        fontsize=10,
    )
    places = [scale.begin, scale.end]
    axes.plot(places, places, color="#999999", linewidth=0.8, linestyle=":", label="equal rates")
    figure.legend(fontsize=8.5, loc="outside lower center", ncols=1, frameon=False)
    figure.savefig(path, dpi=_DPI)


def _coloured(findings: Sequence[Finding]) -> list[tuple[Finding, str]]:
    return [(f, _COLOURS[n % len(_COLOURS)]) for n, f in enumerate(findings)]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Of both axes, in normal deviates: the strip for "none seen", then from `begin` to `end`."""

    none: float
    begin: float
    end: float

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> _Scale:
        """As low as errors were seen, as high as the intervals at the EER reach."""
        seen = [rates[rates > 0] for f in findings for rates in (f.det.fmr, f.det.fnmr)]
        low = max(min((float(r.min()) for r in seen if len(r)), default=1e-3), _LEAST)
        high = max([_USUAL_END, *(min(1.1 * f.eer_interval[1], _MOST) for f in findings)])
        begin, end = float(_deviate(low * 0.5)), float(_deviate(high))
        return cls(begin - _STRIP * (end - begin), begin, end)

    def place(self, rates: ArrayLike) -> Numbers:
        """No error: into the middle of the strip."""
        rates = np.asarray(rates, dtype=np.float64)
        middle = (self.none + self.begin) / 2
        shown = np.clip(_deviate(np.clip(rates, _LEAST / 10, 1 - 1e-9)), self.begin, None)
        return np.where(rates > 0, shown, middle)


def _curve(axes: Axes, scale: _Scale, finding: Finding, colour: str) -> None:
    """The steps, the EER as a dot on them, and the interval of FNMR where some FMR was seen."""
    fmr, fnmr = finding.det.fmr, finding.det.fnmr
    rate, most = 100 * finding.eer, 100 * finding.eer_interval[1]
    overlap = "" if ((fmr > 0) & (fnmr > 0)).any() else "; no distance has errors of both kinds"
    axes.plot(
        scale.place(fmr), scale.place(fnmr), color=colour, linewidth=1.8, drawstyle="steps-post",
        label=f"{finding.encoder}: EER {rate:.2g} % (dot), at most {most:.2g} % (95 %){overlap}",
    )  # fmt: skip
    at = int(np.searchsorted(finding.det.thresholds, finding.eer_threshold, side="right")) - 1
    axes.plot(scale.place(fmr[at]), scale.place(fnmr[at]), "o", color=colour, markersize=6)
    low, high = finding.fnmr_limits
    axes.fill_between(
        scale.place(fmr), scale.place(low), scale.place(high), step="post", color=colour,
        alpha=0.16, linewidth=0, label=f"where it may lie with other people (95 %, from "
        f"{finding.people_genuine} with several pictures)",
    )  # fmt: skip


def _unsupported(axes: Axes, scale: _Scale, findings: Sequence[Finding]) -> None:
    """Hatched where FMR is below what so many pairs of people can show (the rule of three)."""
    bound = max(f.points[0].bound for f in findings)
    end = float(_deviate(bound))
    if end > scale.begin:
        pairs = min(f.impostor_pairs for f in findings)
        label = f"FMR below {100 * bound:.2g} %: {pairs:,} pairs of people are too few to show it"
        axes.axvspan(scale.none, min(end, scale.end), facecolor="none", edgecolor="#bbbbbb",
                     hatch="///", linewidth=0, label=label, zorder=0)  # fmt: skip


def _deviate_axes(axes: Axes, scale: _Scale) -> None:
    ticks = [t for t in _TICKS if scale.begin <= _deviate(t / 100) <= scale.end]
    places = [(scale.none + scale.begin) / 2, *(float(_deviate(t / 100)) for t in ticks)]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(places, ["none", *(f"{t:g}" for t in ticks)])
    axes.set_xlim(scale.none, scale.end)
    axes.set_ylim(scale.none, scale.end)
    axes.set_aspect("equal")
    axes.grid(color="#e5e5e5", linewidth=0.7)
    for line in (axes.axvline, axes.axhline):
        line(scale.begin, color="#777777", linewidth=0.8)


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
    styles = cycle(("--", ":", "-."))
    for name, tail in finding.tails.items():
        edges = bins[bins <= tail.model.below]
        per_bin = np.diff(tail.model.rate(edges))
        style = "-" if name == ALL else next(styles)
        label = f"tail model, {name}"
        axes.plot(edges[1:], per_bin, style, color="#7f1d1d", linewidth=1.1, label=label)


def _thresholds(axes: Axes, finding: Finding) -> None:
    if finding.recommendation is None:
        return
    thresholds = finding.recommendation.thresholds
    for value, name, colour in (
        (thresholds.identify_max_distance, "identify", "#0b6e99"),
        (thresholds.verify_max_distance, "verify", "#7e22ce"),
    ):
        if value is None:
            continue
        label = f"{name}_max_distance {value:.3f}"
        axes.axvline(value, color=colour, linewidth=1.1, label=label)
