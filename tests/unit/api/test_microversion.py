# SPDX-License-Identifier: Apache-2.0
"""How a microversion is asked for."""

from __future__ import annotations

import pytest

from nova.api.microversion import HIGHEST, LOWEST, answer_headers, asked_for, v
from nova.api.refusal import Refusal


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ("", "", LOWEST),
        ("compute 2.10", "", v(10)),
        ("volume 3.1, compute 2.5", "", v(5)),
        ("compute 2.5, compute 2.6", "", v(6)),
        ("compute 2.10", "2.3", v(10)),
        ("volume 3.50", "2.3", v(3)),
        ("", "2.2, 2.4", v(4)),
        ("compute latest", "", HIGHEST),
        ("", "LATEST", HIGHEST),
    ],
)
def test_the_newer_header_and_the_last_item_win(new: str, old: str, expected: object) -> None:
    assert asked_for(new, old) == expected


@pytest.mark.parametrize("text", ["2", "2.x", "v2.1", "2.1.1", "02.1", "2.01", "٢.١", "-2.1", "2.99999"])
def test_what_is_no_version_is_a_bad_request(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked_for(f"compute {text}", "")
    assert refused.value.status == 400


@pytest.mark.parametrize("text", ["2.0", "2.36", "1.1", "3.0"])
def test_what_is_outside_is_not_acceptable(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked_for("", text)
    assert refused.value.status == 406
    assert refused.value.data["version"] == text


def test_versions_compare_as_numbers() -> None:
    assert v(9) < v(10) < HIGHEST
    assert dict(answer_headers("2.9"))["OpenStack-API-Version"] == "compute 2.9"
