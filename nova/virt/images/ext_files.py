# SPDX-License-Identifier: Apache-2.0
"""Edits files in an ext2, ext3 or ext4 file system that lies in a plain file, with debugfs(8) and never by a mount.

Runs in nova-compute, without root, under limits: nothing of a guest's file system ever reaches the kernel of the host,
and a crafted one can at most make the tool fail.  Links are followed here, as the guest would follow them: they cannot
lead out of its tree.  Nothing from the image is executed.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from nova import errors
from nova.system.commands import Completed, ResourceLimits
from nova.virt.images.qemu_img import Runner

SUPERBLOCK_AT = 1024
_MAGIC_AT, _INCOMPATIBLE_AT = 0x38, 0x60
_MAGIC = 0xEF53
_NEEDS_RECOVERY = 0x4
MOST_LINKS = 40
MOST_READ_BYTES = 1024 * 1024
MOST_PATH_BYTES = 4096
"""As in the guest's kernel.  debugfs reads 8191 bytes as one line and takes what follows for the next, and one that
begins with an exclamation mark for a command of the shell: no line may ever become that long."""
LIMITS = ResourceLimits(address_space_bytes=2 * 1024**3, cpu_s=120)
TIMEOUT_S = 300.0

_STAT = re.compile(r"Inode: (\d+)\s+Type: (\w+)\s+Mode:\s+(\d+)")
_OWNER = re.compile(r"User:\s+(\d+)\s+Group:\s+(\d+).*?Size: (\d+)")
_FAST_LINK = re.compile(r'Fast link dest: "(.*)"')


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or link of the guest."""

    kind: str
    """regular, directory, symlink and so on"""
    mode: int
    user: int
    group: int
    size_bytes: int
    link: str = ""


def is_ext(path: Path, *, offset: int = 0) -> bool:
    """Whether there is such a file system at *offset* of a raw file."""
    return len(_superblock(path, offset)) == SUPERBLOCK_AT


def _superblock(path: Path, offset: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(offset + SUPERBLOCK_AT)
        found = stream.read(SUPERBLOCK_AT)
    has_magic = len(found) == SUPERBLOCK_AT and struct.unpack_from("<H", found, _MAGIC_AT)[0] == _MAGIC
    return found if has_magic else b""


class ExtFiles:
    """The files in *image*, which holds nothing but the file system."""

    def __init__(self, image: Path, *, runner: Runner, work: Path) -> None:
        """:param work: a private directory for files on their way"""
        self._image = image
        self._runner = runner
        self._source = work / "source"

    def repair(self) -> None:
        """Replay a journal that was left open, so that nothing written later is undone by it."""
        superblock = _superblock(self._image, 0)
        if superblock and struct.unpack_from("<I", superblock, _INCOMPATIBLE_AT)[0] & _NEEDS_RECOVERY:
            self.check()

    def check(self) -> None:
        """Make the file system consistent."""
        done = self._run(["e2fsck", "-f", "-y", str(self._image)])
        if done.code > 1:  # 1: errors were corrected
            raise _failed("e2fsck", done)

    def grow(self) -> None:
        """Let the file system fill its file."""
        self.check()
        done = self._run(["resize2fs", str(self._image)])
        if done.code:
            raise _failed("resize2fs", done)

    def read(self, path: str) -> bytes | None:
        """The content of a file of at most a megabyte; None where there is none."""
        found = self._resolve(path)
        entry = self._stat(found)
        if entry is None or entry.kind != "regular" or entry.size_bytes > MOST_READ_BYTES:
            return None
        return self._debugfs(f"cat {_quoted(found)}").stdout

    def is_directory(self, path: str) -> bool:
        """Whether the guest has that directory."""
        entry = self._stat(self._resolve(path))
        return entry is not None and entry.kind == "directory"

    def write(self, path: str, content: bytes, *, mode: int = 0o644, directory_mode: int = 0o755) -> None:
        """Replace a file, which keeps its owner and mode, or make it (for root) with the directories that it needs.

        :raises errors.InvalidImage: the guest's tree does not allow that, or the file system is damaged or full
        """
        found = self._resolve(path)
        parent, _, name = found.rpartition("/")
        if not name:
            raise errors.InvalidImage("A file to be written into the image has no name.")
        self._make_directories(parent, directory_mode)
        before = self._stat(found)
        if before is not None and before.kind != "regular":
            raise errors.InvalidImage(f"{path[:64]} in the image is no file.")
        owner = before or Entry("regular", mode, 0, 0, 0)
        self._source.write_bytes(content)
        commands = [f"rm {_quoted(found)}"] if before else []
        commands += [f"cd {_quoted(parent or '/')}", f"write {_quoted(str(self._source))} {_quoted(name)}"]
        commands += [
            f"sif {_quoted(found)} mode 0{0o100000 | owner.mode:o}",
            f"sif {_quoted(found)} uid {owner.user}",
            f"sif {_quoted(found)} gid {owner.group}",
        ]
        done = self._debugfs(*commands)
        after = self._stat(found)
        if after is None or after.size_bytes != len(content) or after.mode != owner.mode:
            raise errors.InvalidImage(
                f"{path[:64]} could not be written into the image.", detail=done.stderr.decode(errors="replace")[-400:]
            )

    def _make_directories(self, path: str, mode: int) -> None:
        parts = [part for part in path.split("/") if part]
        for index, name in enumerate(parts):
            full = "/" + "/".join(parts[: index + 1])
            entry = self._stat(full)
            if entry is None:
                parent = "/" + "/".join(parts[:index])
                self._debugfs(
                    f"cd {_quoted(parent)}", f"mkdir {_quoted(name)}", f"sif {_quoted(full)} mode 0{0o40000 | mode:o}"
                )
            elif entry.kind != "directory":
                raise errors.InvalidImage(f"{full[:64]} in the image is no directory.")

    def _resolve(self, path: str) -> str:
        """The path without links, as the guest would find it; what does not exist yet is taken as it is written."""
        todo, done, links = [part for part in path.split("/") if part], [""], 0
        while todo:
            part = todo.pop(0)
            if part in (".", ".."):
                done = done[:-1] if part == ".." and len(done) > 1 else done
                continue
            entry = self._stat("/".join([*done, part]))
            if entry is None or entry.kind != "symlink":
                done.append(part)
                continue
            links += 1
            if links > MOST_LINKS:
                raise errors.InvalidImage(f"{path[:64]} in the image leads through too many links.")
            done = [""] if entry.link.startswith("/") else done
            todo = [each for each in entry.link.split("/") if each] + todo
        return "/".join(done)

    def _stat(self, path: str) -> Entry | None:
        text = self._debugfs(f"stat {_quoted(path or '/')}").text
        found, owner = _STAT.search(text), _OWNER.search(text, re.MULTILINE)
        if found is None or owner is None:
            return None
        kind, link = found[2], ""
        if kind == "symlink":
            fast = _FAST_LINK.search(text)
            link = fast[1] if fast else self._debugfs(f"cat {_quoted(path)}").text
        return Entry(kind, int(found[3], 8), int(owner[1]), int(owner[2]), int(owner[3]), link)

    def _debugfs(self, *commands: str) -> Completed:
        if len(commands) == 1 and commands[0].startswith(("stat", "cat")):
            return self._run(["debugfs", "-R", commands[0], str(self._image)])
        return self._run(["debugfs", "-w", "-f", "-", str(self._image)], stdin="\n".join(commands).encode() + b"\n")

    def _run(self, argv: list[str], stdin: bytes | None = None) -> Completed:
        return self._runner.run(
            argv,
            stdin=stdin,
            timeout_s=TIMEOUT_S,
            ok_codes=range(-64, 256),
            env={"DEBUGFS_PAGER": "__none__", "LC_ALL": "C"},
            limits=LIMITS,
        )


def _quoted(word: str) -> str:
    """One word of debugfs's language, in which a quote or a line end cannot be written, of a bounded length."""
    if '"' in word or not word.isprintable():
        raise errors.InvalidImage(f"A path in the image has characters that cannot be written: {word[:64]!r}.")
    if len(word.encode()) > MOST_PATH_BYTES:
        raise errors.InvalidImage(f"A path in the image is longer than {MOST_PATH_BYTES} bytes.")
    return f'"{word}"'


def _failed(program: str, done: Completed) -> errors.InvalidImage:
    said = (done.stdout + done.stderr).decode(errors="replace")[-800:].strip()
    return errors.InvalidImage(
        "The file system of the image is damaged, or cannot be changed.",
        detail=f"{program} ended with {done.code}: {said}",
    )
