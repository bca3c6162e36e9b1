"""docs/config.md, made from the schema: `python -m kiosk.config > docs/config.md`.

Knows how to print a schema, not what the keys mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kiosk.config.devices import sections_of
from kiosk.config.schema import Config

_HEADER = """# Configuration: every key

Generated from the schema by `python -m kiosk.config`; a test fails when it is stale. The
commented example is `config.yaml`; `examgate config check FILE` explains every mistake in a
file, all at once. An unknown key refuses to start.
"""


def render() -> str:
    """docs/config.md."""
    return "\n".join([_HEADER, *_tables(Config, "")]).rstrip() + "\n"


def _tables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    plain, nested = [], []
    for name, info in model.model_fields.items():
        sections = sections_of(info.annotation)
        nested += [(name, section) for section in sections]
        if not sections:
            plain.append((name, info))
    if plain:
        yield f"## {prefix}\n\n{(model.__doc__ or '').strip()}\n"
        yield "| key | type | default | bounds | meaning |\n|---|---|---|---|---|"
        for name, info in plain:
            cells = (f"`{name}`", _type(info.annotation), _default(info), _bounds(info))
            yield f"| {' | '.join((*cells, info.description or ''))} |"
        yield ""
    for name, section in nested:
        yield from _tables(section, f"{prefix}.{name}" if prefix else name)


_TYPES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    type(None): "empty",
}


def _type(annotation: Any) -> str:
    args: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if getattr(annotation, "__origin__", None) is list:
        return "list"
    if getattr(annotation, "__origin__", None) is dict:
        return "text → choice"
    if args and all(isinstance(a, str) for a in args):
        return "choice"
    if getattr(annotation, "__origin__", None) is tuple:
        return f"list of {_TYPES[args[0]]}"
    return " or ".join(_TYPES[a] for a in args or (annotation,))


def _default(info: Any) -> str:
    if info.is_required():
        return "**required**"
    value = info.default
    if value in (None, ()):
        return "empty"
    if isinstance(value, tuple | list) and value:
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _bounds(info: Any) -> str:
    args = getattr(info.annotation, "__args__", ())
    if getattr(info.annotation, "__origin__", None) is list:
        args = tuple(each for arg in args for each in getattr(arg, "__args__", ()))
    if getattr(info.annotation, "__origin__", None) is dict:
        args = info.annotation.__args__[1].__args__
    if args and all(isinstance(a, str) for a in args):
        return " or ".join(f"`{a}`" for a in args)
    return ", ".join(
        template.format(value)
        for entry in info.metadata
        for template, attribute in _BOUNDS
        if (value := getattr(entry, attribute, None)) is not None
    )


_BOUNDS = (
    ("≥ {}", "ge"),
    ("> {}", "gt"),
    ("≤ {}", "le"),
    ("< {}", "lt"),
    ("a multiple of {}", "multiple_of"),
    ("length ≥ {}", "min_length"),
    ("length ≤ {}", "max_length"),
    ("like `{}`", "pattern"),
)
