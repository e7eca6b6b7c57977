# SPDX-License-Identifier: Apache-2.0
"""Image files for the tests of this directory: honest and hostile ones, made byte by byte or by qemu-img."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from nova.context import RequestContext
from nova.domain.image import Image

MIB = 1024**2


def qcow2(path: Path, *, size: str = "1M", backing: str = "", options: str = "") -> Path:
    words = ["qemu-img", "create", "-q", "-f", "qcow2"]
    words += ["-u", "-b", backing, "-F", "raw"] if backing else []
    words += ["-o", options] if options else []
    subprocess.run([*words, str(path), size], check=True, capture_output=True)
    return path


def vmdk(path: Path, subformat: str) -> Path:
    words = ["qemu-img", "convert", "-q", "-f", "raw", "-O", "vmdk", "-o", f"subformat={subformat}"]
    source = path.with_suffix(".src")
    source.write_bytes(b"data" * 20000)
    subprocess.run([*words, str(source), str(path)], check=True, capture_output=True)
    return path


def set_incompatible_bit(path: Path, bit: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(72)
        old = struct.unpack(">Q", stream.read(8))[0]
        stream.seek(72)
        stream.write(struct.pack(">Q", old | 1 << bit))


def bootable(size: int = MIB) -> bytes:
    """A raw disk with a partition table."""
    entry = struct.pack("<B3BB3BII", 0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, size // 512 - 1)
    mbr = b"\0" * 446 + entry + b"\0" * 48 + b"\x55\xaa"
    return mbr + b"guest" * ((size - 512) // 5) + b"\0" * ((size - 512) % 5)


def described(data: bytes, *, disk_format: str = "raw", image_id: str = "1111-2222") -> Image:
    digest = hashlib.sha512(data).hexdigest()
    return Image(id=image_id, size_bytes=len(data), hash_algo="sha512", hash_value=digest, disk_format=disk_format)


class Store:
    """An image service in memory that counts its downloads."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.reads = 0

    def put(self, image: Image, data: bytes) -> None:
        self.contents[image.id] = data

    def read(self, context: RequestContext, image_id: str) -> Iterator[bytes]:
        self.reads += 1
        data = self.contents[image_id]
        for start in range(0, len(data), 65536):
            yield data[start : start + 65536]
