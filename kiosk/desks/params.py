"""Parameters of the daemon's methods: their common form and how they are checked.

Knows no method.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kiosk.wire import INVALID_PARAMS, RpcError, is_text


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lang: str | None = Field(None, pattern="^(zh|en)$")


class NoParams(Params):
    pass


def _unstorable(value: Any) -> str:
    """What JSON, or a command line, can say and no database can hold; "": nothing of the kind."""
    match value:
        case str() if not value.isascii() and not is_text(value):
            return "half a character (a lone surrogate) in a text"
        case bool():
            return ""
        case int() if not -(2**63) <= value < 2**63:
            return "a number of more than 64 bits"
        case float() if not isfinite(value):
            return "not a finite number"
        case list():
            return next(filter(None, map(_unstorable, value)), "")
        case dict():
            return next(filter(None, map(_unstorable, [*value, *value.values()])), "")
    return ""


def parse(schema: type[Any], params: dict[str, Any]) -> Any:
    """Parameters checked against their schema. Raises `RpcError(INVALID_PARAMS)`.

    The message names field and fault, never the value, which may be personal.
    """
    for name, value in params.items():
        if why := _unstorable(value):
            raise RpcError(INVALID_PARAMS, f"{name if is_text(name) else 'params'}: {why}")
    try:
        return schema.model_validate(params)
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in e['loc']) or 'params'}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        ]
        raise RpcError(INVALID_PARAMS, found[0], {"code": "PARAMS", "problems": found}) from error
