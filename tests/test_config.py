"""The configuration: the example parses; every mistake is said at once, by line, with a remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.app import config_doubts, journalled_policy
from kiosk.config import Config, check, load
from kiosk.config.camera import source_mistake
from kiosk.config.doc import render
from kiosk.config.problems import ConfigError

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
    for section in Config.model_fields:
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


MISTAKES = [
    (("claim: id_card", "claim: guess"), "identity.claim"),
    (
        ("release_coil: 1", "release_coil: 0"),
        "release_coil: is the same coil as unlock_coil: 0",
    ),
    (("input_fire: 3", "input_fire: 2"), "input_fire: is the same input as input_forced: 2"),
    (("finger: true", "finger: 'yes'"), "should be a valid boolean (it is 'yes')"),
    (("frames: 5", "frames: true"), "should be a valid integer (it is True)"),
    (("source: /dev/video0", "source: 1.5"), "valid string or input should be a valid integer"),
    (
        ("evidence_recipients: []", f"evidence_recipients: [age1{'q' * 58}]"),
        "centre.evidence_recipients: is set, but centre.record_url is empty",
    ),
    (("urls: [] ", "proxy: proxy.lan:3128 #"), "centre.proxy"),
    (
        ("evidence_recipients: []", "evidence_recipients: [age1abc]"),
        "entry 1: must be a public key as examgate centre evidence-key prints it",
    ),
    (
        ("evidence_recipients: []", f"evidence_recipients: [age1{'q' * 58}]"),
        "entry 1: its check characters do not fit",
    ),
    (('record_url: ""', 'record_url: "https://a b"'), "must be https://host"),
    (('record_url: ""', 'record_url: "https://u:p@a"'), "must be https://host"),
    (('record_url: ""', 'record_url: "https://a/?x"'), "must be https://host"),
    (('record_url: ""', 'record_url: "https://[::1"'), "must be https://host"),
    (('record_url: ""', 'record_url: "https://a:99999"'), "must be https://host"),
    (("code: YT-03", "code: 3"), "put it in quotes (it is 3)"),
    (("baud: 57600", "baud: 57601"), "multiple of 9600 (it is 57601)"),
    (("ui:\n", "ui: 3\nuj:\n"), "ui: must be a section"),
    (("lane:\n", "1: 2\nlane:\n"), "1: unknown key"),
    (("face_s: 25", "face_s: .nan"), "timeouts.face_s"),
    (("timezone: Asia/Shanghai", "timezone: Asia/Yantai"), "time zone"),
    (("  id_card:\n", "  id_cart:\n"), "did you mean id_card?"),
    (("driver: modbus", "driver: modbuss"), "has no driver 'modbuss'; did you mean modbus?"),
    (("driver: modbus", "#"), "devices.turnstile: driver is missing"),
    (("    unit: 1", "    unitt: 1"), "turnstile.unitt: unknown key; did you mean unit?"),
    (("inverted: []", "inverted: [input_smoke]"), "turnstile.inverted: input should be"),
    (("    pulse_ms: 500", "    pulse_ms: 5"), "greater than or equal to 100 (it is 5)"),
]


@pytest.mark.parametrize(("change", "said"), MISTAKES)
def test_single_mistakes(tmp_path, change, said):
    assert said in "\n".join(problems(tmp_path, EXAMPLE.replace(*change)))


@pytest.mark.parametrize("change", [change for change, _ in MISTAKES])
def test_every_mistake_is_told_in_chinese_too(tmp_path, change):
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE.replace(*change))
    with pytest.raises(ConfigError) as error:
        load(path)
    for problem in error.value.problems:
        assert re.search("[一-鿿]", problem.zh), problem
        assert "不合要求" not in problem.zh, problem
        assert problem.sentence("zh").startswith(f"第 {problem.line} 行：")


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n",
        "root:$6$TOPSECRET:19000:0:99999:7:::\n",
        "user: TOPSECRET\npassword: TOPSECRET\n",
        "TOPSECRET: [1, 2\n", "a: !TOPSECRET 1\n", "a: *TOPSECRET\n", "@TOPSECRET\n", "2026-13-45",
        "lane: {TOPSECRET key of more words: TOPSECRET}\n",
        "lane: TOPSECRET" + 60 * "x" + "\n",
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_not_shown(tmp_path, text):
    found = problems(tmp_path, text)
    if not text.startswith("lane: TOP"):
        assert "TOPSECRET" not in "".join(found)
    assert max(map(len, found)) < 200


def test_a_wrong_secret_is_not_shown(tmp_path):
    text = EXAMPLE.replace("password: 0x00000000", "password: 12345678901")
    (said,) = problems(tmp_path, text)
    assert "devices.fingerprint.password" in said and "12345678901" not in said


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


def test_what_sections_ask_of_each_other_is_told_with_everything_else(tmp_path):
    text = EXAMPLE[: EXAMPLE.index("  id_card:\n")] + EXAMPLE[EXAMPLE.index("ui:\n") :]
    text = text.replace("  fingerprint:\n", "  fingerprnt:\n").replace("frames: 5", "frames: 0")
    found = problems(tmp_path, text)
    for said in (
        "line 23: identity.claim: is id_card, but devices.id_card is missing",
        "line 24: identity.finger: is true, but devices.fingerprint is missing",
        "devices.fingerprnt: unknown key; did you mean fingerprint?",
        "face.frames",
    ):
        assert any(said in p for p in found), (said, found)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("direction: exit", "cannot know who is inside"),
        ("direction: both\nexit: claim", "identity.exit: is claim, but one coil unlocks both"),
        ("direction: both\nexit: claim\nexit_coil: 0", "is the same coil as"),
        ("direction: both\nexit: finger\nfinger: false", "identity.finger is false"),
    ],
)
def test_the_way_out_and_what_it_needs(tmp_path, section, said):
    text = EXAMPLE.replace("    # exit_coil: 4 ", "    exit_coil: null")
    for line in section.splitlines():
        key = line.split(":")[0]
        text = re.sub(rf"^( +){key}: [^#\n]*", rf"\1{line} ", text, flags=re.MULTILINE)
    assert any(said in p for p in problems(tmp_path, text))


def test_both_ways_with_a_coil_of_its_own(tmp_path):
    path = tmp_path / "config.yaml"
    text = EXAMPLE.replace("direction: entry", "direction: both")
    text = text.replace("# exit_coil", "exit_coil")
    path.write_text(text.replace("exit: face", "exit: claim"))
    config = load(path)
    assert journalled_policy(config)["exit"] == "claim"
    assert config.device_options("turnstile")["exit_coil"] == 4
    path.write_text(EXAMPLE)
    assert "exit" not in journalled_policy(load(path)), "an entry lane asks nothing of who leaves"


def test_without_finger_no_reader_is_needed(tmp_path):
    head, tail = EXAMPLE.split("  fingerprint:\n")
    text = head + tail[tail.index("  camera:\n") :]
    path = tmp_path / "config.yaml"
    path.write_text(text.replace("finger: true", "finger: false"))
    assert load(path).device_options("fingerprint") == {}


def test_another_driver_has_other_keys(tmp_path):
    head, tail = EXAMPLE.split("  turnstile:\n")
    section = "    driver: usb_relay\n    port: /dev/x\n    release_relay: 2\n"
    text = head + "  turnstile:\n" + section + tail[tail.index("  fingerprint:\n") :]
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert load(path).device_options("turnstile")["unlock_relay"] == 1
    same = text.replace("relay: 2", "relay: 1")
    assert "is the same relay as unlock_relay: 1" in problems(tmp_path, same)[0]
    with_unit = text.replace("/dev/x", "/dev/x\n    unit: 1")
    assert "devices.turnstile.unit: unknown key" in problems(tmp_path, with_unit)[0]


@pytest.mark.parametrize("key", ["", "    port: auto\n"])
def test_what_never_answers_cannot_be_searched_for(tmp_path, key):
    relay = f"    driver: usb_relay\n{key}"
    text = re.sub(r"(?s)(  turnstile:\n).*?(  fingerprint:)", rf"\1{relay}\2", EXAMPLE)
    scanner = f"  scanner:\n    driver: serial\n{key}"
    found = problems(tmp_path, text.replace("\nui:", f"\n{scanner}\nui:", 1))
    assert [re.sub(r"line \d+: |: is auto.*", "", said) for said in found] == [
        "devices.turnstile.port", "devices.scanner.port"
    ]  # fmt: skip
    path = tmp_path / "config.yaml"
    path.write_text(text.replace(relay, f"{relay}    answers: true\n"))
    assert load(path).devices.turnstile.port == "auto"


def test_an_alias_that_holds_itself_is_a_mistake_not_a_hang(tmp_path):
    assert problems(tmp_path, EXAMPLE + "extra: &a\n  b: *a\n")


def test_a_mark_in_front_and_the_sections_left_out_are_fine(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("\ufeff" + EXAMPLE[: EXAMPLE.index("ui:\n")], encoding="utf-8")
    assert load(path).disk.min_free_mb == 500


@pytest.mark.parametrize("data", ["data", "./data", "~/data"])
def test_relative_paths_start_at_the_file_and_home_is_known(tmp_path, monkeypatch, data):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE.replace("/var/lib/examgate", data))
    assert load(path).paths.data == tmp_path / "data"


@pytest.mark.parametrize(
    ("source", "becomes"),
    [("clip.mp4", "{}/clip.mp4"), ("rtsp://cam/1", "rtsp://cam/1"), ("0", 0), ("'0'", "0")],
)
def test_camera_sources(tmp_path, source, becomes):
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE.replace("/dev/video0 ", source + " "))
    expected = becomes.format(tmp_path) if isinstance(becomes, str) else becomes
    assert load(path).device_options("camera")["source"] == expected


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(EXAMPLE)), cut=st.integers(0, 40), put=st.text(max_size=8))
def test_a_file_however_mangled_loads_or_is_explained(tmp_path, at, cut, put):
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE[:at] + put + EXAMPLE[at + cut :], encoding="utf-8", newline="")
    try:
        load(path)
    except ConfigError as error:
        assert error.problems and all(str(p) for p in error.problems)


def test_the_page_is_fresh():
    page = (ROOT / "docs/config.md").read_text()
    assert page == render(), "python -m kiosk.config > docs/config.md"


# --- the camera's source, and what is hardly meant ------------------------------------------------


def with_source(source):
    return EXAMPLE.replace("source: /dev/video0 ", f"source: {json.dumps(source)} ")


@pytest.mark.parametrize(
    "source",
    ["", "  ", " /dev/video0", -1, "-1", 256, "256", "+1", "ftp://cam/1", "file:///etc/passwd",
     "http://", "http://:99999/", "http://cam:99999/", "http://cam:0/", "http://cam:port/",
     "rtsp:/cam/1", "rtsp://cam 1/", "http://[::1/", "rtsp://user:secret@/1", "\0"],
)  # fmt: skip
def test_a_source_that_can_never_be_a_camera(tmp_path, source):
    (found,) = problems(tmp_path, with_source(source))
    assert found.startswith("line ") and "devices.camera.source: " in found
    assert "(it is " in found and "write the camera's device" in found
    assert "secret" not in found


@pytest.mark.parametrize(
    "source",
    ["/dev/video0", "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0", 0, "0", 255,
     "rtsp://user:p%40ss@cam:554/1?channel=1", "RTSP://cam/1", "https://[::1]:8443/mjpeg",
     "http://192.0.2.9/", "pictures", "~/clip.mp4", "/dev/examgate-camera"],
)  # fmt: skip
def test_a_source_that_may_be_one(tmp_path, source):
    path = tmp_path / "config.yaml"
    path.write_text(with_source(source))
    load(path)


@given(st.text(max_size=30) | st.integers())
def test_any_source_is_taken_or_explained_in_both_languages(source):
    said = source_mistake(source)
    assert said is None or (len(said) == 2 and all(said))


def test_what_lies_there_is_looked_at_by_the_check_alone(tmp_path):
    path = tmp_path / "config.yaml"
    (tmp_path / "words.txt").write_text("no video")
    for source in ("/dev/null", "/etc/passwd", "words.txt"):
        path.write_text(with_source(source))
        assert load(path), "a lane starts, and says what its camera is"
        with pytest.raises(ConfigError) as error:
            check(path)
        (found,) = error.value.problems
        assert found.path == "devices.camera.source" and found.line
    (tmp_path / "clip.mp4").touch()
    for source in ("clip.mp4", ".", "not there", "/dev/not-there", "0"):
        path.write_text(with_source(source))
        check(path)


def doubted(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    found = config_doubts(path)
    assert all(p.line and p.zh and p.message for p in found)
    return {p.path for p in found}


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ([("verify_max_distance: ", "verify_max_distance: 1.1 #")], "face.verify_max_distance"),
        ([("same_person_distance: ", "same_person_distance: 1 #")], "face.same_person_distance"),
        ([("identify_margin: ", "identify_margin: 0 #")], "face.identify_margin"),
        (
            [("verify_max_distance: ", "verify_max_distance: 0.6 #"),
             ("identify_max_distance: ", "identify_max_distance: 0.7 #")],
            "face.identify_max_distance",
        ),
        (
            [("  face_s: 25", "  face_s: 3"), ("  liveness_s: 12", "  liveness_s: 120")],
            "timeouts.liveness_s",
        ),
        ([("source: /dev/video0 ", "source: . ")], "devices.camera.source"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_a_warning(tmp_path, changes, doubt):
    text = EXAMPLE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    assert doubted(tmp_path, text) == {doubt}


def test_nothing_of_the_example_is_doubted(tmp_path):
    assert doubted(tmp_path, EXAMPLE) == set()


@pytest.mark.parametrize("name", ["verify_max", "identify_max", "same_person"])
def test_a_distance_at_which_strangers_pass_is_refused(tmp_path, name):
    (found,) = problems(tmp_path, EXAMPLE.replace(f"{name}_distance: ", f"{name}_distance: 1.5 #"))
    assert "less than or equal to 1.2" in found
