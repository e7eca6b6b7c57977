# SPDX-License-Identifier: Apache-2.0
"""The users' own conditions on hosts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nova.domain.host_query import parse
from nova.errors import InvalidInput
from tests.unit.scheduler.test_select import host

HOST = host("h1", memory_mb=4096, memory_mb_used=1024, vcpus=8, vcpus_used=2)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([">=", "$free_ram_mb", 3072], True),
        ([">", "$free_ram_mb", 3072], False),
        (["=", "$host", "h1"], True),
        (["in", "$host", "h0", "h1"], True),
        (["not", ["in", "$host", "h0", "h1"]], False),
        (["and", ["<", "$vcpus_used", 4], ["=", "$hypervisor_type", "QEMU"]], True),
        (["or", ["<", "$vcpus_used", 1], ["=", "$hypervisor_type", "Xen"]], False),
        (["<", "$host", 5], False),
        (["<", 1, "$vcpus_used", 3], True),
    ],
)
def test_a_condition_is_true_or_not(query: list[Any], expected: bool) -> None:
    assert parse(json.dumps(query))(HOST) is expected


def nested(depth: int) -> list[Any]:
    return ["=", 1, 1] if depth == 0 else ["not", nested(depth - 1)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '"$host"',
        '["="]',
        '["=", "$host"]',
        '["=", "$__class__", "x"]',
        '["system", "$host", "rm"]',
        '["not", ["=", 1, 1], ["=", 1, 1]]',
        '["=", ["$host"], "x"]',
        '["=", null, 1]',
        "[" * 100_000,
        json.dumps(nested(20)),
        json.dumps(["in", "$host", *["x"] * 300]),
    ],
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert caught.value.data["field"] == "query"
