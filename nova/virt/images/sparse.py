# SPDX-License-Identifier: Apache-2.0
"""Sparse files: parts of them copied, and compared, without reading what is not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK = 64 * 1024


def copy_range(source: Path, target: Path, *, start: int, size: int) -> None:
    """Part of a file as a new sparse file."""
    with source.open("rb") as stream, target.open("wb") as made:
        os.truncate(made.fileno(), size)
        for at, length in _data(stream.fileno(), start, start + size):
            stream.seek(at)
            made.seek(at - start)
            shutil.copyfileobj(_Bounded(stream, length), made, CHUNK * 16)


def differences(image: Path, base: Path, *, start: int, size: int) -> Iterator[tuple[int, bytes]]:
    """What *image* has that *base* does not have from *start* on, or beyond *size*; pieces that touch are one."""
    with image.open("rb") as new, base.open("rb") as old:
        pending_at, pending = 0, bytearray()
        for at, length in _data(new.fileno(), 0, image.stat().st_size):
            for offset in range(at - at % CHUNK, at + length, CHUNK):
                new.seek(offset)
                fresh = new.read(CHUNK)
                old.seek(start + offset)
                before = old.read(max(0, min(len(fresh), size - offset)))
                if fresh == before.ljust(len(fresh), b"\0"):
                    continue
                if pending and pending_at + len(pending) == offset and len(pending) < CHUNK * 256:
                    pending += fresh
                    continue
                if pending:
                    yield start + pending_at, bytes(pending)
                pending_at, pending = offset, bytearray(fresh)
        if pending:
            yield start + pending_at, bytes(pending)


class _Bounded:
    """The next *length* bytes of a stream."""

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, most: int = -1) -> bytes:
        data = self._stream.read(self._left if most < 0 else min(most, self._left))
        self._left -= len(data)
        return data


def _data(descriptor: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where a sparse file has data between two offsets: (offset, length)."""
    at = start
    while at < end:
        try:
            at = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError:  # ENXIO: no more
            return
        if at >= end:
            return
        hole = min(end, os.lseek(descriptor, at, os.SEEK_HOLE))
        yield at, hole - at
        at = hole
