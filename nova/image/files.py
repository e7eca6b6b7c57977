# SPDX-License-Identifier: Apache-2.0
"""The directory with the images' bytes: one file per image, named by its id, and ``incoming`` for unfinished ones.

Runs in nova-api; nova-compute may read from it where it shares the directory.  Files are 0640.  Names are ids that we
made or checked, never other text.  A crash leaves a file in ``incoming`` or one without an active image; the sweep of
``nova.image.local`` finds both.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nova import errors
from nova.context import RequestContext
from nova.system.files import ensure_directory

CHUNK_BYTES = 256 * 1024
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FileChunks:
    """The content of an open file, in chunks; closes it at the end.

    InvalidImage when a *length* is given and the file ends before it: whoever waits for the rest must not wait on.
    """

    def __init__(self, stream: IO[bytes], *, start: int = 0, length: int | None = None) -> None:
        self._stream = stream
        self._left = length
        stream.seek(start)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        wanted = CHUNK_BYTES if self._left is None else min(CHUNK_BYTES, self._left)
        chunk = self._stream.read(wanted) if wanted and not self._stream.closed else b""
        if not chunk:
            self.close()
            if self._left:
                raise errors.InvalidImage("The stored image is shorter than it was when it came.")
            raise StopIteration
        if self._left is not None:
            self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Stop reading."""
        self._stream.close()


class StoredImages:
    """The finished images, for reading: also for a daemon of another user than the store's.

    :param root: the directory; need not be there
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root)

    def open(self, image_id: str) -> IO[bytes]:
        """The bytes of an image; Unavailable where the store lost them."""
        return self._open(self._finished(image_id))

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        """``ImageReader`` for nova-compute where it shares the directory; nova-api let the caller use the image."""
        return FileChunks(self.open(image_id))

    def _open(self, path: Path) -> IO[bytes]:
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
        except FileNotFoundError:
            raise errors.Unavailable("The data of the image is not in the store.", detail=str(path)) from None
        except OSError as exc:
            raise errors.Unavailable("The image store cannot be read.", detail=f"{path}: {exc.strerror}") from exc

    def _finished(self, image_id: str) -> Path:
        return self._root / _checked(image_id)


class ImageFiles(StoredImages):
    """The whole store, for its owner.

    :param root: the directory; made if it is missing
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        super().__init__(ensure_directory(root))
        self._incoming = ensure_directory(self._root / "incoming")

    def receive(self, upload_id: str) -> IO[bytes]:
        """A new file for the bytes of an upload."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(self._arriving(upload_id), flags, 0o640), "wb")

    def open_received(self, upload_id: str) -> IO[bytes]:
        """What an upload left; Unavailable where it is gone."""
        return self._open(self._arriving(upload_id))

    def publish(self, upload_id: str, image_id: str) -> None:
        """Make the finished file the image's; it survives a power cut from then on."""
        os.replace(self._arriving(upload_id), self._finished(image_id))
        for directory in (self._root, self._incoming):
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self, image_id: str) -> None:
        """Remove an image's bytes; whoever is reading them goes on."""
        self._finished(image_id).unlink(missing_ok=True)

    def discard(self, upload_id: str) -> None:
        """Remove what an upload left."""
        self._arriving(upload_id).unlink(missing_ok=True)

    def older_than(self, age_s: float) -> list[str]:
        """The names of all files that nobody wrote to for *age_s* seconds: image ids and upload ids."""
        limit = time.time() - age_s
        found = []
        for directory in (self._root, self._incoming):
            with os.scandir(directory) as entries:
                found += [entry.name for entry in entries if _ID.fullmatch(entry.name) and _is_old(entry, limit)]
        return found

    def _arriving(self, upload_id: str) -> Path:
        return self._incoming / _checked(upload_id)


def _is_old(entry: os.DirEntry[str], limit: float) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < limit
    except FileNotFoundError:
        return False


def _checked(name: str) -> str:
    if not _ID.fullmatch(name):
        raise errors.NotFound.of("image", name[:64])
    return name
