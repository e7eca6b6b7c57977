# SPDX-License-Identifier: Apache-2.0
"""The words that request schemas are composed of, and the values that booleans and numbers in text stand for."""

from __future__ import annotations

from typing import Any

from nova.api.schema import Schema
from nova.errors import InvalidInput

TRUE_WORDS = ("True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
FALSE_WORDS = ("False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
LARGEST_INTEGER = 2**31 - 1

NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": rf"^(?! ){_PRINTABLE}*(?<! )$(?!\n)",
}
"""Printable, no space at either end."""
LOOSE_NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": rf"^(?=.*\S){_PRINTABLE}*$(?!\n)",
}
"""As older endpoints take it: spaces at the ends are cut by whoever stores it."""
TEXT: Schema = {"type": "string", "maxLength": 255, "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$(?!\n)"}
"""A description: line breaks and tabs are fine."""
TEXT_OR_NULL: Schema = {**TEXT, "type": ["string", "null"]}
HOSTNAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-zA-Z0-9\-._]+$(?!\n)"}
PROJECT_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[a-zA-Z0-9\-_.]+$(?!\n)"}
UUID: Schema = {"type": "string", "pattern": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)"}
IMAGE_REF: Schema = {"type": "string", "maxLength": 1024}
"""A UUID, or a URL that ends in one; empty for none."""
FLAVOR_REF: Schema = {"type": ["string", "integer"], "minLength": 1, "maxLength": 1024, "minimum": 0}
BOOLEAN: Schema = {"enum": [True, False, *TRUE_WORDS, *FALSE_WORDS]}
IPV4: Schema = {"type": "string", "format": "ipv4"}
IPV6: Schema = {"type": "string", "format": "ipv6"}
NULL: Schema = {"type": ["null", "object"], "maxProperties": 0}
"""The argument of an action that has none."""
METADATA: Schema = {
    "type": "object",
    "maxProperties": 1024,
    "additionalProperties": False,
    "properties": {},
    "patternProperties": {
        r"^[a-zA-Z0-9\-_:. ]{1,255}$(?!\n)": {
            "type": "string",
            "maxLength": 255,
            "pattern": r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$(?!\n)",
        }
    },
}
ADMIN_PASSWORD: Schema = {"type": "string", "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$(?!\n)"}


def integer(minimum: int, maximum: int = LARGEST_INTEGER) -> Schema:
    """An integer, or its digits as text, from *minimum* to *maximum* (read it with :func:`to_int`)."""
    sign = "-?" if minimum < 0 else ""
    return {
        "type": ["integer", "string"],
        "pattern": rf"^{sign}[0-9]{{1,19}}$(?!\n)",
        "minLength": 1,
        "minimum": minimum,
        "maximum": maximum,
    }


def envelope(key: str, inner: Schema, *, others: dict[str, Schema] | None = None) -> Schema:
    """``{key: inner}`` and nothing else but *others*."""
    return {
        "type": "object",
        "properties": {key: inner, **(others or {})},
        "required": [key],
        "additionalProperties": False,
    }


def closed(properties: dict[str, Schema], *required: str, at_least: int = 0) -> Schema:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "minProperties": at_least,
        "additionalProperties": False,
    }


def to_bool(value: Any) -> bool:
    """What a BOOLEAN stands for."""
    return value is True or value in TRUE_WORDS


def to_int(value: Any, *, field: str, minimum: int, maximum: int = LARGEST_INTEGER) -> int:
    """What an ``integer()`` stands for; the bounds are checked here for digits in text."""
    number = int(value)
    if not minimum <= number <= maximum:
        raise InvalidInput(f"Invalid input for {field}: it must be from {minimum} to {maximum}.", field=field)
    return number


def query_bool(text: str | None, *, field: str, default: bool = False, bare: bool = True) -> bool:
    """A boolean in a query string; *bare* is what a name without a value means.  InvalidInput for other words."""
    if text is None:
        return default
    if text == "":
        return bare
    if text in TRUE_WORDS or text.lower() in {"t", "y"}:
        return True
    if text in FALSE_WORDS or text.lower() in {"f", "n", "none"}:
        return False
    raise InvalidInput(f"Invalid input for {field}: it must be true or false.", field=field)
