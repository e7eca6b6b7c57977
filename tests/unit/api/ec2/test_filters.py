# SPDX-License-Identifier: Apache-2.0
"""Filters by themselves."""

from __future__ import annotations

import time

import pytest

from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.filters import narrowed


def matches(pattern: str, text: str) -> bool:
    return bool(narrowed([text], [{"Name": "it", "Value": [pattern]}], {"it": lambda each: [each]}))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("web", "web", True),
        ("web", "web1", False),
        ("web", "Web", False),
        ("w*", "web", True),
        ("*b", "web", True),
        ("*e*", "web", True),
        ("*x*", "web", False),
        ("w?b", "web", True),
        ("w?", "web", False),
        ("*", "", True),
        ("", "", True),
        ("", "x", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("ab*ab", "ab", False),
        ("\\*", "*", True),
        ("\\*", "x", False),
        ("a\\?", "a?", True),
        ("a\\?", "ab", False),
        ("a.c", "abc", False),
        ("[a-z]", "b", False),
        ("\\", "\\", True),
        ("a*", "a\nb", True),
    ],
)
def test_a_pattern_means_what_it_says(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    started = time.monotonic()
    assert not matches("*a" * 120 + "b", "a" * 10_000)
    assert time.monotonic() - started < 1


def test_truth_is_written_as_in_the_answers() -> None:
    found = narrowed([True, False], [{"Name": "it", "Value": ["true"]}], {"it": lambda each: [each]})
    assert found == [True]


def test_tags_need_something_that_has_tags() -> None:
    with pytest.raises(Ec2Refusal):
        narrowed(["x"], [{"Name": "tag:role", "Value": ["x"]}], {})
