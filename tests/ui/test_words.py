"""Wording is complete in both languages, for every code, and readable in contrast."""

from __future__ import annotations

import hashlib
import string

import pytest

from drivers.errors import FaultCode, RetryReason
from kiosk.core.codes import JournalKind, Prompt, Reason, State, Step, WarningCode
from kiosk.core.types import Standing
from ui import theme
from ui.candidate.present import present, when_text
from ui.i18n import CATALOGUES, LANGUAGES, commitment, text
from ui.screenshots import every_state, example
from ui.widgets.pictures import DRAWINGS

FINGER = [r for r in RetryReason if not r.startswith("card_")]


def _fields(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_both_catalogues_have_the_same_keys() -> None:
    assert set(CATALOGUES["zh"]) == set(CATALOGUES["en"])


@pytest.mark.parametrize("key", sorted(CATALOGUES["zh"]))
def test_nothing_is_empty_and_placeholders_agree(key: str) -> None:
    zh, en = (CATALOGUES[language][key] for language in ("zh", "en"))
    assert zh.strip() and en.strip()
    assert _fields(zh) == _fields(en)


def test_every_code_has_words() -> None:
    needed = [f"reason.{r}" for r in Reason]
    needed += [f"next.{r}.{part}" for r in Reason for part in ("title", "body")]
    needed += [f"prompt.{p}" for p in Prompt] + [f"state.{s}" for s in State]
    needed += [f"step.{s}" for s in Step] + [f"kind.{k}" for k in JournalKind]
    needed += [f"retry.{r}" for r in [*FINGER, "no_match"]]
    needed += [f"{part}.{f}" for f in FaultCode for part in ("fault", "todo")]
    needed += [f"warning.{part}{w}" for w in WarningCode for part in ("", "todo.")]
    needed += [f"standing.{s}" for s in (
        Standing.BOOKED, Standing.SEATED, Standing.INSIDE, Standing.LEFT,
    )]
    assert [key for key in needed if key not in CATALOGUES["zh"]] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_the_daemon_is_presented(language: str) -> None:
    for state in State:
        assert present(example(state.value), language).title
    for name, state_ in every_state().items():
        shown = present(state_, language)
        assert shown.title and "{" not in shown.title + shown.body, name


def test_each_reason_of_the_reader_has_its_own_picture_and_words() -> None:
    shown = [present(example("finger", finger_retry=r), "zh") for r in (None, *FINGER, "no_match")]
    assert len({s.body for s in shown}) == len(shown)
    pictures = [s.picture for s in shown]
    # the first time, when there was no finger at all, and when it is only to be laid once more
    assert pictures.count("finger") == 3
    assert len(set(pictures)) == len(pictures) - 2 and set(pictures) <= set(DRAWINGS)


def test_the_commitment_is_hashed_as_shown() -> None:
    words, digest = commitment("zh")
    assert words == text("zh", "commitment.text")
    assert digest == hashlib.sha256(words.encode()).hexdigest()
    assert commitment("en")[1] != digest


def test_other_session_says_when() -> None:
    state = example("refused", reason="OTHER_SESSION",
                    other_session_at="2025-06-12T14:00:00+08:00")
    assert "6月12日 14:00" in present(state, "zh").title
    assert "14:00" in present(state, "en").title
    assert when_text(None, "zh") == ""
    assert present(example("refused", reason="OTHER_SESSION"), "zh").title


def test_who_did_not_go_through_keeps_the_seat_and_is_told_how() -> None:
    by_card = present(example("refused", reason="GATE_TIMEOUT"), "zh")
    by_face = present(example("refused", reason="GATE_TIMEOUT", claim_mode="face"), "zh")
    assert "保留" in by_card.title and "身份证" in by_card.body
    assert "镜头" in by_face.body


def test_a_reason_newer_than_the_screen_sends_to_a_proctor() -> None:
    shown = present(example("refused", reason="FROM_THE_FUTURE"), "zh")
    assert "考试员" in shown.title and "FROM_THE_FUTURE" in shown.code


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_accused_of_having_come_under_another_name(language: str) -> None:
    shown = present(example("refused", reason="FACE_SEEN_BEFORE"), language)
    assert shown.code == "" and shown.picture == "proctor"
    said = (shown.title + shown.body + shown.note).lower()
    for word in ("another", "before", "identit", "own", "另", "身份", "本人", "替"):
        assert word not in said


def _luminance(colour: str) -> float:
    """Relative luminance of sRGB, WCAG 2.1."""
    parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("ink", "ground"), theme.PAIRS)
def test_contrast_is_aa(ink: str, ground: str) -> None:
    light, dark = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
