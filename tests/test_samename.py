"""A card's name and the roster's: when they are one name, when a person has to look."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.samename import Likeness, likeness

SAME, WRITTEN, VARIANT = Likeness.SAME, Likeness.WRITTEN, Likeness.VARIANT
SIMILAR, DIFFERENT = Likeness.SIMILAR, Likeness.DIFFERENT

PAIRS = [
    ("王小明", "王小明", SAME),
    ("王 明", "王  明", SAME),
    ("王明", "王 明", WRITTEN),
    ("王明", "王　明", WRITTEN),
    ("阿布都拉·买买提", "阿布都拉•买买提", WRITTEN),
    ("阿布都拉·买买提", "阿布都拉・买买提", WRITTEN),
    ("阿布都拉·买买提", "阿布都拉．买买提", WRITTEN),
    ("阿布都拉·买买提", "阿布都拉买买提", WRITTEN),
    ("SMITH JOHN", "Ｓｍｉｔｈ　Ｊｏｈｎ", WRITTEN),
    ("SMITH JOHN", "smith-john", WRITTEN),
    ("李\ue863", "李䶮", WRITTEN),  # the private character of GB 18030-2000
    ("王\ue81e", "王\u9fb4", WRITTEN),  # … which only the edition of 2022 gave one of its own
    ("豈凡", "豈\ufe00凡", WRITTEN),
    ("李龑", "李䶮", VARIANT),
    ("呂布", "吕布", VARIANT),
    ("陳龍", "陈龙", VARIANT),
    ("髙峯", "高峰", VARIANT),
    ("王喆", "王哲", SIMILAR),  # both are names of today
    ("王小明", "王晓明", SIMILAR),
    ("王小明", "王明", SIMILAR),
    ("王?明", "王𬘯明", SIMILAR),
    ("李??", "李䶮䶮", SIMILAR),
    ("SMITH JOHN", "JOHN SMITH", SIMILAR),
    ("SMITH JOHN PAUL", "JOHN SMITH", SIMILAR),
    ("王小明", "李晓明", DIFFERENT),
    ("王明", "李明达", DIFFERENT),
    ("王", "李", DIFFERENT),
    ("??", "王明", DIFFERENT),
    ("···", "王", DIFFERENT),
    ("", "王", DIFFERENT),
    ("", "···", DIFFERENT),
    ("SMITH", "SMITH JOHN", DIFFERENT),
]


@pytest.mark.parametrize(("one", "other", "how"), PAIRS)
def test_pairs(one, other, how):
    assert likeness(one, other) is how


names = st.text(st.one_of(st.characters(), st.sampled_from("王呂吕龑䶮·• 　?\ue863")), max_size=8)


@example("", "\ud800")
@given(names, names)
def test_it_does_not_matter_whose_is_whose(one, other):
    assert likeness(one, other) is likeness(other, one)


@given(names)
def test_a_name_is_itself(name):
    assert likeness(name, name) is SAME


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=4))
def test_somebody_quite_different_is_never_let_pass(name):
    other = "".join(chr(0x4E00 + (ord(c) * 7 + 1234) % 0x2000) for c in name)
    if not set(name) & set(other):
        assert likeness(name, other) not in (SAME, WRITTEN)
