"""What is wrong with a configuration, in English and Chinese: by line and key, with the remedy.

Shows no content of a file that is none of ours, and no secret of one that is. Knows the checks'
kinds, not what the keys are for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from kiosk.config.devices import sections_of, tag_of
from kiosk.logs import without_credentials

Said = tuple[str, str]  #: English, Chinese

MOST_SHOWN = 60  #: characters of a wrong value
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")  #: looks like a key; else it may be content
_SECRET = re.compile(r"password|secret|token|proxy", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `path` is dotted, `line` counts from 1 (0: not known)."""

    path: str
    line: int
    message: str
    zh: str

    def __str__(self) -> str:
        return self.sentence("en")

    def sentence(self, language: str) -> str:
        """In `zh` or `en`."""
        zh = language == "zh"
        line = (f"第 {self.line} 行：" if zh else f"line {self.line}: ") if self.line else ""
        colon = "：" if zh else ": "
        place = f"{self.place}{colon}" if self.path else ""
        return line + place + (self.zh if zh else self.message)

    @property
    def place(self) -> str:
        """The path, without what is no key and may be content."""
        return ".".join(part if _KEY.fullmatch(part) else "…" for part in self.path.split("."))


class ConfigError(Exception):
    """Every mistake found in the file."""

    def __init__(self, file: Path, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        super().__init__("\n".join(f"{file}: {p}" for p in problems))


class Wrong(ValueError):
    """A value that a section does not take, in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said: Said = (en, zh)


# --- the file as a whole --------------------------------------------------------------------------

NOT_TEXT = Problem("", 0, "is not UTF-8 text", "不是 UTF-8 文本")
NO_SECTIONS = Problem("", 1, "must be a mapping of sections", "须由若干节组成（节名：…）")


def unreadable(error: OSError) -> Problem:
    return Problem("", 0, f"cannot be read ({error.strerror})", f"无法读取（{error.strerror}）")


def not_yaml(error: yaml.YAMLError | None) -> Problem:
    """Where it breaks off; the library's own words may have the file's in them."""
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 0
    en, zh = (f" at column {mark.column + 1}", f"第 {mark.column + 1} 列") if mark else ("", "")
    return Problem(
        "", line, f"is not YAML{en}: check indentation, quotes and colons",
        f"{zh}不是 YAML：请检查缩进、引号和冒号",
    )  # fmt: skip


def not_ours(sections: Iterable[str]) -> Problem:
    some = ", ".join(list(sections)[:4])
    return Problem(
        "", 0, f"is no configuration of examgate: it has none of its sections ({some}, …)",
        f"不是 examgate 的配置：没有任何一节（{some} …）",
    )  # fmt: skip


def line_of(path: str, lines: dict[str, int]) -> int:
    """The line of the key, or of the nearest section around it; 0 when there is none."""
    parts = path.split(".")
    around = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((lines[key] for key in around if key in lines), 0)


# --- what the schema does not take ----------------------------------------------------------------


def explained(
    error: ValidationError, lines: dict[str, int], root: type[BaseModel]
) -> list[Problem]:
    """One for each place: the branches of a key that takes several types are one mistake."""
    said: dict[str, list[Said]] = {}
    values: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        location, keys = _in_file([str(part) for part in detail["loc"]], root)
        path = ".".join(location)
        sentence, with_value = _message(detail, location, keys)
        if sentence not in said.setdefault(path, []):
            said[path].append(sentence)
        value = detail["input"]
        if with_value and not isinstance(value, dict | list | tuple):
            values[path] = shown(path, value)
    return [_problem(path, lines, sentences, values.get(path)) for path, sentences in said.items()]


def _problem(
    path: str, lines: dict[str, int], sentences: list[Said], value: str | None
) -> Problem:
    en, zh = " or ".join(en for en, _ in sentences), "，或".join(zh for _, zh in sentences)
    if value:
        en, zh = f"{en} (it is {value})", f"{zh}（现为 {value}）"
    return Problem(path, line_of(path, lines), en, zh)


def shown(path: str, value: Any) -> str:
    """A wrong value as the file has it, cut; nothing of what may be a secret."""
    if _SECRET.search(path.rpartition(".")[2]):
        return ""
    text = without_credentials(value) if isinstance(value, str) else value
    whole = repr(text)
    return whole if len(whole) <= MOST_SHOWN else whole[:MOST_SHOWN] + "…"


def _in_file(location: list[str], root: type[BaseModel]) -> tuple[list[str], list[str]]:
    """The place without the parts that are types of the schema instead of keys of the file, and
    the keys that the section around it may have."""
    path: list[str] = []
    keys: list[str] = []
    models: list[type[BaseModel]] = [root]
    for part in location:
        chosen = [m for m in models if len(models) > 1 and tag_of(m) == part]
        if chosen:
            models = chosen
            continue
        path.append(part)
        keys = [key for model in models for key in model.model_fields]
        found = [m.model_fields[part] for m in models if part in m.model_fields]
        models = [section for info in found for section in sections_of(info.annotation)]
        if not models:
            break
    return path, keys


def _message(detail: Any, location: list[str], keys: list[str]) -> tuple[Said, bool]:
    """The sentence, and whether the value belongs behind it."""
    match detail["type"]:
        case "extra_forbidden" | "invalid_key":
            near = difflib.get_close_matches(location[-1], keys, 1, 0.5)
            en, zh = (f"; did you mean {near[0]}?", f"；是否应为 {near[0]}？") if near else ("", "")
            return (f"unknown key{en}", f"没有这个键{zh}"), False
        case "missing":
            en, zh = "", ""
            if location == ["lane", "safe_state"]:
                en = ": write locked or free, as agreed with the fire-safety officer"
                zh = "：按与消防负责人的约定写 locked 或 free"
            return (f"is missing and has no default{en}", f"缺少，且没有默认值{zh}"), False
        case "value_error":
            wrong = detail.get("ctx", {}).get("error")
            en = str(detail["msg"]).removeprefix("Value error, ")
            return (wrong.said if isinstance(wrong, Wrong) else (en, f"不合要求：{en}")), True
        case "model_type":
            return ("must be a section with keys of its own", "须为一节，下面有自己的键"), True
        case "union_tag_not_found":
            known = detail["ctx"]["discriminator"]
            return (f"driver is missing; there are: {known}", f"缺少 driver；可用：{known}"), False
        case "union_tag_invalid":
            return _no_driver(detail["ctx"]), False
        case "string_type" if isinstance(detail["input"], int) and (
            location[-1] == detail["loc"][-1]
        ):
            return ("input should be a text: put it in quotes", "须为文字：请加引号"), True
    return (_lower(detail["msg"]), _bound(detail)), True


def _no_driver(about: dict[str, Any]) -> Said:
    tag, known = str(about["tag"])[:MOST_SHOWN], about["expected_tags"].replace("'", "")
    near = difflib.get_close_matches(tag, known.split(", "), 1)
    if near:
        return (f"has no driver {tag!r}; did you mean {near[0]}?",
                f"没有驱动 {tag!r}；是否应为 {near[0]}？")  # fmt: skip
    return f"has no driver {tag!r}; there are: {known}", f"没有驱动 {tag!r}；可用：{known}"


#: What pydantic's kinds of mistakes are called; `{…}` are fields of its `ctx`.
_BOUNDS = {
    "greater_than_equal": "须不小于 {ge}",
    "greater_than": "须大于 {gt}",
    "less_than_equal": "须不大于 {le}",
    "less_than": "须小于 {lt}",
    "multiple_of": "须为 {multiple_of} 的倍数",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "string_pattern_mismatch": "格式须为 {pattern}",
    "literal_error": "须为 {expected}",
    "finite_number": "须为有限的数",
    "int_type": "须为整数",
    "int_from_float": "须为整数",
    "float_type": "须为数",
    "bool_type": "须为 true 或 false",
    "string_type": "须为文字",
    "path_type": "须为文件路径",
    "list_type": "须为列表",
    "tuple_type": "须为列表",
}


def _bound(detail: Any) -> str:
    words = _BOUNDS.get(detail["type"])
    if words is None:
        return f"不合要求：{_lower(detail['msg'])}"
    return words.format(**detail.get("ctx", {})).replace(" or ", " 或 ")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
