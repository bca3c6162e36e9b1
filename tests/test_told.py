"""A sentence in two languages wherever one is expected."""

from __future__ import annotations

import copy
import dataclasses
import json

from kiosk.told import Told, in_language


@dataclasses.dataclass
class Finding:
    says: str


def test_it_is_its_english_and_keeps_its_chinese_when_copied() -> None:
    told = Told("it is full", "已满")
    assert told == "it is full" and json.dumps({"says": told}) == '{"says": "it is full"}'
    for copied in (copy.deepcopy(told), dataclasses.asdict(Finding(told))["says"]):
        assert (copied, in_language(copied, "zh")) == ("it is full", "已满")
