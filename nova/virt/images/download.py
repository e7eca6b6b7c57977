# SPDX-License-Identifier: Apache-2.0
"""Bytes of an image into a file: bounded, and verified against the image service's digest over the bytes as they came.

Runs in nova-compute.  The file is the caller's temporary one; the caller removes it on failure.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import BinaryIO

from nova import errors
from nova.domain.image import Image
from nova.secret import same_secret
from nova.virt.images.inspector import ImageFacts, Inspection

ALGORITHMS = ("sha512", "sha384", "sha256", "blake2b")


def digest_of(image: Image) -> tuple[str, str]:
    """The algorithm and value that the bytes of *image* must have.

    :raises errors.InvalidImage: the image service named none
    """
    if image.hash_value and image.hash_algo in ALGORITHMS:
        return image.hash_algo, image.hash_value.lower()
    if image.checksum:
        return "md5", image.checksum.lower()
    raise errors.InvalidImage(f"The image {image.id} has no checksum, so its bytes cannot be verified.")


def download(
    image: Image, chunks: Iterable[bytes], target: Path, *, max_bytes: int, extra_formats: Collection[str] = ()
) -> ImageFacts:
    """Write the chunks to *target*, flushed to the disk, and say what they are.

    :param max_bytes: stop when more come
    :raises errors.InvalidImage: other bytes than the digest says, too many, or content that is not acceptable
    :raises OSError: the file could not be written
    """
    algorithm, wanted = digest_of(image)
    digest = hashlib.new(algorithm, usedforsecurity=False)
    inspection = Inspection(image.disk_format or "", extra_formats=extra_formats)
    limit = min(max_bytes, image.size_bytes) if image.size_bytes is not None else max_bytes
    with target.open("xb") as stream:
        os.fchmod(stream.fileno(), 0o600)
        written = 0
        for chunk in chunks:
            written += len(chunk)
            if written > limit:
                raise errors.InvalidImage(f"The image {image.id} is longer than the {limit} bytes that are allowed.")
            digest.update(chunk)
            inspection.feed(chunk)
            stream.write(chunk)
        _sync(stream)
    if not same_secret(digest.hexdigest(), wanted):
        raise errors.InvalidImage(
            f"The bytes of image {image.id} do not have the {algorithm} that the image service named."
        )
    return inspection.facts()


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
