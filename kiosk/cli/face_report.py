"""What a calibration found, for people (tables and sentences) and for machines (plain data).

Owns wording and order. Computes nothing but percentages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kiosk.cli.base import Context
from kiosk.cli.face_texts import METHODS, OUT_OF_REACH, SHORTFALLS, SKIPPED

if TYPE_CHECKING:
    from kiosk.face.calibration.bootstrap import Rate
    from kiosk.face.calibration.engine import Result
    from kiosk.face.calibration.folder import Skipped
    from kiosk.face.calibration.recommend import Expected, Shortfall, Span, Thresholds
    from kiosk.face.calibration.run import Alike, Finding, Point

_LISTED = 15  #: of a long list on the screen; report.json has all
#: Reasons that count as failures to acquire: there was a picture and nothing came of it.
_ACQUIRE = ("unreadable", "two_tone", "no_face", "several_faces", "too_small", "blurred")


# --- numbers ------------------------------------------------------------------------------------


def percent(rate: float) -> str:
    """0.0123 → 1.23 %; very small ones as powers of ten, or about 0; NaN as a dash."""
    if math.isnan(rate):
        return "–"
    if 0 < rate < 1e-5:
        return f"{rate:.1e}" if rate >= 1e-9 else "≈0"
    return f"{100 * rate:.3g} %"


def _target(rate: float) -> str:
    """As it was asked for, however small."""
    return percent(rate) if rate >= 1e-9 else f"{rate:.1e}"


def _between(low: float, high: float) -> str:
    return f"[{percent(low)}, {percent(high)}]"


def _distance(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.3f}"


def _rate(c: Context, rate: Rate | None) -> str:
    if rate is None or not rate.trials:
        return "–"
    if rate.method == "rule-of-three":
        return f"0 / {rate.trials} (≤ {percent(rate.high)})"
    return f"{percent(rate.value)} {_between(rate.low, rate.high)}"


def _span(span: Span | None) -> str:
    if span is None:
        return "–"
    return f"{percent(span.value)} {_between(span.low, span.high)}"


# --- for people ---------------------------------------------------------------------------------


def show(c: Context, result: Result, written: Sequence[Path]) -> None:
    from kiosk.face.calibration.folder import told

    _input(c, result)
    for finding in result.findings:
        click.echo(f"\n== {finding.encoder} ==")
        _suspects(c, finding)
        _one_to_one(c, finding)
        _groups(c, result, finding)
        _one_to_many(c, result, finding)
        _advice(c, result, finding)
    click.echo(c.say("\n已写入：", "\nwritten: ") + ", ".join(told(str(path)) for path in written))


def _input(c: Context, result: Result) -> None:
    collected = result.collected
    failed = [s for s in collected.skipped if s.code in _ACQUIRE]
    share = len(failed) / max(collected.tried, 1)
    click.echo(c.say(
        f"{result.people} 人，{collected.tried} 张照片；可用 {len(collected.people)} 人，"
        f"{len(collected.pictures)} 张。采集失败率（FTA）{percent(share)}",
        f"people: {result.people}, pictures: {collected.tried}; of use: {len(collected.people)} "
        f"people, {len(collected.pictures)} pictures. Failure to acquire (FTA): {percent(share)}",
    ))  # fmt: skip
    for line in left_out(c, collected.skipped):
        click.echo(line)


def left_out(c: Context, skipped: Sequence[Skipped]) -> Iterator[str]:
    """How many of what kind, then the first of them by name."""
    if not skipped:
        return
    counts = Counter(s.code for s in skipped)
    words = (f"{c.say(*SKIPPED[code])} {n}" for code, n in counts.most_common())
    yield c.say("未使用：", "left out: ") + c.say("，", ", ").join(words)
    for one in skipped[:_LISTED]:
        detail = f" ({one.detail})" if one.detail else ""
        yield f"  {one.path}: {c.say(*SKIPPED[one.code])}{detail}"
    yield from _more(c, len(skipped))


def _more(c: Context, number: int) -> Iterator[str]:
    if number > _LISTED:
        rest = number - _LISTED
        yield c.say(f"  还有 {rest} 个，见 report.json", f"  and {rest} more: report.json")


def _suspects(c: Context, finding: Finding) -> None:
    if not finding.suspects:
        return
    click.echo(c.say(
        f"不同人的照片过于相像（距离 ≤ {finding.suspects_below:.3f}，即同一人比对的一半都比它远）："
        "可能标错了人，也可能是亲属。请核对：",
        f"pictures of different people that are too alike (distance ≤ "
        f"{finding.suspects_below:.3f}, nearer than half of the genuine comparisons): a label "
        "error, or relatives. Please look:",
    ))  # fmt: skip
    for suspect in finding.suspects[:_LISTED]:
        click.echo(f"  {suspect.distance:.3f}  {suspect.one}  {suspect.other}")
    for line in _more(c, len(finding.suspects)):
        click.echo(line)


def _one_to_one(c: Context, finding: Finding) -> None:
    click.echo(c.say(
        f"同一人比对 {finding.genuine} 次（{finding.people_genuine} 人），"
        f"不同人比对 {finding.impostor} 次（{finding.impostor_pairs} 对人）",
        f"genuine comparisons: {finding.genuine} ({finding.people_genuine} people), "
        f"impostor comparisons: {finding.impostor} ({finding.impostor_pairs} pairs of people)",
    ))  # fmt: skip
    low, high = finding.eer_interval
    between = _between(low, high) if finding.eer else f"(≤ {percent(high)})"
    click.echo(c.say(
        f"等错误率 EER {percent(finding.eer)} {between}，距离 {finding.eer_threshold:.3f}",
        f"EER {percent(finding.eer)} {between} at distance {finding.eer_threshold:.3f}",
    ))  # fmt: skip
    headings = c.say(
        "目标 FMR,距离 ≤,误匹配率 FMR [95 %],误不匹配率 FNMR [95 %],区间算法",
        "FMR wanted,distance ≤,false match rate [95 %],false non-match rate [95 %],intervals by",
    ).split(",")
    c.print_table(headings, (_point(c, finding, point) for point in finding.points))


def _point(c: Context, finding: Finding, point: Point) -> tuple[str, ...]:
    if point.threshold is None or point.fmr is None or point.fnmr is None:
        said = c.say(
            f"{finding.impostor_pairs} 对人测不出：最多能说 ≤ {percent(point.bound)}（95 %）",
            f"not measurable with {finding.impostor_pairs} pairs of people: at most "
            f"{percent(point.bound)} (95 %)",
        )
        return percent(point.target), "–", said, "–", "–"
    methods = dict.fromkeys(c.say(*METHODS[rate.method]) for rate in (point.fmr, point.fnmr))
    return (
        percent(point.target),
        f"{point.threshold:.3f}",
        _rate(c, point.fmr),
        _rate(c, point.fnmr),
        " / ".join(methods),
    )


def _groups(c: Context, result: Result, finding: Finding) -> None:
    from kiosk.face.calibration.tail import least_pairs

    if not finding.groups:
        return
    click.echo(c.say(
        f"分组（组内的人之间，在下面建议的阈值上；{len(result.collected.people)} 人中已知："
        f"{_each(c, result.grouped)}）：",
        f"by group (impostors within it, at the thresholds below; known, of "
        f"{len(result.collected.people)} people: {_each(c, result.grouped)}):",
    ))  # fmt: skip
    headings = c.say(
        "分组,值,人数,FMR（1:N 阈值）,FMR（1:1 阈值）,FNMR（1:1 阈值）,最近的两人",
        "group,value,people,FMR (1:N threshold),FMR (1:1 threshold),FNMR (1:1 threshold),nearest",
    ).split(",")
    c.print_table(
        headings,
        (
            (row.column, row.value, row.people, _rate(c, row.fmr), _rate(c, row.fmr_verify),
             _rate(c, row.fnmr), _distance(row.nearest))
            for row in finding.groups
        ),
    )  # fmt: skip
    held, few = (
        {_columns(c, alike): alike.pairs for alike in finding.alike if alike.held is which}
        for which in (True, False)
    )
    if held:
        click.echo(c.say(
            f"阈值也按同组的人推算（对数）：{_each(c, held)}。",
            f"the thresholds are held against people of the same group too (pairs of people): "
            f"{_each(c, held)}.",
        ))  # fmt: skip
    if few:
        click.echo(c.say(
            f"同组的人太少（少于 {least_pairs()} 对），阈值没有按它们推算：{_each(c, few)}。",
            f"too few pairs of people of the same group to hold the thresholds against (fewer than "
            f"{least_pairs()}): {_each(c, few)}.",
        ))  # fmt: skip


def _each(c: Context, numbers: Mapping[str, int]) -> str:
    return c.say("，", ", ").join(f"{name} {number}" for name, number in numbers.items())


def _columns(c: Context, alike: Alike) -> str:
    """By what they are alike; two columns or more are all that there are."""
    return alike.columns[0] if len(alike.columns) == 1 else c.say("各列都相同", "all of these")


def _population(c: Context, finding: Finding, name: str) -> str:
    """Whose impostors decided."""
    for alike in finding.alike:
        if alike.name == name:
            columns = c.say("、", ", ").join(alike.columns)
            return c.say(f"{columns} 相同的人之间", f"people of the same {columns}")
    return c.say("所有人之间", "all people")


def _one_to_many(c: Context, result: Result, finding: Finding) -> None:
    columns = [(c.say("现用", "in use"), finding.current, finding.current_expected)]
    simulated = [finding.current_simulated]
    verify = [finding.current_verify]
    if finding.recommendation is not None:
        r = finding.recommendation
        columns.append((c.say("建议", "recommended"), r.thresholds, r.expected))
        simulated.append(finding.simulated)
        verify.append(finding.verify)
    rows: list[list[str]] = []

    def row(zh: str, en: str, cells: Sequence[str]) -> None:
        rows.append([c.say(zh, en), *cells])

    values = [t for _, t, _ in columns if t is not None]
    for name in ("verify_max_distance", "identify_max_distance", "identify_margin"):
        row(name, name, [_distance(getattr(t, name)) for t in values])
    row("1:1 误匹配率 FMR", "1:1 false match rate", [_rate(c, v[0]) if v else "–" for v in verify])
    row("1:1 误不匹配率 FNMR", "1:1 false non-match rate",
        [_rate(c, v[1]) if v else "–" for v in verify])  # fmt: skip
    measured = [s for s in simulated if s is not None]
    if measured:
        n = measured[0].roster
        for zh, en, key in _SIMULATED:
            row(f"实测 {n} 人名单：{zh}", f"simulated, roster of {n}: {en}",
                [_rate(c, getattr(s, key) if s else None) for s in simulated])  # fmt: skip
    expected = [e for _, _, e in columns]
    n = result.request.settings.targets.roster
    if any(expected):
        for zh, en, key in _EXPECTED:
            row(f"外推 {n} 人名单：{zh}", f"extrapolated, roster of {n}: {en}",
                [_span(getattr(e, key) if e else None) for e in expected])  # fmt: skip
        row("外推：误报辨识率 95 % 上限", "extrapolated: upper 95 % bound of FPIR",
            [f"{percent(e.false_positive.upper)} ({_population(c, finding, e.population)})"
             if e else "–" for e in expected])  # fmt: skip
    c.print_table(["", *(name for name, _, _ in columns)], rows)


_SIMULATED = (
    ("误报辨识率 FPIR（不在名单）", "FPIR (not on it)", "false_positive"),
    ("认成别人（在名单）", "taken for another (on it)", "wrong_person"),
    ("漏识率 FNIR", "FNIR", "miss"),
    ("其中无法确定", "of which not sure", "not_sure"),
)
_EXPECTED = (
    ("误报辨识率 FPIR", "FPIR", "false_positive"),
    ("漏识率 FNIR", "FNIR", "miss"),
    ("其中无法确定", "of which not sure", "not_sure"),
)


def _advice(c: Context, result: Result, finding: Finding) -> None:
    targets = result.request.settings.targets
    if finding.recommendation is None or finding.shortfalls:
        return
    click.echo(c.say(
        f"写入 config.yaml（名单 {targets.roster} 人，FPIR ≤ {_target(targets.fpir)}；"
        f"1:1 FMR ≤ {_target(targets.fmr)}；均按 95 % 上限，含外推）：",
        f"for config.yaml (roster of {targets.roster}, FPIR ≤ {_target(targets.fpir)}; 1:1 FMR ≤ "
        f"{_target(targets.fmr)}; both by the upper 95 % bound, extrapolated):",
    ))  # fmt: skip
    click.echo(as_yaml(finding.encoder, finding.recommendation.thresholds))


def as_yaml(encoder: str, thresholds: Thresholds) -> str:
    """The section `face` of config.yaml, as far as it is about distances."""
    return "\n".join(
        [
            "face:",
            f"  encoder: {encoder}",
            f"  verify_max_distance: {_distance(thresholds.verify_max_distance)}",
            f"  identify_max_distance: {_distance(thresholds.identify_max_distance)}",
            f"  identify_margin: {_distance(thresholds.identify_margin)}",
        ]
    )


def problems(c: Context, result: Result, strict: bool) -> Iterator[str]:
    """Why the command does not end with 0."""
    from kiosk.face.calibration.tail import least_pairs

    targets = result.request.settings.targets
    pairs = least_pairs()
    people = math.ceil((1 + math.sqrt(1 + 8 * pairs)) / 2)
    for finding in result.findings:
        for shortfall in finding.shortfalls:
            text = c.say(*SHORTFALLS[shortfall])
            numbers = {"people": people, "pairs": pairs, "roster": targets.roster,
                       "fmr": _target(targets.fmr), "fpir": _target(targets.fpir),
                       "have": finding.impostor_pairs, "frames": _presented(c, result),
                       "why": _out_of_reach(c, finding, shortfall)}  # fmt: skip
            yield f"{finding.encoder}: {text.format(**numbers)}"
        if finding.shortfalls and finding.suspects:
            yield c.say(
                f"{finding.encoder}：请先核对上面过于相像的照片，它们可能就是原因。",
                f"{finding.encoder}: look first at the pictures above that are too alike: they may "
                "be why.",
            )
        if strict and finding.suspects:
            yield c.say(
                f"{finding.encoder}：{len(finding.suspects)} 对人过于相像（--strict）",
                f"{finding.encoder}: {len(finding.suspects)} pairs of people are too alike "
                "(--strict)",
            )


def _presented(c: Context, result: Result) -> str:
    """Who cannot be presented, where several pictures make a presentation."""
    if (frames := result.request.settings.frames) == 1:
        return ""
    return c.say(
        f"（--frames {frames}：只有照片不少于 {frames} 张的人能作为出示者）",
        f" (--frames {frames}: only who has so many pictures is presented)",
    )


def _out_of_reach(c: Context, finding: Finding, target: Shortfall) -> str:
    needed = finding.recommendation.needed.get(target) if finding.recommendation else None
    if needed is None or needed.max_distance is None:
        return c.say(*OUT_OF_REACH["no_distance"])
    said = c.say(*OUT_OF_REACH["misses"])
    return said.format(distance=_distance(needed.max_distance), miss=percent(needed.miss))


# --- for machines -------------------------------------------------------------------------------


def as_data(result: Result) -> dict[str, Any]:
    """report.json and `--json`: counts, rates with intervals, thresholds; nothing biometric."""
    collected = result.collected
    skipped = [asdict(s) for s in collected.skipped]
    failed = sum(1 for s in collected.skipped if s.code in _ACQUIRE)
    settings = result.request.settings
    data = {
        "people": result.people,
        "people_used": len(collected.people),
        "people_grouped": result.grouped if result.request.groups else None,
        "pictures": collected.tried,
        "pictures_used": len(collected.pictures),
        "failure_to_acquire": failed / max(collected.tried, 1),
        "skipped": skipped,
        "detector": result.request.detector,
        "frames": settings.frames,
        "targets": asdict(settings.targets),
        "encoders": [_finding(finding) for finding in result.findings],
    }
    return dict(_plain(data))


def _finding(finding: Finding) -> dict[str, Any]:
    """All but the distances themselves."""
    names = (
        "encoder", "people", "pictures", "people_genuine", "genuine", "impostor",
        "impostor_pairs", "eer", "eer_interval", "eer_threshold", "suspects_below", "shortfalls",
    )  # fmt: skip
    data: dict[str, Any] = {name: getattr(finding, name) for name in names}
    data["points"] = [asdict(point) for point in finding.points]
    data["suspects"] = [asdict(suspect) for suspect in finding.suspects]
    data["same_group"] = [asdict(alike) for alike in finding.alike]
    data["groups"] = [asdict(row) for row in finding.groups]
    data["det"] = {"threshold": finding.det.thresholds, "fmr": finding.det.fmr,
                   "fnmr": finding.det.fnmr, "fnmr_low": finding.fnmr_limits[0],
                   "fnmr_high": finding.fnmr_limits[1]}  # fmt: skip
    data["tails"] = {name: asdict(tail.model) | {"pairs": tail.pairs}
                     for name, tail in finding.tails.items()}  # fmt: skip
    recommended = finding.recommendation
    data["recommended"] = None
    if recommended is not None:
        data["recommended"] = asdict(recommended.thresholds) | {
            "verify_population": recommended.verify_population,
            "verify_fmr_extrapolated": (
                asdict(recommended.verify_match) if recommended.verify_match else None
            ),
            "needed": {target: asdict(needed) for target, needed in recommended.needed.items()},
        } | _rates(finding.verify, finding.simulated, recommended.expected)  # fmt: skip
    data["in_use"] = None
    if finding.current is not None:
        data["in_use"] = asdict(finding.current) | _rates(
            finding.current_verify, finding.current_simulated, finding.current_expected
        )
    return data


def _rates(
    verify: tuple[Rate, Rate] | None, simulated: Any, expected: Expected | None
) -> dict[str, Any]:
    return {
        "verify_fmr": asdict(verify[0]) if verify else None,
        "verify_fnmr": asdict(verify[1]) if verify else None,
        "simulated": asdict(simulated) if simulated else None,
        "extrapolated": asdict(expected) if expected else None,
    }


def _plain(value: Any) -> Any:
    """Without numpy and without what JSON has no word for."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
