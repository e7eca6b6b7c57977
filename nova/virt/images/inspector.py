# SPDX-License-Identifier: Apache-2.0
"""What an image file really is, found out in Python before any tool opens it.

Used by the image service at upload and by nova-compute before an image enters its cache.  Content decides: every known
format is looked for, and the label must agree with what is there.  Formats that nobody needs are refused by name.
A refused file is InvalidImage, with a sentence for the image's owner.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nova import errors
from nova.virt.images.qemu_img import SourceFormat

DISK_FORMATS = ("raw", "qcow2", "vmdk", "iso", "ami", "aki", "ari")
"""The labels (Image API ``disk_format``) that are taken."""

EXTRA_FORMATS = ("vhd", "vdi")
"""Those that are taken too where the operator says so: each is one more parser that strangers' files reach."""

CHUNK_BYTES = 64 * 1024
HEAD_BYTES = 512
GIB = 1024**3

_PLAIN = frozenset({"raw", "gpt"})
"""Content without a container: what the guest reads is what is in the file.  gpt: also a bare MBR."""

_FITS: dict[str, frozenset[str]] = {
    "raw": _PLAIN,
    "ami": _PLAIN,
    "aki": _PLAIN,
    "ari": _PLAIN,
    "qcow2": frozenset({"qcow2"}),
    "vmdk": frozenset({"vmdk"}),
    "iso": frozenset({"iso", "gpt"}),
    "vhd": frozenset({"vhd"}),
    "vdi": frozenset({"vdi"}),
}

_CONTAINERS: dict[str, SourceFormat] = {"qcow2": "qcow2", "vmdk": "vmdk", "vhd": "vpc", "vdi": "vdi"}
"""Formats that are unpacked, with their names in tools."""

_KINDS = {"vhd": (60, ">I", frozenset({3})), "vdi": (0x4C, "<I", frozenset({1, 2}))}
"""Where the header says what kind of file it is, and which kinds stand for themselves: the others need a parent."""

_UNWANTED = (
    (b"WithoutFreeSpace", "parallels"),
    (b"WithouFreSpacExt", "parallels"),
    (b"Bochs Virtual HD Image", "bochs"),
    (b"#!/bin/sh\n#V2.0 Format", "cloop"),
    (b"COWD", "vmdk (ESX sparse)"),
    (b"OOOM", "usermode-linux cow"),
    (b"LUKS\xba\xbe", "luks"),
)
"""First bytes of formats that QEMU knows and the format library does not, or only in part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What is known of an inspected file.

    ``storage_format`` is the word for tools.
    """

    disk_format: str
    storage_format: SourceFormat
    size_bytes: int
    virtual_size_bytes: int


class Inspection:
    """Looks at an image's bytes while they pass by; ``facts()`` at the end."""

    def __init__(self, declared_format: str, *, extra_formats: Collection[str] = ()) -> None:
        """
        :param declared_format: the image's ``disk_format``
        :param extra_formats: which of EXTRA_FORMATS are taken as well
        :raises errors.InvalidImage: not one that is taken
        """
        taken = (*DISK_FORMATS, *(each for each in EXTRA_FORMATS if each in extra_formats))
        if declared_format not in taken:
            raise errors.InvalidImage(
                f"Images of the format {declared_format[:32]!r} are not accepted; use one of {', '.join(taken)}."
            )
        from oslo_utils.imageutils import format_inspector  # large, and not needed before the first image

        self._declared = declared_format
        self._inspectors = [kind() for kind in format_inspector.ALL_FORMATS.values()]
        self._failed: set[str] = set()
        self._head = b""
        self._size_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._size_bytes += len(chunk)
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + chunk)[:HEAD_BYTES]
        for inspector in self._inspectors:
            if inspector.NAME not in self._failed and not _is_satisfied(inspector):
                self._feed_one(inspector, chunk)

    def _feed_one(self, inspector: Any, chunk: bytes) -> None:
        try:
            inspector.eat_chunk(chunk)
        except Exception:  # noqa: BLE001 - a parser that fails on hostile bytes says: not this format
            self._failed.add(inspector.NAME)

    def facts(self) -> ImageFacts:
        """What the whole file is.

        :raises errors.InvalidImage: label and content differ, the format or a feature of it is not accepted
        """
        for inspector in self._inspectors:
            inspector.finish()
        found = self._found()
        if not found or not found <= _FITS[self._declared]:
            names = " and ".join(sorted(found)) or "unknown"
            raise errors.InvalidImage(
                f"The image is labelled {self._declared}, but its content is {names}; it is not accepted."
            )
        is_raw = self._declared not in _CONTAINERS
        return ImageFacts(
            disk_format=self._declared,
            storage_format="raw" if is_raw else _CONTAINERS[self._declared],
            size_bytes=self._size_bytes,
            virtual_size_bytes=self._size_bytes if is_raw else self._checked_virtual_size(self._declared),
        )

    def _found(self) -> set[str]:
        named = {name for magic, name in _UNWANTED if self._head.startswith(magic)}
        matches = {inspector.NAME for inspector in self._inspectors if self._matches(inspector)}
        return (named | matches) or {"raw"}

    def _matches(self, inspector: Any) -> bool:
        if inspector.NAME == "raw":
            return False
        try:
            return bool(inspector.format_match)
        except Exception:  # noqa: BLE001 - the library reads attributes that short input never set
            return False

    def _checked_virtual_size(self, name: str) -> int:
        from oslo_utils.imageutils import format_inspector

        inspector = next(each for each in self._inspectors if name == each.NAME)
        if name in self._failed:
            raise errors.InvalidImage(f"The image is not a well-formed {name} file.")
        try:
            inspector.safety_check()
            size_bytes = int(inspector.virtual_size)
        except format_inspector.SafetyCheckFailed as exc:
            reasons = "; ".join(str(failure) for failure in exc.failures.values())
            raise errors.InvalidImage(f"The {name} image is not accepted: {_words(exc.failures)} ({reasons}).") from exc
        except Exception as exc:  # the library lets parsing errors of hostile bytes through
            raise errors.InvalidImage(f"The image is not a well-formed {name} file.", detail=str(exc)) from exc
        if size_bytes <= 0:
            # For vmdk, QEMU takes such a header for a text descriptor and follows the file names in it.
            raise errors.InvalidImage(f"The {name} image is not accepted: its header names no capacity.")
        self._check_kind(name)
        return size_bytes

    def _check_kind(self, name: str) -> None:
        if name not in _KINDS:
            return
        at, form, alone = _KINDS[name]
        (kind,) = struct.unpack_from(form, self._head, at)
        if kind not in alone:
            raise errors.InvalidImage(f"The {name} image is not accepted: it depends on another file (kind {kind}).")


_REASONS = {
    "backing_file": "it has a backing file",
    "data_file": "it keeps its data in another file",
    "unknown_features": "it uses features that are not known",
    "descriptor": "its descriptor names a type or files that are not allowed",
    "footer": "its footer does not agree with its header",
}


def _words(failures: dict[str, Any]) -> str:
    return ", ".join(_REASONS.get(name, name) for name in failures)


def _is_satisfied(inspector: Any) -> bool:
    """Whether more bytes can tell it nothing new; a region at the end of the file is never complete before the end."""
    return inspector.NAME == "raw" or (inspector.complete and inspector.NAME not in ("vmdk", "luks"))


def inspect(
    source: BinaryIO | str | os.PathLike[str], declared_format: str, *, extra_formats: Collection[str] = ()
) -> ImageFacts:
    """Read all of a file or stream and say what it is.

    :raises errors.InvalidImage: it is not acceptable under that label
    """
    inspection = Inspection(declared_format, extra_formats=extra_formats)
    for chunk in _chunks(source):
        inspection.feed(chunk)
    return inspection.facts()


def _chunks(source: BinaryIO | str | os.PathLike[str]) -> Iterator[bytes]:
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            yield from _chunks(stream)
        return
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def check_fits(facts: ImageFacts, *, limit_gb: int, free_bytes: int, max_bytes: int = 0) -> None:
    """Refuse an image whose unpacked size fits neither the flavor's disk nor the host.

    :param limit_gb: the flavor's root disk; 0 is no limit by flavor
    :param free_bytes: what the host has left for it
    :param max_bytes: the operator's own bound, 0 is none
    :raises errors.InvalidImage: larger than the flavor's disk or the operator's bound
    :raises errors.NoCapacity: larger than the free space
    """
    size_bytes = facts.virtual_size_bytes
    if limit_gb and size_bytes > limit_gb * GIB:
        raise errors.InvalidImage(
            f"The image unpacks to {size_bytes} bytes, more than the flavor's disk of {limit_gb} GB.",
            virtual_size_bytes=size_bytes,
        )
    if max_bytes and size_bytes > max_bytes:
        raise errors.InvalidImage(f"The image unpacks to {size_bytes} bytes; at most {max_bytes} are accepted.")
    if size_bytes > free_bytes:
        raise errors.NoCapacity(
            f"The image unpacks to {size_bytes} bytes, and the host has {free_bytes} left: No space left on device."
        )
