# SPDX-License-Identifier: Apache-2.0
"""Bytes on their way into the store."""

from __future__ import annotations

import hashlib
import io

import pytest

from nova import errors
from nova.image.arrival import Bounds, Digest, take
from nova.virt.images.inspector import Inspection


def receive(chunks: list[bytes], *, cap: int = 10**9, announced: int | None = None) -> tuple[bytes, list[int], Digest]:
    """What arrived, how much was asked for before, and what was learned; claims are granted in steps of ten."""
    target, asked, digest = io.BytesIO(), list[int](), Digest(Inspection("raw"))

    def alive(needed: int) -> int:
        asked.append(needed)
        return needed + 10

    take(chunks, target, digest=digest, bounds=Bounds(cap=cap, announced=announced), alive=alive)
    return target.getvalue(), asked, digest


def test_all_bytes_arrive_with_their_hashes() -> None:
    data, _, digest = receive([b"one", b"", b"two"])
    received = digest.received()
    assert data == b"onetwo"
    assert received.checksum == hashlib.md5(b"onetwo").hexdigest()
    assert received.hash_value == hashlib.sha512(b"onetwo").hexdigest()
    assert (received.size_bytes, received.virtual_size_bytes) == (6, 6)


def test_bytes_are_claimed_before_they_are_written_and_not_for_every_chunk() -> None:
    _, asked, _ = receive([b"x" * 4] * 5)
    assert asked == [4, 16]
    _, announced, _ = receive([b"x" * 10, b"x" * 10], announced=20)
    assert announced == []


def test_a_refused_claim_stops_the_writing() -> None:
    target = io.BytesIO()

    def refuse(_: int) -> int:
        raise errors.QuotaExceeded

    with pytest.raises(errors.QuotaExceeded):
        take([b"x"], target, digest=Digest(Inspection("raw")), bounds=Bounds(cap=10), alive=refuse)
    assert target.getvalue() == b""


def test_signs_of_life_come_by_the_clock() -> None:
    now = iter(range(100))
    asked: list[int] = []

    def alive(needed: int) -> int:
        asked.append(needed)
        return 3

    take(
        [b"x"] * 3,
        io.BytesIO(),
        digest=Digest(Inspection("raw")),
        bounds=Bounds(cap=10, announced=3),
        alive=alive,
        clock=lambda: float(next(now)),
    )
    assert asked == [1, 2, 3]


@pytest.mark.parametrize(
    ("announced", "kind"), [(2, errors.InvalidInput), (9, errors.InvalidInput), (None, errors.TooLarge)]
)
def test_wrong_sizes_are_refused(announced: int | None, kind: type[errors.NovaError]) -> None:
    with pytest.raises(kind):
        receive([b"abc", b"def"], cap=5 if announced is None else 100, announced=announced)


def test_an_announced_size_beyond_the_cap_is_refused_at_once() -> None:
    with pytest.raises(errors.TooLarge):
        Bounds(cap=5, announced=6).check_announced()
