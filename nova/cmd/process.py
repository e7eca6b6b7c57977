# SPDX-License-Identifier: Apache-2.0
"""What a Unix daemon does with its own process: the background, the pid file, the name in ``ps``."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from nova.errors import InvalidConfiguration

_COMM = Path("/proc/self/comm")


def name_process(name: str) -> None:
    """Show *name* (its first 15 characters) in ``ps -e`` and ``top``."""
    try:
        _COMM.write_text(name[:15])
    except OSError:
        return


def daemonize() -> None:
    """Go on in the background, in a session of its own, with nothing on the standard streams.

    Before any thread, connection or pid file.  The caller's process ends here with status 0.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    os.umask(0o027)
    sys.stdout.flush()
    sys.stderr.flush()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)


class PidFile:
    """A file with our pid, locked for as long as we live: no second process can hold it, and a stale one is no harm."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        self._descriptor = -1
        self._owner = 0

    def acquire(self) -> None:
        """Take the file; InvalidConfiguration when another live process holds it, or it cannot be written."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as exc:
            raise InvalidConfiguration(f"pidfile: {self._path} cannot be written: {exc.strerror}.") from exc
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise InvalidConfiguration(f"pidfile: process {holder} holds {self._path}; it runs already.") from exc
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor, self._owner = descriptor, os.getpid()

    def release(self) -> None:
        """Remove the file, if this process wrote it (a forked worker did not)."""
        if self._descriptor < 0 or self._owner != os.getpid():
            return
        Path(self._path).unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1
