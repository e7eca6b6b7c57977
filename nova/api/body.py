# SPDX-License-Identifier: Apache-2.0
"""Reading JSON from strangers: bounded in bytes, depth and digits, one value per key, text that is really text."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from nova.api.refusal import Refusal
from nova.errors import InvalidInput

MAX_DEPTH = 32
MAX_DIGITS = 20
_LARGEST = 2**63 - 1
_JSON_TYPES = ("application/json", "")


def check_media_type(content_type: str) -> None:
    """Accept JSON and the compute API's own names for it; 415 for anything else."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _JSON_TYPES or (kind.startswith("application/vnd.openstack.") and kind.endswith("+json")):
        return
    raise Refusal(415, "The body must be JSON, with the content type application/json.")


def parse(raw: bytes) -> Any:
    """The JSON value in *raw*; InvalidInput for everything that is not one within the bounds of this module."""
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError:
        raise InvalidInput("The body is not UTF-8 text.") from None
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not well-formed JSON.") from None
    _check_tree(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidInput("A JSON object in the body has the same key twice.")
    return found


def _refuse_constant(_text: str) -> NoReturn:
    raise InvalidInput("NaN and Infinity are not JSON.")


def _integer(text: str) -> int:
    if len(text) <= MAX_DIGITS and abs(number := int(text)) <= _LARGEST:
        return number
    raise InvalidInput("A number in the body does not fit in 64 bits.")


def _float(text: str) -> float:
    if len(text) <= 2 * MAX_DIGITS and math.isfinite(number := float(text)):
        return number
    raise InvalidInput("A number in the body is too long or too large.")


def _check_tree(root: Any) -> None:
    """Walk without recursion: depth, and no half of a surrogate pair in any text."""
    level = [root]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                for key in value:
                    _check_text(key)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str):
                _check_text(value)
        if not below:
            return
        level = below
    raise InvalidInput(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("A text in the body is not valid Unicode.") from None
