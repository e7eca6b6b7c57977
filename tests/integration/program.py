# SPDX-License-Identifier: Apache-2.0
"""A program of ours as a real process, from a nova.conf of its own; all of it is ended with its ``with`` block."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
CHECKOUT = Path(__file__).resolve().parents[2]
BINARIES = Path(sys.executable).parent
TIMEOUT_S = 60.0

_NOVA_CONF = """\
[DEFAULT]
state_path = {state}
lock_path = {state}/lock
host = test-host
my_ip = 127.0.0.1
transport_url = memory://
compute_driver = fake
network_manager = nova.network.manager.FlatDHCPManager
flat_network_bridge = br-not-made
volume_driver = file
enabled_apis = osapi_compute,identity
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {port}
identity_listen = 127.0.0.1
identity_listen_port = {other_port}
api_paste_config = {checkout}/etc/nova/api-paste.ini
rootwrap_config = {state}/rootwrap.conf
graceful_shutdown_timeout = 4
[database]
connection = sqlite:///{state}/nova.sqlite
"""

_ROOTWRAP = """\
[DEFAULT]
filters_path = {checkout}/etc/nova/rootwrap.d
exec_dirs = /sbin,/usr/sbin,/bin,/usr/bin
"""


def wait_until(condition: Callable[[], T], what: str, *, timeout_s: float = TIMEOUT_S) -> T:
    """The first true answer of *condition*."""
    deadline = time.monotonic() + timeout_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)
    return answer


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def runs(pid: int) -> bool:
    """Whether the process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Home:
    """The files of one small cloud: nova.conf, and a database with its tables."""

    def __init__(self, path: Path, *, more: str = "", synced: bool = True) -> None:
        """:param more: lines of further sections or, at their beginning, options of the default section"""
        self.path = path
        self.port, self.other_port = free_port(), free_port()
        self.config = path / "nova.conf"
        text = _NOVA_CONF.format(state=path, port=self.port, other_port=self.other_port, checkout=CHECKOUT)
        self.config.write_text(text.replace("[database]", f"{more}\n[database]", 1))
        self.config.chmod(0o640)
        rootwrap = path / "rootwrap.conf"
        rootwrap.write_text(_ROOTWRAP.format(checkout=CHECKOUT))
        rootwrap.chmod(0o640)
        if synced:
            assert self.run("nova-manage", "db", "sync").returncode == 0

    def argv(self, program: str, *words: str) -> list[str]:
        """How *program* is started on these files."""
        return [str(BINARIES / program), "--config-file", str(self.config), *words]

    def run(self, program: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        return subprocess.run(
            self.argv(program, *words), input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )


class Program:
    """A program while it runs, with what it logs."""

    def __init__(self, home: Home, argv: list[str]) -> None:
        self.log = home.path / "program.out"
        self._argv = argv

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=CHECKOUT, start_new_session=True
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def said(self) -> str:
        """All that it logged."""
        return self.log.read_text(errors="replace")

    def wait_until(self, condition: Callable[[], T], what: str) -> T:
        """The first true answer of *condition*; fails at once when the program ends first."""

        def there() -> T:
            answer = condition()
            assert answer or self.process.poll() is None, f"it has ended: {self.said()[-3000:]}"
            return answer

        return wait_until(there, what)

    def wait_said(self, words: str, *, times: int = 1) -> None:
        """Wait until it logged *words*, so often; fail at once when it ends first."""
        self.wait_until(lambda: self.said().count(words) >= times, f"{words!r} in {self.log}")

    def end(self, *, within_s: float) -> int:
        """Its exit status after SIGTERM; fails when it takes longer."""
        self.process.terminate()
        return self.process.wait(within_s)
