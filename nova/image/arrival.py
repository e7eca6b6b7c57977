# SPDX-License-Identifier: Apache-2.0
"""Takes an image's bytes from a sender to a file: counts, hashes and inspects them on the way, in constant memory.

Every half second, and before more is written than was claimed, ``alive`` is asked: it raises when the image was deleted
or the quota is used up, and so stops the transfer.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO

from nova import errors
from nova.db.images.uploads import Received
from nova.virt.images.inspector import Inspection

SIGN_OF_LIFE_S = 0.5
HASH_ALGORITHM = "sha512"
_PIECE_BYTES = 1024 * 1024


@dataclass(slots=True)
class Digest:
    """What is learned of bytes while they pass."""

    inspection: Inspection
    size_bytes: int = 0
    _md5: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _hash: hashlib._Hash = field(default_factory=lambda: hashlib.new(HASH_ALGORITHM))

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size_bytes += len(chunk)
        self._md5.update(chunk)
        self._hash.update(chunk)
        self.inspection.feed(chunk)

    def received(self) -> Received:
        """The facts at the end; InvalidImage where content and label differ or the content is not acceptable."""
        facts = self.inspection.facts()
        return Received(
            size_bytes=self.size_bytes,
            virtual_size_bytes=facts.virtual_size_bytes,
            checksum=self._md5.hexdigest(),
            hash_algo=HASH_ALGORITHM,
            hash_value=self._hash.hexdigest(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may come: ``announced`` by the sender (None: not known), ``cap`` for any image."""

    cap: int
    announced: int | None = None

    def check_announced(self) -> None:
        """TooLarge before the first byte, where the sender says so himself."""
        if self.announced is not None and self.announced > self.cap:
            raise errors.TooLarge(f"An image may have at most {self.cap} bytes.")

    def check_sum(self, size_bytes: int) -> None:
        """After the next bytes: TooLarge beyond the cap, InvalidInput beyond what was announced."""
        if size_bytes > self.cap:
            raise errors.TooLarge(f"An image may have at most {self.cap} bytes.")
        if self.announced is not None and size_bytes > self.announced:
            raise errors.InvalidInput("More bytes came than were announced.")

    def check_end(self, size_bytes: int) -> None:
        """At the end: InvalidInput where the sender stopped early."""
        if self.announced is not None and size_bytes != self.announced:
            raise errors.InvalidInput(f"Only {size_bytes} of {self.announced} bytes came.")


def take(
    chunks: Iterable[bytes],
    target: IO[bytes],
    *,
    digest: Digest,
    bounds: Bounds,
    alive: Callable[[int], int],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Write all *chunks* to *target*.

    :param alive: told how many bytes are needed in all, says how many are claimed; raises when the upload has to stop
    """
    claimed, asked_at = bounds.announced or 0, clock()
    for chunk in _pieces(chunks):
        size_bytes = digest.size_bytes + len(chunk)
        bounds.check_sum(size_bytes)
        if size_bytes > claimed or clock() - asked_at > SIGN_OF_LIFE_S:
            claimed, asked_at = alive(size_bytes), clock()
        digest.feed(chunk)
        target.write(chunk)
    bounds.check_end(digest.size_bytes)


def _pieces(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes in pieces of at most a megabyte."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE_BYTES):
            yield chunk[start : start + _PIECE_BYTES]


def make_durable(stream: IO[bytes]) -> None:
    """Bring the written bytes to the disk; may take long."""
    stream.flush()
    os.fsync(stream.fileno())
