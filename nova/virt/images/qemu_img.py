# SPDX-License-Identifier: Apache-2.0
"""The only place that calls qemu-img, qemu-io and qemu-nbd.  Every disk's format is given, none is ever guessed.

Runs in nova-compute, without root, under limits for memory, processor time and wall time: a crafted file that makes the
tool hungry is the file's fault.  A failed call may leave the file that it was making; callers work on temporary names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from nova import errors
from nova.system.commands import Completed, ResourceLimits

DiskFormat = Literal["raw", "qcow2"]
SourceFormat = Literal["raw", "qcow2", "vmdk", "vpc", "vdi"]

ADDRESS_SPACE_BYTES = 2 * 1024**3
CPU_S = 30
WALL_S = 300.0
START_S = 30.0
PULL_S = 6 * 3600.0
"""Longest time for one disk from another host"""

_PIECES_AT_ONCE = 400
"""Words of one command line"""
_NO_SPACE = b"No space left on device"
_NO_THREADS = b"Resource temporarily unavailable"
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""Each thread of the tool would otherwise reserve 64 MiB of the address space that it is allowed"""


class Runner(Protocol):
    """What is needed of nova.system.commands.CommandRunner."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float = 60.0,
        ok_codes: Sequence[int] = (0,),
        as_root: bool = False,
        env: Mapping[str, str] | None = None,
        limits: ResourceLimits | None = None,
    ) -> Completed:
        """Run a command to its end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskInfo:
    """What qemu-img says of a disk of ours."""

    format: str
    virtual_size_bytes: int
    actual_size_bytes: int
    backing_file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A disk over NBD with TLS, whose pre-shared key is in the file ``keys.psk`` of a directory."""

    address: str
    port: int
    name: str
    keys: Path


class QemuImg:
    """qemu-img with its limits, and qemu-nbd."""

    def __init__(self, runner: Runner, *, cpu_s: int = CPU_S, wall_s: float = WALL_S) -> None:
        self._runner = runner
        self._cpu_s = cpu_s
        self._wall_s = wall_s

    def create(self, path: Path, disk_format: DiskFormat, *, size_bytes: int) -> None:
        """A new empty disk."""
        self._run("create", "-q", "-f", disk_format, _file(path), str(size_bytes))

    def create_overlay(self, path: Path, *, base: Path, base_format: DiskFormat, size_bytes: int) -> None:
        """A qcow2 disk of *size_bytes* that shows *base* until it is written to."""
        # Without -u the tool would open the base only to read its size, which is given.
        self._run("create", "-q", "-u", "-f", "qcow2", "-F", base_format, "-b", str(base), _file(path), str(size_bytes))

    def convert(
        self,
        source: Path,
        source_format: SourceFormat,
        target: Path,
        target_format: DiskFormat,
        *,
        max_bytes: int,
        compress: bool = False,
    ) -> None:
        """Write the content of *source* to *target* (sparse), which may not become larger than *max_bytes*."""
        words = ("-f", source_format, "-O", target_format, *(("-c",) if compress else ()))
        self._run("convert", "-q", *words, _file(source), _file(target), file_size_bytes=max_bytes)

    def resize(self, path: Path, disk_format: DiskFormat, *, size_bytes: int) -> None:
        """Grow a disk; a smaller size is refused by the tool."""
        self._run("resize", "-q", "-f", disk_format, _file(path), str(size_bytes))

    def patch(self, path: Path, disk_format: DiskFormat, patches: Iterable[tuple[int, bytes]], *, work: Path) -> None:
        """Write pieces (offset in bytes, content) onto a disk that no guest uses.

        :param work: a private directory for the pieces on their way; no space may be in its name
        """
        commands: list[str] = []
        for number, (offset, content) in enumerate(patches):
            piece = work / f"piece{number}"
            piece.write_bytes(content)
            commands += ["-c", f"write -q -s {piece} {offset} {len(content)}"]
        for first in range(0, len(commands), _PIECES_AT_ONCE):
            self._tool(["qemu-io", "-f", disk_format, *commands[first : first + _PIECES_AT_ONCE], _file(path)])

    def info(self, path: Path, disk_format: SourceFormat) -> DiskInfo:
        """The facts of a disk of which the format is known; works while a guest has it open."""
        done = self._run("info", "--output=json", "-U", "-f", disk_format, _file(path))
        facts: dict[str, Any] = json.loads(done.stdout)
        return DiskInfo(
            format=facts["format"],
            virtual_size_bytes=facts["virtual-size"],
            actual_size_bytes=facts.get("actual-size", 0),
            backing_file=facts.get("backing-filename"),
        )

    def serve(self, path: Path, disk_format: DiskFormat, export: Export, *, pid_file: Path) -> None:
        """Let one reader have the disk; returns when it is served, by a program that ends with that reader."""
        words = [
            *("qemu-nbd", "--fork", "--pid-file", str(pid_file), "--read-only", "-f", disk_format),
            *("-b", export.address, "-p", str(export.port), "-x", export.name),
            *("--object", f"tls-creds-psk,id=tls0,endpoint=server,dir={_plain(export.keys)}", "--tls-creds", "tls0"),
            _file(path),
        ]
        self._runner.run(words, timeout_s=START_S, env=_ENVIRONMENT)

    def pull(self, export: Export, target: Path, target_format: DiskFormat) -> None:
        """Write the content of an exported disk to *target*; Unavailable when the other side ends, or was never there.

        A large disk takes its time, so there is a limit only for the whole of it.
        """
        host = export.address.replace(",", "")
        source = (
            f"driver=nbd,server.type=inet,server.host={host},server.port={export.port:d}"
            f",export={_plain(Path(export.name))},tls-creds=tls0"
        )
        words = [
            *("qemu-img", "convert", "-q", "--object"),
            f"tls-creds-psk,id=tls0,endpoint=client,username=nova,dir={_plain(export.keys)}",
            *("--image-opts", source, "-O", target_format, _file(target)),
        ]
        done = self._runner.run(words, timeout_s=PULL_S, ok_codes=range(-64, 256), env=_ENVIRONMENT)
        if done.code == 0:
            return
        detail = f"qemu-img convert ended with {done.code}: {done.stderr.decode(errors='replace')[-800:].strip()}"
        if _NO_SPACE in done.stderr:
            raise errors.NoCapacity("The disk of the host is full: No space left on device.", detail=detail)
        raise errors.Unavailable("The server's disk could not be read from its other host.", detail=detail)

    def _run(self, *words: str, file_size_bytes: int | None = None) -> Completed:
        return self._tool(["qemu-img", *words], file_size_bytes=file_size_bytes)

    def _tool(self, argv: list[str], *, file_size_bytes: int | None = None) -> Completed:
        limits = ResourceLimits(
            address_space_bytes=ADDRESS_SPACE_BYTES, cpu_s=self._cpu_s, file_size_bytes=file_size_bytes
        )
        done = self._runner.run(argv, timeout_s=self._wall_s, ok_codes=range(-64, 256), env=_ENVIRONMENT, limits=limits)
        if done.code == 0:
            return done
        detail = f"{argv[0]} {argv[1]} ended with {done.code}: {done.stderr.decode(errors='replace')[-800:].strip()}"
        if _NO_SPACE in done.stderr:
            raise errors.NoCapacity("The disk of the host is full: No space left on device.", detail=detail)
        if _NO_THREADS in done.stderr:
            raise errors.Unavailable("The host has no room to work on a disk now.", detail=detail)
        raise errors.HypervisorError("A disk could not be made or read on the host.", detail=detail)


def _plain(path: Path) -> str:
    """A path in a list of options, where a comma would begin the next one."""
    return str(path).replace(",", ",,")


def _file(path: Path) -> str:
    """An absolute path, which the tool cannot take for an option or for a URL-like name."""
    if not path.is_absolute():
        raise ValueError(f"{path} is not absolute")
    return str(path)
