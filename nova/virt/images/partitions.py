# SPDX-License-Identifier: Apache-2.0
"""Partition tables of raw images, MBR and GPT (UEFI specification, chapter 5), read and grown in Python.

Nothing here believes an image: numbers that lead out of it are no partitions.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECTOR = 512
_MBR_ENTRIES = 446
_PROTECTIVE = 0xEE
_EXTENDED = frozenset({0x05, 0x0F, 0x85})
_GPT_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
"""Signature, revision, size, checksum, reserved, own sector, other's sector, first and last usable sector, disk, first
sector of entries, their number and size, their checksum."""
_MOST_ENTRIES = 128
_ENTRY_BYTES = 128
_LARGEST_MBR_SECTORS = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One partition; ``number`` as the guest counts, from 1."""

    number: int
    start_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The partitions of a disk."""

    kind: str
    """``mbr``, ``gpt``, or empty for a disk without a table"""
    partitions: tuple[Partition, ...] = ()


Patch = tuple[int, bytes]
"""An offset on the disk in bytes, and what is to stand there."""


def read_table(path: Path) -> Table:
    """The partition table of a raw disk."""
    size_bytes = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(SECTOR)
        if len(head) < SECTOR or head[510:] != b"\x55\xaa":
            return Table(kind="")
        entries = [_mbr_entry(head, index) for index in range(4)]
        if any(kind == _PROTECTIVE for kind, *_ in entries):
            return Table(kind="gpt", partitions=_gpt(stream.read(SECTOR), path, size_bytes))
    found = [
        Partition(number=index + 1, start_bytes=start * SECTOR, size_bytes=count * SECTOR)
        for index, (kind, start, count) in enumerate(entries)
        if kind and kind not in _EXTENDED and start and 0 < (start + count) * SECTOR <= size_bytes
    ]
    # The first sector of a file system without a table may end with the same two bytes.
    return Table(kind="mbr", partitions=tuple(found)) if found else Table(kind="")


def grow_last(path: Path, table: Table, *, disk_bytes: int) -> tuple[Partition, list[Patch]] | None:
    """The only partition of the disk, made to fill *disk_bytes*, and what must be written for that.

    None when the disk has several partitions, or a table that cannot be grown.
    """
    if len(table.partitions) != 1:
        return None
    only = table.partitions[0]
    if table.kind == "mbr":
        return _grow_mbr(path, only, disk_bytes)
    return _grow_gpt(path, only, disk_bytes)


def _mbr_entry(head: bytes, index: int) -> tuple[int, int, int]:
    """Type, first sector, number of sectors."""
    at = _MBR_ENTRIES + 16 * index
    kind, start, count = head[at + 4], *struct.unpack_from("<II", head, at + 8)
    return kind, start, count


def _grow_mbr(path: Path, only: Partition, disk_bytes: int) -> tuple[Partition, list[Patch]]:
    start = only.start_bytes // SECTOR
    count = min(disk_bytes // SECTOR - start, _LARGEST_MBR_SECTORS)
    with path.open("rb") as stream:
        head = bytearray(stream.read(SECTOR))
    struct.pack_into("<I", head, _MBR_ENTRIES + 16 * (only.number - 1) + 12, count)
    grown = Partition(number=only.number, start_bytes=only.start_bytes, size_bytes=count * SECTOR)
    return grown, [(0, bytes(head))]


def _gpt(header: bytes, path: Path, size_bytes: int) -> tuple[Partition, ...]:
    fields = _header(header)
    if fields is None:
        return ()
    found = []
    for index, entry in enumerate(_entries(path, fields)):
        first, last = struct.unpack_from("<QQ", entry, 32)
        if entry[:16] != bytes(16) and first <= last and (last + 1) * SECTOR <= size_bytes:
            size = (last - first + 1) * SECTOR
            found.append(Partition(number=index + 1, start_bytes=first * SECTOR, size_bytes=size))
    return tuple(found)


def _header(header: bytes) -> list[int | bytes] | None:
    """The fields of a header that this code can handle: at most 128 entries of 128 bytes, as every tool makes them."""
    if len(header) < _GPT_HEADER.size:
        return None
    fields = list(_GPT_HEADER.unpack_from(header))
    signature, entries, entry_bytes = fields[0], fields[11], fields[12]
    return fields if signature == b"EFI PART" and entries <= _MOST_ENTRIES and entry_bytes == _ENTRY_BYTES else None


def _entries(path: Path, fields: Sequence[int | bytes]) -> list[bytes]:
    with path.open("rb") as stream:
        stream.seek(int(fields[10]) * SECTOR)
        data = stream.read(int(fields[11]) * _ENTRY_BYTES)
    return [data[index : index + _ENTRY_BYTES] for index in range(0, len(data) - _ENTRY_BYTES + 1, _ENTRY_BYTES)]


def _grow_gpt(path: Path, only: Partition, disk_bytes: int) -> tuple[Partition, list[Patch]] | None:
    with path.open("rb") as stream:
        stream.seek(SECTOR)
        fields = _header(stream.read(SECTOR))
    if fields is None:
        return None
    entries = _entries(path, fields)
    table_sectors = -(-len(entries) * _ENTRY_BYTES // SECTOR)
    last_sector = disk_bytes // SECTOR - 1
    last_usable = last_sector - table_sectors - 1
    entry = bytearray(entries[only.number - 1])
    struct.pack_into("<Q", entry, 40, last_usable)
    entries[only.number - 1] = bytes(entry)
    body = b"".join(entries)
    first, second = list(fields), list(fields)
    first[5:7], second[5:7] = [1, last_sector], [last_sector, 1]
    second[10] = last_usable + 1
    for each in (first, second):
        each[8], each[13] = last_usable, zlib.crc32(body)
    size_bytes = (last_usable + 1) * SECTOR - only.start_bytes
    grown = Partition(number=only.number, start_bytes=only.start_bytes, size_bytes=size_bytes)
    return grown, [
        (SECTOR, _packed(first)),
        (int(first[10]) * SECTOR, body),
        ((last_usable + 1) * SECTOR, body),
        (last_sector * SECTOR, _packed(second)),
    ]


def _packed(fields: Sequence[int | bytes]) -> bytes:
    """The header in its sector, with a checksum of its own."""
    values = list(fields)
    values[2], values[3] = _GPT_HEADER.size, 0
    values[3] = zlib.crc32(_GPT_HEADER.pack(*values))
    return _GPT_HEADER.pack(*values).ljust(SECTOR, b"\0")
