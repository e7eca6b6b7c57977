# SPDX-License-Identifier: Apache-2.0
"""Files that others rely on: written whole or not at all, in directories that nobody else can write, under locks.

Runs in every daemon.  A crash in the middle of ``write_atomically`` leaves the old file and at most one temporary file
beside it, whose name begins with a dot.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nova import errors

PRIVATE_DIRECTORY = 0o700
SHARED_DIRECTORY = 0o750
LOCK_POLL_S = 0.01


def write_atomically(path: str | os.PathLike[str], data: bytes | str, *, mode: int = 0o640) -> None:
    """Replace *path* by a file with *data*; a reader sees the old or the new content, also after a power cut.

    A link at *path* is replaced, not followed.

    :param mode: permissions of the new file, whatever the umask
    """
    target = Path(path)
    content = data.encode() if isinstance(data, str) else data
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def write_if_changed(path: str | os.PathLike[str], data: bytes | str, *, mode: int = 0o640) -> bool:
    """``write_atomically``, but only when the content differs; whether it did."""
    content = data.encode() if isinstance(data, str) else data
    try:
        if Path(path).read_bytes() == content:
            return False
    except FileNotFoundError:
        pass
    write_atomically(path, content, mode=mode)
    return True


def ensure_directory(path: str | os.PathLike[str], *, mode: int = SHARED_DIRECTORY) -> Path:
    """A directory of ours at *path*, made with its parents if it is missing, with permissions *mode*.

    :raises errors.InvalidConfiguration: it is a link or no directory, belongs to somebody else, or cannot be made
    """
    wanted = Path(path)
    try:
        wanted.mkdir(mode=mode, parents=True, exist_ok=True)
        descriptor = os.open(wanted, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as exc:
        raise errors.InvalidConfiguration(f"The directory {wanted} cannot be used: {exc.strerror}.") from exc
    try:
        found = os.fstat(descriptor)
        if found.st_uid not in (os.geteuid(), 0):
            raise errors.InvalidConfiguration(f"The directory {wanted} belongs to another user ({found.st_uid}).")
        if stat.S_IMODE(found.st_mode) != mode and found.st_uid == os.geteuid():
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
    return wanted


def ensure_private_directory(path: str | os.PathLike[str]) -> Path:
    """``ensure_directory`` that only this user may enter (0700)."""
    return ensure_directory(path, mode=PRIVATE_DIRECTORY)


def lock_directory(path: str | os.PathLike[str]) -> Path:
    """A directory for lock files that daemons of root and of another user of this host share.

    It belongs to whoever its parent belongs to, whichever daemon was the first to need it.

    :raises errors.InvalidConfiguration: it is a link or no directory, belongs to a third user, or cannot be made
    """
    wanted = Path(path)
    if os.geteuid() != 0:
        return ensure_directory(wanted)
    owner = _owner_of_nearest(wanted.parent)
    try:
        wanted.mkdir(mode=SHARED_DIRECTORY, parents=True, exist_ok=True)
        found = wanted.lstat()
    except OSError as exc:
        raise errors.InvalidConfiguration(f"The directory {wanted} cannot be used: {exc.strerror}.") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise errors.InvalidConfiguration(f"The directory {wanted} cannot be used: it is something else.")
    if found.st_uid not in (0, owner.st_uid):
        raise errors.InvalidConfiguration(f"The directory {wanted} belongs to another user ({found.st_uid}).")
    os.chown(wanted, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return wanted


def _owner_of_nearest(path: Path) -> os.stat_result:
    """What is known of *path*, or of the first directory above it that is there."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.stat()


@contextlib.contextmanager
def temporary_directory(parent: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """A private directory with a random name, removed with all it holds at the end."""
    with tempfile.TemporaryDirectory(prefix="nova-", dir=parent) as name:
        yield Path(name)


def read_small(path: str | os.PathLike[str], *, max_bytes: int = 1024 * 1024) -> bytes:
    """The content of a regular file, links not followed.

    :raises errors.TooLarge: more than *max_bytes*
    :raises OSError: as ``open``; also for a link, a device or a pipe
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{os.fspath(path)} is no regular file")
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise errors.TooLarge(f"The file {os.path.basename(path)} is larger than {max_bytes} bytes.")
    return data


@contextlib.contextmanager
def file_lock(path: str | os.PathLike[str], *, timeout_s: float = 60.0) -> Iterator[None]:
    """Hold the lock file *path* against all processes and threads of this host; the lock ends with the block.

    The file itself stays, because removing it would let two holders in.  One that root makes belongs to the owner of
    its directory, so that daemons of that user can lock it too.

    :raises errors.Timeout: somebody else held it for *timeout_s* seconds
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
    try:
        _give_to_owner_of_directory(descriptor, Path(path).parent)
        deadline = time.monotonic() + timeout_s
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                raise errors.Timeout(
                    f"The lock {os.path.basename(path)} was held for {timeout_s:g} s.", detail=str(path)
                )
            time.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(descriptor)


def _give_to_owner_of_directory(descriptor: int, directory: Path) -> None:
    if os.geteuid() != 0:
        return
    owner = directory.stat()
    if os.fstat(descriptor).st_uid != owner.st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _locked(descriptor: int) -> bool:
    """Try once.  A flock belongs to the open file, so it also keeps out other threads of this process."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def writable_by_others(path: str | os.PathLike[str]) -> bool:
    """Whether everybody may change the file."""
    return bool(os.stat(path).st_mode & stat.S_IWOTH)
