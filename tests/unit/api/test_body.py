# SPDX-License-Identifier: Apache-2.0
"""JSON from strangers."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.api import body
from nova.api.refusal import Refusal
from nova.errors import InvalidInput


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "well-formed"),
        (b"", "well-formed"),
        (b"\xff{}", "UTF-8"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "NaN"),
        (b"-Infinity", "Infinity"),
        (b"9223372036854775808", "64 bits"),
        (b"9" * 5000, "64 bits"),
        (b"1e400", "too large"),
        (b"[" * 100_000, "well-formed"),
        (b"[" * 33 + b"1" + b"]" * 33, "deeper"),
        (b'"\\ud800"', "Unicode"),
        (b'{"\\udfff": 1}', "Unicode"),
    ],
)
def test_what_is_not_acceptable_says_why(raw: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        body.parse(raw)


def test_the_bounds_themselves_are_inside() -> None:
    assert body.parse(b"9223372036854775807") == 2**63 - 1
    assert body.parse(b"-9223372036854775807") == 1 - 2**63
    body.parse(b"[" * 32 + b"1" + b"]" * 32)
    assert body.parse('{"name": "äöü 💻"}'.encode()) == {"name": "äöü 💻"}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_clear_refusal(raw: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        body.parse(raw)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=UTF-8", "", "application/vnd.openstack.compute+json"]
)
def test_json_has_several_names(kind: str) -> None:
    body.check_media_type(kind)


@pytest.mark.parametrize("kind", ["application/xml", "text/plain", "multipart/form-data; boundary=x", "json"])
def test_other_media_types_are_refused(kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        body.check_media_type(kind)
    assert refused.value.status == 415
