"""Parameters of the daemon's methods: their common form and how they are checked.

Knows no method.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kiosk.wire import INVALID_PARAMS, RpcError


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    lang: str | None = Field(None, pattern="^(zh|en)$")


class NoParams(Params):
    pass


def parse(schema: type[Any], params: dict[str, Any]) -> Any:
    """Parameters checked against their schema. Raises `RpcError(INVALID_PARAMS)`.

    The message names field and fault, never the value, which may be personal.
    """
    try:
        return schema.model_validate(params)
    except ValidationError as error:
        found = [
            f"{'.'.join(str(part) for part in e['loc']) or 'params'}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        ]
        raise RpcError(INVALID_PARAMS, found[0], {"code": "PARAMS", "problems": found}) from error
