# SPDX-License-Identifier: Apache-2.0
"""Patterns that people send: what is allowed, and what would take too long."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import column

from nova import errors
from nova.db import patterns

NAME = column("name")


def portable(pattern: str) -> str:
    """The pattern as it is sent to the database."""
    compiled = patterns.condition(NAME, pattern, dialect="sqlite", field="name").compile()
    return str(compiled.params.get("name_1", ""))


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(a*)*",
        "(.*a){20}",
        "a*a*a*a*b",
        "a?" * 25 + "a" * 25,
        "(a|a)(a|a)" * 12,
        "\\1",
        "(?=a)",
        "(?i)a",
        "(?P<n>a)",
        "[[:alpha:]]",
        "[z-a]",
        "[",
        "[]",
        "(",
        ")",
        "a**",
        "*a",
        "+",
        "a{2,1}",
        "a{999}",
        "a{",
        "\\",
        "\\b",
        "\\d-\\x41",
        "x" * 256,
    ],
)
def test_what_is_wrong_or_costly_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(errors.InvalidInput, match="pattern in ip") as refusal:
        patterns.condition(NAME, pattern, dialect="mysql", field="ip")
    assert refusal.value.data == {"field": "ip"}


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("^web-\\d+$", "^web-[0-9]+$"),
        ("(a|b)?c", "(?:a|b)?c"),
        ("10\\.0\\.0\\.", "10\\.0\\.0\\."),
        ("[]x]", "[\\]x]"),
        ("[a-]", "[a\\-]"),
        ("[^\\w.-]", "[^A-Za-z0-9_.\\-]"),
        (".*abc.*", "abc"),
        ("^.*abc.*$", "abc"),
        ("a\\.*", "a\\.*"),
        ("a{1,3}b{2}", "a{1,3}b{2}"),
    ],
)
def test_what_is_allowed_is_written_portably(pattern: str, written: str) -> None:
    assert portable(pattern) == written


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab.*+?|()[]{}^$\\1-,", max_size=24))
def test_whatever_is_accepted_is_a_pattern_and_matches_in_time(pattern: str) -> None:
    try:
        written = portable(pattern)
    except errors.InvalidInput:
        return
    started = time.monotonic()
    re.compile(written)
    patterns.search(written, "a" * 60 + "b")
    assert time.monotonic() - started < 2


def test_nothing_matches_a_missing_value() -> None:
    assert patterns.search("a", None) is None
