# SPDX-License-Identifier: Apache-2.0
"""Running programs: lists of arguments, never a shell; bounded in time; as root only through the privilege gate.

Runs in every daemon that touches its host (compute, network, volume, metadata).  A command that takes too long is
killed with all its children, so nothing of it is left behind; what it had done by then is the caller's to undo.
Under eventlet the standard library's ``subprocess`` yields by itself, because the launcher has patched it.
"""

from __future__ import annotations

import logging
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nova import errors
from nova.masking import mask_argv, mask_text, printable
from nova.system.rootwrap import Gate

LOG = logging.getLogger(__name__)

DEFAULT_TIMEOUT_S = 60.0
STDERR_TAIL = 800
SHUTDOWN_S = 10.0


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """What a command may use; None is no limit.  Applied by ``prlimit``, to commands that do not run as root."""

    address_space_bytes: int | None = None
    cpu_s: int | None = None
    file_size_bytes: int | None = None

    def prefix(self) -> list[str]:
        """The words to put before the command."""
        wanted = (("--as", self.address_space_bytes), ("--cpu", self.cpu_s), ("--fsize", self.file_size_bytes))
        return ["prlimit", *(f"{name}={value}" for name, value in wanted if value is not None), "--"]


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended, and what it wrote."""

    stdout: bytes
    stderr: bytes
    code: int

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are no UTF-8 become replacement characters."""
        return self.stdout.decode(errors="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command as a gate or the local host executes it."""

    argv: tuple[str, ...]
    stdin: bytes | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None


class RootAccess(Protocol):
    """One way of running a command as root."""

    def execute(self, command: Command) -> Completed:
        """Run it; refuse what no filter allows with errors.HypervisorError (``code`` 99)."""


class InProcess:
    """For a daemon that is root: the filters are matched here, and no second interpreter is started."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def execute(self, command: Command) -> Completed:
        """Match and run."""
        permitted = self._gate.permit(command.argv)
        env = {**command.env, **(permitted.env or {})}
        user = None if permitted.user == "root" else permitted.user
        return execute(
            Command(argv=permitted.argv, stdin=command.stdin, timeout_s=command.timeout_s, env=env, user=user)
        )


class Sudo:
    """For a daemon that is not root: a helper program is started for each command."""

    def __init__(self, prefix: Sequence[str]) -> None:
        """:param prefix: for example ``("sudo", "nova-rootwrap", "/etc/nova/rootwrap.conf")``"""
        self._prefix = tuple(prefix)

    def execute(self, command: Command) -> Completed:
        """Run it behind the prefix; the helper program does the matching."""
        words = (*self._prefix, *command.argv)
        done = execute(Command(argv=words, stdin=command.stdin, timeout_s=command.timeout_s, env=command.env))
        if done.code in (96, 97, 98, 99) and done.stderr.startswith(b"nova-rootwrap:"):
            raise errors.HypervisorError(
                "This host does not allow a command that the operation needs.", detail=_tail(done), code=done.code
            )
        return done


class SudoDaemon:
    """For a daemon that is not root: one helper process is kept, so that a command costs no start of an interpreter.

    Falls back to *each* for a command that the kept process cannot take (binary input, its own environment) and when
    the process cannot be started.
    """

    def __init__(self, start: Sequence[str], each: Sudo) -> None:
        """:param start: for example ``("sudo", "nova-rootwrap-daemon", "/etc/nova/rootwrap.conf")``"""
        self._start = list(start)
        self._each = each
        self._client: Any = None
        self._broken = False
        self._lock = threading.Lock()

    def execute(self, command: Command) -> Completed:
        """Send it to the kept process."""
        stdin = _as_text(command.stdin)
        if self._broken or command.env or (command.stdin is not None and stdin is None):
            return self._each.execute(command)
        try:
            code, out, err = self._kept().execute(list(command.argv), stdin)
        except Exception as exc:  # noqa: BLE001 - the library raises bare Exception when its process does not start
            self._broken = True
            LOG.warning("The kept rootwrap process failed, each command gets its own from now on: %s", exc)
            return self._each.execute(command)
        done = Completed(_as_bytes(out), _as_bytes(err), code)
        if code in (96, 99):
            raise errors.HypervisorError(
                "This host does not allow a command that the operation needs.",
                detail=f"{mask_argv(command.argv)}: {_tail(done)}",
                code=code,
            )
        return done

    def close(self) -> None:
        """End the kept process, if there is one."""
        with self._lock:
            client, self._client = self._client, None
        if client is None or client._finalize is None:
            return
        client._finalize()
        client._process.wait(SHUTDOWN_S)
        for pipe in (client._process.stdin, client._process.stdout, client._process.stderr):
            pipe.close()

    def _kept(self) -> Any:
        with self._lock:
            if self._client is None:
                from oslo_rootwrap.client import Client  # starts a thread: only where it is used

                self._client = Client(self._start)
            return self._client


def root_access(rootwrap_conf: str, *, root_helper: str = "") -> RootAccess:
    """The way to root for this process: inside it when it is root already, otherwise through sudo.

    :param root_helper: an operator's own prefix, for example ``sudo nova-rootwrap /etc/nova/rootwrap.conf``
    :raises errors.InvalidConfiguration: the filters cannot be read
    """
    if os.geteuid() == 0:
        return InProcess(Gate(rootwrap_conf))
    if root_helper:
        return Sudo(shlex.split(root_helper))
    each = Sudo(("sudo", "-n", "nova-rootwrap", rootwrap_conf))
    return SudoDaemon(("sudo", "-n", "nova-rootwrap-daemon", rootwrap_conf), each)


class CommandRunner:
    """What everybody who runs programs is given."""

    def __init__(self, root: RootAccess | None = None) -> None:
        """:param root: None for a process that never needs root; it is then refused"""
        self._root = root

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        ok_codes: Sequence[int] = (0,),
        as_root: bool = False,
        env: Mapping[str, str] | None = None,
        limits: ResourceLimits | None = None,
    ) -> Completed:
        """Run *argv* to its end.

        :param timeout_s: then the command and its children are killed
        :param ok_codes: exit codes that are no failure
        :param env: added to the environment, which is otherwise the daemon's own with ``LC_ALL=C``
        :raises errors.HypervisorError: another exit code, the program is missing, or no filter allows it; ``code`` in
            the data (99 not allowed, 96 or 127 not installed), masked command and end of stderr in the detail
        :raises errors.Timeout: it took longer than *timeout_s*
        """
        words = [os.fspath(word) for word in argv]
        if limits is not None:
            if as_root:
                raise ValueError("resource limits are for commands that do not run as root")
            words = [*limits.prefix(), *words]
        command = Command(argv=tuple(words), stdin=stdin, timeout_s=timeout_s, env=dict(env or {}))
        started = time.monotonic()
        done = self._as_root(command) if as_root else execute(command)
        LOG.debug("%s ended with %d in %.3f s", mask_argv(words), done.code, time.monotonic() - started)
        if done.code not in ok_codes:
            raise errors.HypervisorError(
                f"The command {os.path.basename(argv[0])} failed on this host.",
                detail=f"{mask_argv(words)} ended with {done.code}: {_tail(done)}",
                code=done.code,
            )
        return done

    def _as_root(self, command: Command) -> Completed:
        if self._root is None:
            raise errors.HypervisorError(
                "This daemon may not run commands as root.", detail=mask_argv(command.argv), code=99
            )
        return self._root.execute(command)


class _Process(subprocess.Popen[bytes]):
    """A process whose end is waited for: green threads would look for it every 10 ms, as long as a command may take."""

    def wait(self, timeout: float | None = None) -> int:
        """See the base."""
        if self.poll() is None:
            descriptor = os.pidfd_open(self.pid)
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(descriptor, selectors.EVENT_READ)
                    selector.select(timeout)
            finally:
                os.close(descriptor)
        return super().wait(None if timeout is None else 0.0)


def execute(command: Command) -> Completed:
    """Run a command as this process's user (or as ``command.user``), whatever its exit code.

    :raises errors.HypervisorError: the program is not there (``code`` 127)
    :raises errors.Timeout: it was killed
    """
    try:
        process = _Process(
            command.argv,
            stdin=subprocess.DEVNULL if command.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C", **command.env},
            start_new_session=True,
            user=command.user,
        )
    except (FileNotFoundError, PermissionError) as exc:
        raise errors.HypervisorError(
            f"The program {os.path.basename(command.argv[0])} is not installed on this host.",
            detail=f"{mask_argv(command.argv)}: {exc.strerror}",
            code=127,
        ) from exc
    try:
        out, err = process.communicate(command.stdin, timeout=command.timeout_s)
    except _expired():
        raise errors.Timeout(
            f"The command {os.path.basename(command.argv[0])} took longer than {command.timeout_s:g} s on this host.",
            detail=mask_argv(command.argv),
        ) from None
    finally:
        _end(process)
    return Completed(out, err, process.returncode)


def is_installed(program: str) -> bool:
    """Whether *program* is found on the PATH or in a system directory."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin") is not None


def _expired() -> tuple[type[BaseException], ...]:
    """What ``communicate`` raises when its time is over; a patched Popen raises the class of another module's copy."""
    return (subprocess.TimeoutExpired, subprocess.Popen.communicate.__globals__["TimeoutExpired"])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what still runs of the command's session, and close its pipes."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        except ProcessLookupError:
            process.wait()
        except PermissionError:
            LOG.warning("Process %d runs as root and cannot be ended from here; it is left running.", process.pid)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _tail(done: Completed) -> str:
    text = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
    return printable(mask_text(text[-STDERR_TAIL:]))


def _as_text(data: bytes | None) -> str | None:
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None


def _as_bytes(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()
