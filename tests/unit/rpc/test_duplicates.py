# SPDX-License-Identifier: Apache-2.0
"""What a server remembers of the messages that it has seen."""

from __future__ import annotations

from nova.rpc.duplicates import KEPT_ANSWER_BYTES, Duplicates


def test_a_message_begins_once_until_it_is_forgotten() -> None:
    seen = Duplicates()
    assert [seen.begin("a"), seen.begin("a")] == [True, False]
    seen.forget("a")
    assert seen.begin("a")


def test_the_memory_is_bounded_and_the_oldest_goes_first() -> None:
    seen = Duplicates(limit=2)
    for message_id in ("a", "b", "c"):
        seen.begin(message_id)
    assert not seen.begin("c")
    assert seen.begin("a")


def test_short_answers_are_kept_and_long_ones_are_not() -> None:
    seen = Duplicates()
    seen.begin("a")
    assert seen.answer_to("a") is None
    seen.answered("a", b"x" * (KEPT_ANSWER_BYTES + 1))
    assert seen.answer_to("a") is None
    seen.answered("a", b"x")
    assert seen.answer_to("a") == b"x"
