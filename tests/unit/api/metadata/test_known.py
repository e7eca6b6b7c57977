# SPDX-License-Identifier: Apache-2.0
"""The table of what was read a moment ago."""

from __future__ import annotations

import dataclasses

from nova.api.metadata.known import Known
from nova.domain.guest_metadata.facts import Facts
from tests.unit.domain.guest_metadata.test_ec2_tree import facts


def of(uuid: str) -> Facts:
    plain = facts()
    return dataclasses.replace(plain, instance=dataclasses.replace(plain.instance, uuid=uuid))


def test_an_entry_ends_with_its_time() -> None:
    now = [0.0]
    known = Known(15, clock=lambda: now[0])
    known.keep("10.0.0.2", of("u"))
    now[0] = 14.9
    assert known.get("10.0.0.2", "u") is not None
    now[0] = 15.0
    assert known.get("10.0.0.2", "u") is None
    assert len(known) == 0


def test_an_entry_is_for_one_instance_only() -> None:
    known = Known(15)
    known.keep("10.0.0.2", of("u"))
    assert known.get("10.0.0.2", "other") is None
    assert known.get("10.0.0.2", "u") is None


def test_the_table_is_bounded() -> None:
    known = Known(15, max_entries=3)
    for number in range(1000):
        known.keep(f"10.0.0.{number}", of("u"))
    assert len(known) == 3
    assert known.get("10.0.0.999", "u") is not None


def test_zero_seconds_keep_nothing() -> None:
    known = Known(0)
    known.keep("10.0.0.2", of("u"))
    assert len(known) == 0
