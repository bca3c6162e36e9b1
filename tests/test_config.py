"""The configuration: the example parses; every mistake is said at once, by line, with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk import config
from kiosk.config import ConfigError, load

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "config.yaml").read_text()


def problems(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path)
    return [str(p) for p in error.value.problems]


def test_the_example_is_right_and_says_every_section():
    loaded = load(ROOT / "config.yaml")
    assert loaded.lane.safe_state == "locked"
    assert loaded.device_options("fingerprint")["address"] == 0xFFFFFFFF
    for section in config.Config.model_fields:
        assert f"\n{section}:" in EXAMPLE


def test_all_mistakes_at_once_with_line_value_bound_and_closest_name(tmp_path):
    text = (
        EXAMPLE.replace("  safe_state: locked", "  safe_stat: locked")
        .replace("frames: 5", "frames: 500")
        .replace("late_s: 0", "late_s: 0\n  late_s: 1")
        .replace("baud: 9600", "baud: fast")
    )
    found = problems(tmp_path, text)
    assert len(found) == 5
    told = "\n".join(found)
    assert "lane.safe_stat: unknown key; did you mean safe_state?" in told
    assert "lane.safe_state: is missing and has no default" in told
    assert "face.frames: input should be less than or equal to 50 (it is 500)" in told
    assert "given twice" in told
    assert "'fast'" in told
    lines = text.splitlines()
    for line, key in ((n, k) for n, k in _lines(found)):
        assert key in lines[line - 1] or key == "safe_state"


def _lines(found):
    for text in found:
        where, rest = text.split(": ", 1)
        yield int(where.removeprefix("line ")), rest.split(":")[0].split(".")[-1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("claim: id_card", "claim: guess"), "identity.claim"),
        (("release_coil: 1", "release_coil: 0"), "same coil"),
        (("input_fire: 3", "input_fire: 2"), "share one number"),
        (("timezone: Asia/Shanghai", "timezone: Asia/Yantai"), "time zone"),
        (("  id_card:\n", "  id_cart:\n"), "did you mean id_card?"),
    ],
)
def test_single_mistakes(tmp_path, change, said):
    assert said in "\n".join(problems(tmp_path, EXAMPLE.replace(*change)))


def test_a_claim_by_card_needs_a_reader(tmp_path):
    text = EXAMPLE[: EXAMPLE.index("  id_card:\n")] + EXAMPLE[EXAMPLE.index("ui:\n") :]
    assert "devices.id_card is missing" in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: [1", "is not YAML"), ("- x", "mapping"), ("", "mapping")],
)
def test_not_even_a_mapping(tmp_path, text, said):
    assert said in problems(tmp_path, text)[0]


def test_a_missing_file_and_bad_bytes_are_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(tmp_path / "bytes.yaml")


def test_relative_paths_start_at_the_file(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE.replace("/var/lib/examgate", "data"))
    assert load(path).paths.data == tmp_path / "data"


def test_the_page_is_fresh():
    page = (ROOT / "docs/config.md").read_text()
    assert page == config.render() + "\n", "python -m kiosk.config > docs/config.md"
