# SPDX-License-Identifier: Apache-2.0
"""Schemas name the wrong field and never repeat its value."""

from __future__ import annotations

from typing import Any

import pytest

from nova.api.parameter_types import (
    BOOLEAN,
    IPV4,
    IPV6,
    METADATA,
    NAME,
    NULL,
    TEXT,
    UUID,
    closed,
    envelope,
    integer,
    query_bool,
    to_bool,
    to_int,
)
from nova.api.schema import Validator
from nova.errors import InvalidInput

SERVER = Validator(envelope("server", closed({"name": NAME, "tags": METADATA, "password": TEXT}, "name")))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "Invalid input for the body: it must be object."),
        ({}, "Invalid input for the body: the key 'server' is missing."),
        ({"server": {"name": ""}}, "Invalid input for server.name: it must have at least 1 characters."),
        ({"server": {"name": "a", "x": 1}}, "Invalid input for server: it has the unknown key 'x'."),
        ({"server": {"name": "a", "tags": {"k": 1}}}, "Invalid input for server.tags.k: it must be string."),
    ],
)
def test_the_message_names_the_place_and_the_reason(body: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        SERVER.check(body)
    assert refused.value.message == message


def test_a_message_never_holds_the_value() -> None:
    with pytest.raises(InvalidInput) as refused:
        SERVER.check({"server": {"name": "a", "password": "hunter2" * 99}})
    assert "hunter2" not in str(refused.value)


def test_unknown_keys_are_taken_out_for_older_endpoints() -> None:
    body = {"server": {"name": "a", "x": 1, "tags": {"k": "v"}}, "more": 2}
    assert SERVER.without_unknown(body) == {"server": {"name": "a", "tags": {"k": "v"}}}


def fits(schema: dict[str, Any], value: Any) -> bool:
    try:
        Validator(schema).check(value)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (NAME, ["a", "a b", "ä" * 255, "💻"], ["", " a", "a ", "a\n", "a\x00", "\x85", "a" * 256, 1, None]),
        (TEXT, ["", "a\nb\tc", "ä" * 255], ["a\x00", "a" * 256, "\x1b", None]),
        (UUID, ["70a599e0-31e7-49b7-b260-868f441e862b"], ["70a599e0-31e7-49b7-b260-868f441e862b\n", "x", ""]),
        (IPV4, ["10.0.0.1"], ["10.0.0.256", "010.0.0.1", "::1", "10.0.0.1\n", ""]),
        (IPV6, ["::1", "2001:db8::1"], ["10.0.0.1", "fe80::1%eth0", ":"]),
        (BOOLEAN, [True, "True", "off", "1"], ["maybe", None, "", 2]),
        (NULL, [None, {}], [[], {"a": 1}, "x", 0]),
        (integer(1, 10), [1, 10, "7"], [0, 11, "x", "-1", "1.0", "1\n", None, True, "٣"]),
        (integer(-1), [-1, "-1"], [-2]),
        (
            METADATA,
            [{}, {"a": "b"}, {"a b:c.d-_": ""}],
            [{"": "a"}, {"a": 1}, {"a\n": "b"}, {"ä": "b"}, {"a": "b" * 256}],
        ),
    ],
)
def test_common_types(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fits(schema, value)] == []
    assert [value for value in bad if fits(schema, value)] == []


def test_words_for_booleans_and_digits_are_read() -> None:
    assert [to_bool(each) for each in (True, "yes", "ON", False, "no", "0")] == [True, True, True, False, False, False]
    assert to_int("7", field="x", minimum=1) == 7
    with pytest.raises(InvalidInput):
        to_int("0", field="x", minimum=1)


def test_booleans_in_queries() -> None:
    assert [query_bool(word, field="x") for word in (None, "", "True", "0", "None")] == [
        False,
        True,
        True,
        False,
        False,
    ]
    with pytest.raises(InvalidInput):
        query_bool("perhaps", field="x")
