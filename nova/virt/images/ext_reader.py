# SPDX-License-Identifier: Apache-2.0
"""Reads an ext2, ext3 or ext4 file system out of a plain file, in Python, and writes its tree into a directory.

For containers, which have no kernel of their own to mount it.  Nothing that the image says is believed: sizes, block
numbers and depths are bounded, a name is one name, every file is made new (never through a link), and devices are left
out.  Layout of the structures: Linux, Documentation/filesystems/ext4.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nova import errors

ROOT_INODE = 2
MOST_BYTES = 1 << 62
MOST_FILES = 500_000
MOST_DEPTH = 64
_MAGIC, _EXTENT_MAGIC = 0xEF53, 0xF30A
_64BIT = 0x80
_UNREADABLE = {0x10: "meta_bg", 0x8000: "inline_data", 0x10000: "encrypt", 0x4: "an open journal"}
"""Features (incompatible ones) without which the tree would be read wrongly."""
_EXTENTS = 0x80000
_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Inode:
    """One file of the image."""

    number: int
    mode: int
    user: int
    group: int
    size_bytes: int
    flags: int
    block: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Who owns the files outside: each user and group of the image *shift* higher; None leaves all to the caller."""

    shift: int | None
    count: int = 65536

    def outside(self, number: int) -> int:
        """The number outside for one inside; those that are too high are nobody."""
        return (self.shift or 0) + (number if number < self.count else _NOBODY)


class ExtReader:
    """One file system at *offset* of *stream*."""

    def __init__(self, stream: BinaryIO, *, offset: int = 0) -> None:
        """:raises errors.InvalidImage: it is none, or has features that are not known here"""
        self._stream = stream
        self._offset = offset
        head = self._bytes(1024, 1024)
        if struct.unpack_from("<H", head, 56)[0] != _MAGIC:
            raise errors.InvalidImage("The image holds no ext2, ext3 or ext4 file system.")
        features, log_size = struct.unpack_from("<I", head, 96)[0], struct.unpack_from("<I", head, 24)[0]
        found = [name for bit, name in _UNREADABLE.items() if features & bit]
        if found or log_size > 6:
            raise errors.InvalidImage(
                f"The file system of the image cannot be read: {', '.join(found) or 'block size'}."
            )
        self._block_bytes = 1024 << log_size
        self._first_block = struct.unpack_from("<I", head, 20)[0]
        self._inodes_per_group = struct.unpack_from("<I", head, 40)[0] or 1
        self._inode_bytes = struct.unpack_from("<H", head, 88)[0] or 128
        self._descriptor_bytes = max(32, struct.unpack_from("<H", head, 254)[0]) if features & _64BIT else 32

    def inode(self, number: int) -> Inode:
        """One inode by its number."""
        group, index = divmod(number - 1, self._inodes_per_group)
        at = (self._first_block + 1) * self._block_bytes + group * self._descriptor_bytes
        descriptor = self._bytes(at, self._descriptor_bytes)
        table = struct.unpack_from("<I", descriptor, 8)[0]
        if self._descriptor_bytes >= 64:
            table |= struct.unpack_from("<I", descriptor, 40)[0] << 32
        raw = self._bytes(table * self._block_bytes + index * self._inode_bytes, 128)
        mode, user, size = struct.unpack_from("<HHI", raw, 0)
        group_id, flags = struct.unpack_from("<H", raw, 24)[0], struct.unpack_from("<I", raw, 32)[0]
        size |= struct.unpack_from("<I", raw, 108)[0] << 32 if stat.S_ISREG(mode) else 0
        user_high, group_high = struct.unpack_from("<HH", raw, 120)
        return Inode(number, mode, user | user_high << 16, group_id | group_high << 16, size, flags, raw[40:100])

    def pieces(self, inode: Inode) -> Iterator[tuple[int, bytes]]:
        """The content where there is any: (offset, data), each within the file's size."""
        blocks = self._extents(inode.block, 5) if inode.flags & _EXTENTS else self._pointers(inode.block)
        for logical, physical, count in blocks:
            for index in range(count):
                start = (logical + index) * self._block_bytes
                if start >= inode.size_bytes:
                    break
                data = self._bytes((physical + index) * self._block_bytes, self._block_bytes)
                yield start, data[: inode.size_bytes - start]

    def link(self, inode: Inode) -> bytes:
        """Where a symbolic link leads."""
        if inode.size_bytes < 60:
            return inode.block[: inode.size_bytes]
        if inode.size_bytes > 4095:
            raise errors.InvalidImage("The image has a link that is too long.")
        return b"".join(data for _, data in self.pieces(inode))

    def entries(self, inode: Inode) -> Iterator[tuple[bytes, int]]:
        """The names in a directory with their inodes."""
        for _, block in self.pieces(inode):
            at = 0
            while at + 8 <= len(block):
                number, length, name_length = struct.unpack_from("<IHB", block, at)
                if length < 8 or at + length > len(block) or name_length > length - 8:
                    raise errors.InvalidImage("A directory of the image is damaged.")
                name = block[at + 8 : at + 8 + name_length]
                if number and name not in (b".", b".."):
                    yield name, number
                at += length

    def _extents(self, node: bytes, levels: int) -> Iterator[tuple[int, int, int]]:
        magic, count, _most, depth = struct.unpack_from("<HHHH", node, 0)
        if magic != _EXTENT_MAGIC or 12 + count * 12 > len(node) or depth > levels:
            raise errors.InvalidImage("A file of the image is damaged.")
        for index in range(count):
            at = 12 + index * 12
            if depth:
                low, high = struct.unpack_from("<IH", node, at + 4)
                yield from self._extents(
                    self._bytes((low | high << 32) * self._block_bytes, self._block_bytes), depth - 1
                )
                continue
            logical, length, high, low = struct.unpack_from("<IHHI", node, at)
            if length <= 32768:  # a longer one is room that was never written
                yield logical, low | high << 32, length

    def _pointers(self, block: bytes) -> Iterator[tuple[int, int, int]]:
        each = self._block_bytes // 4
        logical = 0
        for index, pointer in enumerate(struct.unpack("<15I", block)):
            level = max(0, index - 11)
            if pointer:
                yield from self._indirect(pointer, logical, level)
            logical += each**level

    def _indirect(self, pointer: int, logical: int, level: int) -> Iterator[tuple[int, int, int]]:
        if level == 0:
            yield logical, pointer, 1
            return
        each = self._block_bytes // 4
        inner = struct.unpack(f"<{each}I", self._bytes(pointer * self._block_bytes, self._block_bytes))
        for index, below in enumerate(inner):
            if below:
                yield from self._indirect(below, logical + index * each ** (level - 1), level - 1)

    def _bytes(self, at: int, count: int) -> bytes:
        start = self._offset + at
        data = b""
        if start < MOST_BYTES:
            self._stream.seek(start)
            data = self._stream.read(count)
        if len(data) != count:
            raise errors.InvalidImage("The file system of the image leads out of the image.")
        return data


class TreeWriter:
    """Writes a whole file system into a directory that is new."""

    def __init__(self, reader: ExtReader, *, owners: Owners, max_bytes: int) -> None:
        self._reader = reader
        self._owners = owners
        self._left_bytes = max_bytes
        self._left_files = MOST_FILES

    def write(self, target: Path) -> None:
        """Everything below the image's root.

        :raises errors.InvalidImage: the tree is damaged, hostile, or larger than allowed
        """
        target.mkdir(mode=0o700)
        descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._directory(descriptor, self._reader.inode(ROOT_INODE), (ROOT_INODE,))
        except FileExistsError as exc:
            raise errors.InvalidImage("A directory of the image has a name twice.", detail=str(exc)) from exc
        except ValueError as exc:
            raise errors.InvalidImage("A link of the image is damaged.", detail=str(exc)) from exc
        finally:
            os.close(descriptor)

    def _directory(self, here: int, inode: Inode, path: tuple[int, ...]) -> None:
        if len(path) > MOST_DEPTH:
            raise errors.InvalidImage("The directories of the image are too deep.")
        self._count(inode.size_bytes)
        for name, number in self._reader.entries(inode):
            if not name or b"/" in name or b"\0" in name or number in path:
                raise errors.InvalidImage("A directory of the image has a name that is none.")
            self._left_files -= 1
            self._entry(here, name, self._reader.inode(number), path)
        self._finish(here, inode)

    def _entry(self, here: int, name: bytes, inode: Inode, path: tuple[int, ...]) -> None:
        if stat.S_ISDIR(inode.mode):
            os.mkdir(name, 0o700, dir_fd=here)
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            try:
                self._directory(below, inode, (*path, inode.number))
            finally:
                os.close(below)
        elif stat.S_ISREG(inode.mode):
            self._file(here, name, inode)
        elif stat.S_ISLNK(inode.mode):
            os.symlink(self._reader.link(inode), name, dir_fd=here)
            if self._owners.shift is not None:
                outside = self._owners.outside
                os.chown(name, outside(inode.user), outside(inode.group), dir_fd=here, follow_symlinks=False)

    def _file(self, here: int, name: bytes, inode: Inode) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        made = os.open(name, flags, 0o600, dir_fd=here)
        try:
            for offset, data in self._reader.pieces(inode):
                self._count(len(data))
                os.pwrite(made, data, offset)
            if inode.size_bytes > self._left_bytes + os.fstat(made).st_size:
                raise errors.InvalidImage("A file of the image is larger than the flavor's disk.")
            os.ftruncate(made, inode.size_bytes)
            self._finish(made, inode)
        finally:
            os.close(made)

    def _finish(self, descriptor: int, inode: Inode) -> None:
        """Owner, then mode: a change of the owner takes the set-user bits away."""
        if self._owners.shift is None:
            os.fchmod(descriptor, inode.mode & 0o777 | 0o600)
            return
        os.fchown(descriptor, self._owners.outside(inode.user), self._owners.outside(inode.group))
        os.fchmod(descriptor, inode.mode & 0o7777)

    def _count(self, size_bytes: int) -> None:
        self._left_bytes -= size_bytes
        if self._left_bytes < 0 or self._left_files < 0:
            raise errors.InvalidImage("The files of the image are more than the flavor's disk holds.")
