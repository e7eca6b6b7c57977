# SPDX-License-Identifier: Apache-2.0
"""JSON Schemas of requests: compiled once, errors that name the field and never repeat its value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker

from nova.errors import InvalidInput

Schema = dict[str, Any]
MAX_SHOWN = 120
FORMATS = FormatChecker(formats=())


def _shown(value: Any) -> str:
    """A key or bound as it may stand in a message."""
    return str(value)[:MAX_SHOWN]


def _unknown_keys(error: jsonschema.ValidationError) -> str:
    known = set(error.schema.get("properties", ()))
    patterns = [re.compile(each) for each in error.schema.get("patternProperties", ())]
    extra = [key for key in error.instance if key not in known and not any(p.search(key) for p in patterns)]
    return f"it has the unknown key {_shown(sorted(extra)[0])!r}" if extra else "it has an unknown key"


def _missing(error: jsonschema.ValidationError) -> str:
    absent = [key for key in error.validator_value if key not in error.instance]
    return f"the key {_shown(absent[0])!r} is missing" if absent else "a key is missing"


def _types(error: jsonschema.ValidationError) -> str:
    wanted = error.validator_value
    return f"it must be {' or '.join([wanted] if isinstance(wanted, str) else wanted)}"


REASONS: dict[str, Callable[[jsonschema.ValidationError], str]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing,
    "type": _types,
    "enum": lambda e: "it must be one of " + ", ".join(_shown(each) for each in e.validator_value[:20]),
    "const": lambda e: f"it must be {_shown(e.validator_value)}",
    "minLength": lambda e: f"it must have at least {e.validator_value} characters",
    "maxLength": lambda e: f"it must have at most {e.validator_value} characters",
    "minItems": lambda e: f"it must have at least {e.validator_value} items",
    "maxItems": lambda e: f"it must have at most {e.validator_value} items",
    "minProperties": lambda e: f"it must have at least {e.validator_value} keys",
    "maxProperties": lambda e: f"it must have at most {e.validator_value} keys",
    "minimum": lambda e: f"it must be at least {e.validator_value}",
    "maximum": lambda e: f"it must be at most {e.validator_value}",
    "pattern": lambda e: "it is not written as this field must be, or has characters that are not allowed",
    "format": lambda e: f"it is not a {_shown(e.validator_value)}",
    "uniqueItems": lambda e: "it has the same item twice",
    "propertyNames": lambda e: "it has a key that is not allowed",
    "not": lambda e: "this combination is not allowed",
}


class Validator:
    """One compiled schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._compiled = Draft202012Validator(schema, format_checker=FORMATS)

    def check(self, value: Any, *, what: str = "the body") -> None:
        """Raise InvalidInput, which names the wrong field, unless *value* fits."""
        if self._compiled.is_valid(value):
            return
        error = jsonschema.exceptions.best_match(self._compiled.iter_errors(value))
        place = _shown(".".join(str(part) for part in error.absolute_path)) or what
        reason = REASONS.get(error.validator, lambda _error: "it is not what this field takes")
        raise InvalidInput(f"Invalid input for {place}: {reason(error)}.", field=place)

    def without_unknown(self, value: Any) -> Any:
        """A copy of *value* without the keys that the schema does not know: what the older endpoints take."""
        return _pruned(self.schema, value)


def _pruned(schema: Schema, value: Any) -> Any:
    if isinstance(value, dict) and "properties" in schema:
        known: dict[str, Schema] = schema["properties"]
        # Keys that follow a pattern are the user's own: a wrong one is refused, for it would be missed.
        users_own = bool(schema.get("patternProperties"))
        open_ended = users_own or schema.get("additionalProperties", True) is not False
        return {key: _pruned(known.get(key, {}), each) for key, each in value.items() if key in known or open_ended}
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_pruned(schema["items"], each) for each in value]
    return value


def _format(name: str, check: Callable[[str], object]) -> None:
    def fits(value: object) -> bool:
        return not isinstance(value, str) or bool(check(value))

    FORMATS.checks(name, raises=ValueError)(fits)


_format("ipv4", ipaddress.IPv4Address)
_format("ipv6", lambda text: "%" not in text and ipaddress.IPv6Address(text))
