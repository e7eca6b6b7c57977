# SPDX-License-Identifier: Apache-2.0
"""Files of images, read in chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova import errors
from nova.image.files import FileChunks


def chunks(path: Path, *, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(FileChunks(path.open("rb"), start=start, length=length))


def test_the_whole_or_a_part_is_read(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"0123456789")
    assert chunks(path) == b"0123456789"
    assert chunks(path, start=2, length=3) == b"234"
    assert chunks(path, start=7, length=3) == b"789"


def test_a_file_that_became_shorter_is_an_error_and_not_a_short_answer(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"01234")
    with pytest.raises(errors.InvalidImage, match="shorter"):
        chunks(path, length=10)


def test_nothing_comes_after_close(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"01234")
    stream = FileChunks(path.open("rb"))
    stream.close()
    assert list(stream) == []
