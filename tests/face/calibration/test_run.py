"""From embeddings to thresholds: made-up people, whose answer is known."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from crowd import as_collected, made_up
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image
from test_tail import true_rate

from kiosk.cli import face_report
from kiosk.cli.base import Context
from kiosk.face.calibration import bootstrap, identify, plot, recommend, run, tail
from kiosk.face.calibration.comparisons import compare
from kiosk.face.calibration.engine import Request, Result
from kiosk.face.calibration.groups import Groups
from kiosk.face.calibration.recommend import Shortfall, Targets, Thresholds
from kiosk.face.calibration.run import NothingToCompare, Settings, analyse

QUICK = Settings(replicates=200)


def finding_of(samples, groups=None, settings=QUICK, current=None):
    return analyse(as_collected(samples), samples, groups or Groups(), settings, current)


@pytest.fixture(scope="module")
def finding():
    return finding_of(made_up(120, 3))


def test_recommended_thresholds_keep_the_targets_on_people_never_seen(finding):
    thresholds = finding.recommendation.thresholds
    assert finding.shortfalls == ()
    assert true_rate(thresholds.verify_max_distance) <= 1e-4
    fpir = identify.false_positives(true_rate(thresholds.identify_max_distance), 500)
    assert fpir <= 1e-3
    assert finding.recommendation.expected.false_positive.upper <= 1e-3
    assert thresholds.identify_max_distance < thresholds.verify_max_distance
    # … and on others of the same population, by the gate's own rule
    others = identify.simulate(made_up(300, 3, seed=5), 299, np.random.default_rng(0), rosters=2)
    from kiosk.core.identity import Policy

    rule = Policy(
        thresholds.verify_max_distance,
        thresholds.identify_max_distance,
        thresholds.identify_margin,
        5,
    )
    assert identify.Outcome.OTHER not in others.strangers.decided(rule)


def test_the_same_people_give_the_same_finding(finding):
    again = finding_of(made_up(120, 3))
    assert again.recommendation == finding.recommendation
    assert again.eer_interval == finding.eer_interval


def test_what_cannot_be_measured_has_no_threshold(finding):
    assert [p.target for p in finding.points if p.threshold is None] == [1e-4, 1e-5]
    assert finding.points[-1].bound == pytest.approx(3 / finding.impostor_pairs, rel=0.01)
    measured = finding.points[0]
    assert measured.fmr.value <= 1e-2 and measured.fnmr.value <= finding.points[1].fnmr.value


def test_few_people_get_rates_but_no_thresholds():
    few = finding_of(made_up(20, 4), current=Thresholds(0.9, 0.7, 0.1))
    assert few.recommendation is None and few.shortfalls == (Shortfall.FEW_PEOPLE,)
    assert few.eer >= 0 and few.current_simulated.roster == 19
    assert few.current_expected is None, "nothing is extrapolated from 190 pairs"


def test_a_hopeless_encoder_is_called_so():
    rng = np.random.default_rng(1)
    noise = made_up(60, 3)
    noise.embeddings[:] = rng.normal(size=noise.embeddings.shape) / np.sqrt(32)
    hopeless = finding_of(noise)
    assert set(hopeless.shortfalls) == {Shortfall.VERIFY, Shortfall.IDENTIFY}
    assert hopeless.eer == pytest.approx(0.5, abs=0.06)


def test_one_person_with_two_folders_is_listed_and_lowers_the_threshold(finding):
    double = made_up(120, 3)
    double.embeddings[0] = double.embeddings[6] + 0.001
    found = finding_of(double)
    assert (found.suspects[0].one, found.suspects[0].other) == ("p000/0.jpg", "p002/6.jpg")
    assert found.suspects[0].distance < 0.01 and len(found.suspects) >= 1
    assert finding.suspects == ()
    before = finding.recommendation.thresholds.identify_max_distance
    needed = found.recommendation.needed[Shortfall.IDENTIFY].max_distance
    assert needed < min(0.01, before)
    assert found.recommendation.thresholds.identify_max_distance is None, "nobody would get in"


def groups_of(people: int, *columns: str) -> Groups:
    names = [f"p{n:03d}" for n in range(people)]
    made = {}
    for at, column in enumerate(columns):
        made[column] = {name: "ab"[(n >> at) & 1] for n, name in enumerate(names)}
    return Groups(made)


def test_people_of_a_group_that_are_more_alike_decide():
    s = made_up(120, 3)
    a = (s.person % 2) == 0
    middle = s.embeddings[a].mean(axis=0)
    s.embeddings[a] = middle + 0.75 * (s.embeddings[a] - middle)
    whole = finding_of(s)
    grouped = finding_of(s, groups_of(120, "origin"))
    assert grouped.recommendation.expected.population == "same origin"
    assert grouped.alike == (run.Alike(("origin",), 2 * (60 * 59 // 2), held=True),)
    assert (
        grouped.recommendation.thresholds.identify_max_distance
        < whole.recommendation.thresholds.identify_max_distance
    )
    rows = {row.value: row for row in grouped.groups}
    assert rows["a"].people == rows["b"].people == 60
    assert rows["a"].nearest < rows["b"].nearest
    assert rows["a"].fmr.units == 60 * 59 // 2, "impostors within the group"


def test_a_column_that_nobody_shares_or_few_are_known_of_hides_no_other():
    """What most tables look like: little is known of most, and one column tells all apart."""
    s = made_up(120, 3)
    a = (s.person % 2) == 0
    middle = s.embeddings[a].mean(axis=0)
    s.embeddings[a] = middle + 0.75 * (s.embeddings[a] - middle)
    alone = groups_of(120, "origin")
    names = list(alone.columns["origin"])
    table = Groups(
        {"source": {name: name for name in names}, **alone.columns, "age": {names[0]: "old"}}
    )
    found = finding_of(s, table)
    assert found.recommendation == finding_of(s, alone).recommendation
    assert [(one.columns, one.pairs, one.held) for one in found.alike] == [
        (("source",), 0, False),
        (("origin",), 2 * (60 * 59 // 2), True),
        (("age",), 0, False),
        (("source", "origin", "age"), 0, False),
    ]


def test_people_alike_in_every_column_are_held_against_as_well():
    found = finding_of(made_up(120, 3), groups_of(120, "sex", "age"))
    assert set(found.tails) == {run.ALL, "same sex", "same age", "same sex + age"}
    by_hand = sum(p % 4 == q % 4 for p in range(120) for q in range(p))
    assert found.alike[-1] == run.Alike(("sex", "age"), by_hand, held=True)


def test_groups_of_two_columns_must_both_agree():
    people = ("p000", "p001", "p002", "p004")
    alike = run.alike_people(people, groups_of(5, "sex", "age"), ("sex", "age"))
    assert alike.tolist() == [
        [True, False, False, True],
        [False, True, False, False],
        [False, False, True, False],
        [True, False, False, True],
    ]
    assert finding_of(made_up(40, 3)).alike == ()
    unknown = run.alike_people(("who", "else"), groups_of(5, "sex"), ("sex",))
    assert not unknown.any(), "who is of no known group is alike to nobody"


def test_small_groups_are_reported_but_do_not_decide():
    found = finding_of(made_up(60, 3), Groups({"origin": {"p000": "x", "p001": "x"}}))
    assert list(found.tails) == [run.ALL]
    assert found.alike == (run.Alike(("origin",), 1, held=False),)
    assert found.recommendation is not None and found.groups[0].people == 2


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ("known, of 60 people: sex 60, age 2)", "same group too (pairs of people): sex 870.",
                "(fewer than 600): age 1, all of these 0.", "(people of the same sex)")),
        ("zh", ("60 人中已知：sex 60，age 2）", "阈值也按同组的人推算（对数）：sex 870。",
                "（少于 600 对），阈值没有按它们推算：age 1，各列都相同 0。",
                "(sex 相同的人之间)")),
    ],
)  # fmt: skip
def test_of_whom_groups_are_known_and_against_whom_limits_are_held_is_told_by_column(
    capsys, language, says
):
    samples = made_up(60, 3)
    a = (samples.person % 2) == 0
    middle = samples.embeddings[a].mean(axis=0)
    samples.embeddings[a] = middle + 0.75 * (samples.embeddings[a] - middle)
    groups = Groups(groups_of(60, "sex").columns | {"age": {"p000": "old", "p001": "old"}})
    found = finding_of(samples, groups, current=Thresholds(0.9, 0.7, 0.1))
    collected = as_collected(samples)
    request = Request(Path("people"), ("made-up",), groups=Path("groups.csv"))
    known = groups.known_by_column(collected.people)
    result = Result(request, 60, known, collected, (found,))
    face_report.show(Context(Path("none.yaml"), language), result, [])
    shown = capsys.readouterr().out
    for sentence in says:
        assert sentence in shown
    data = face_report.as_data(result)
    assert data["people_grouped"] == {"sex": 60, "age": 2}
    assert data["encoders"][0]["same_group"][0] == {"columns": ["sex"], "pairs": 870, "held": True}


def test_stricter_targets_lower_the_thresholds(finding):
    strict = finding_of(made_up(120, 3), settings=Settings(Targets(5000, 1e-4, 1e-6), 1, 200))
    wide, narrow = finding.recommendation.needed, strict.recommendation.needed
    for target in (Shortfall.VERIFY, Shortfall.IDENTIFY):
        assert narrow[target].max_distance < wide[target].max_distance
    assert strict.shortfalls == (Shortfall.IDENTIFY,) and finding.shortfalls == ()
    met = strict.recommendation.thresholds
    assert met.verify_max_distance == narrow[Shortfall.VERIFY].max_distance
    assert met.identify_max_distance is None and strict.simulated is None


def test_what_no_distance_can_promise_is_called_so_and_nothing_is_recommended():
    """A tail so heavy that the search for a threshold once went on below zero."""
    hopeless = made_up(46, 2)
    hopeless.embeddings[:20] = hopeless.embeddings[20:40] + 0.1 * hopeless.embeddings[:20]
    found = finding_of(hopeless)
    assert found.recommendation.thresholds == Thresholds(None, None, None)
    assert found.recommendation.needed[Shortfall.VERIFY].max_distance is None
    assert (found.recommendation.verify_match, found.recommendation.expected) == (None, None)
    assert (found.verify, found.simulated) == (None, None)
    data = json.loads(json.dumps(face_report._plain(face_report._finding(found))))
    assert data["recommended"]["verify_max_distance"] is None
    c = Context(Path("none.yaml"), "en")
    assert face_report.OUT_OF_REACH["no_distance"][1] in face_report._out_of_reach(
        c, found, Shortfall.VERIFY
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_cannot_be_met_is_told_with_a_dash_and_what_it_would_take(capsys, language):
    samples = made_up(120, 3)
    targets = Targets(5000, 1e-4, 1e-300)
    found = finding_of(samples, settings=Settings(targets, 1, 200), current=Thresholds(0.9, 0.7, 0))
    request = Request(Path("people"), ("made-up",), settings=Settings(targets))
    result = Result(request, 120, {}, as_collected(samples), (found,))
    c = Context(Path("none.yaml"), language)
    face_report.show(c, result, [])
    shown = capsys.readouterr().out
    for name in ("verify_max_distance", "identify_max_distance", "identify_margin"):
        (row,) = [line for line in shown.splitlines() if line.startswith(name)]
        assert row.split()[-1] == "–" and row.split()[1] != "–"
    assert "face:" not in shown, "nothing to be put into config.yaml"
    one, many = face_report.problems(c, result, strict=False)
    assert face_report.OUT_OF_REACH["no_distance"][language == "en"] in one
    needed = found.recommendation.needed[Shortfall.IDENTIFY]
    assert f"{needed.max_distance:.3f}" in many and "--target-fpir" in many
    assert face_report.percent(needed.miss) in many
    assert "-0." not in shown + one + many


rates_wanted = st.floats(-300, -0.01).map(lambda power: 10**power)


@given(rates_wanted, rates_wanted, st.integers(2, 100_000), st.sampled_from([40, 60]))
@hypothesis.settings(max_examples=25, deadline=None)
def test_a_recommended_threshold_is_a_distance_and_keeps_its_target(fmr, fpir, roster, people):
    populations, simulation, drawn = small_hall(people)
    targets = Targets(roster, fpir, fmr)
    advice = recommend.recommend(targets, populations, simulation, drawn)
    one, many = advice.thresholds.verify_max_distance, advice.thresholds.identify_max_distance
    assert (one is None) == (Shortfall.VERIFY in advice.shortfalls)
    assert (many is None) == (Shortfall.IDENTIFY in advice.shortfalls)
    (population,) = populations
    farthest = population.comparisons.impostor[-1]
    if one is not None:
        assert 0 < one <= farthest and population.upper(one, drawn) <= fmr * (1 + 1e-9)
    if many is not None:
        assert 0 < many <= farthest and 0 <= advice.thresholds.identify_margin <= 1
        assert advice.expected.false_positive.upper <= fpir * (1 + 1e-6)
        assert advice.expected.miss.value <= recommend.WORST_MISS


@functools.cache
def small_hall(people: int):
    samples, rng = made_up(people, 2), np.random.default_rng(3)
    c = compare(samples, rng)
    drawn = bootstrap.weights(people, 100, rng)
    population = recommend.Population(run.ALL, c, tail.fit(c, drawn))
    return [population], identify.simulate(samples, 500, rng, rosters=2), drawn


def test_several_frames_make_it_easier():
    one, three = (
        finding_of(made_up(60, 9, within=0.7), settings=Settings(Targets(), n, 200)) for n in (1, 3)
    )
    assert three.eer < one.eer
    assert three.points[0].fnmr.value < one.points[0].fnmr.value


def test_one_sided_folders_are_refused():
    for samples in (made_up(1, 5), made_up(5, 1)):
        with pytest.raises(NothingToCompare):
            finding_of(samples)


def test_pictures_are_drawn(finding, tmp_path):
    other = finding_of(made_up(60, 3, seed=8, within=1.0))
    plot.draw_det([finding, other], tmp_path / "det.png")
    plot.draw_scores(other, tmp_path / "scores.png")
    plot.draw_scores(finding_of(made_up(10, 3)), tmp_path / "few.png")
    for name, least in (("det.png", 900), ("scores.png", 1000), ("few.png", 1000)):
        with Image.open(tmp_path / name) as picture:
            assert picture.width >= least
            assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 50, "not an empty page"


@pytest.mark.parametrize("counts", [[2, 1], [10] * 3, [6] * 6 + [1] * 40, [3] * 60])
def test_a_curve_without_errors_runs_along_the_axes_and_shows_what_is_open(counts, monkeypatch):
    """Where no rate was above 0 the picture once had nothing but an error bar."""
    found = finding_of(made_up(len(counts), counts))
    assert not ((found.det.fmr > 0) & (found.det.fnmr > 0)).any()
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    plot.draw_det([found], Path("nowhere.png"))
    (axes,) = drawn[0].axes
    curve, dot = axes.lines[0], axes.lines[1]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    for x, y in (*curve.get_xydata(), *dot.get_xydata()):
        assert left < x and bottom < y, "in the picture, or beyond its far ends"
    assert len(curve.get_xydata()) > 2 and dot.get_xydata()[0][0] < right
    highest = max(float(part.get_extents().y1) for part in axes.collections[0].get_paths())
    limit = float(plot._deviate(found.eer_interval[1]))
    assert limit < top and highest > limit - 0.2, "how high it may really lie is in the picture"
    words = " ".join(text.get_text() for text in drawn[0].legends[0].get_texts())
    for said in ("EER 0 % (dot), at most", "no distance has errors of both", "where it may lie",
                 "are too few to show it"):  # fmt: skip
        assert said in words


def test_the_report_is_plain_data_without_embeddings(finding):
    data = json.loads(json.dumps(face_report._plain(face_report._finding(finding))))
    assert data["recommended"]["identify_max_distance"] > 0
    assert data["recommended"]["simulated"]["false_positive"]["method"]
    text = json.dumps(data)
    assert "embedding" not in text and len(text) < 200_000
    assert np.all(np.diff(data["det"]["fmr"]) >= 0)
