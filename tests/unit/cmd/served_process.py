# SPDX-License-Identifier: Apache-2.0
"""Runs ``tests.unit.cmd.served`` and speaks with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

TIMEOUT_S = 20.0

AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def wait_for(condition: Callable[[], Any], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until *condition* is true."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


class Served:
    """The program while it runs."""

    def __init__(self, *arguments: str, given: socket.socket | None = None) -> None:
        """
        :param given: a listening socket that the program inherits, as from systemd
        """
        command = [sys.executable, "-m", "tests.unit.cmd.served", *arguments]
        environment = dict(os.environ)
        if given is not None:
            command = [sys.executable, "-c", AS_SYSTEMD, str(given.fileno()), *command]
            environment |= {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "echo"}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            pass_fds=() if given is None else (given.fileno(),),
        )
        self.lines: list[str] = []
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        self.port = int(first) if first.strip().isdigit() else 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip("\n") for line in iter(self.process.stdout.readline, ""))

    @property
    def log(self) -> str:
        """What it has printed."""
        return "\n".join(self.lines)

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    def raw(self, request: bytes) -> bytes:
        """Send bytes, and read what comes until it closes or a whole answer with Connection: close is there."""
        with self.connect() as connection:
            connection.sendall(request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def get(self, path: str, *headers: str) -> bytes:
        """The answer to a GET on a connection of its own."""
        head = "".join(f"{header}\r\n" for header in headers)
        return self.raw(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{head}\r\n".encode())

    def pid_of_worker(self) -> int:
        """Who answers."""
        return int(self.get("/").rpartition(b"\r\n\r\n")[2])

    def send(self, number: signal.Signals) -> None:
        """Signal the program."""
        self.process.send_signal(number)

    def finish(self) -> int:
        """Wait for its end; its exit status."""
        status = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        return status

    def stop(self) -> None:
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(TIMEOUT_S)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
