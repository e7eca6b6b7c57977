# SPDX-License-Identifier: Apache-2.0
"""A real tgtd of our own, on a free port of loopback, and QEMU's own initiator to speak to it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from nova.domain.block_device import VolumeConnection

RUN = Path("/run/tgtd")
START_S = 10.0


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TgtDaemon:
    """One tgtd; ``start`` and ``kill`` may alternate."""

    def __init__(self) -> None:
        self.control = 10000 + os.getpid() % 20000
        self.portal = f"127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return Path(f"/var/run/tgtd/socket.{self.control}")

    def start(self) -> None:
        """Start it; it answers when this returns."""
        RUN.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            ["tgtd", "-f", "-C", str(self.control), "--iscsi", f"portal={self.portal}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert time.monotonic() < deadline, "tgtd does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a crash would; it forgets all targets."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
        for left in RUN.glob(f"socket.{self.control}*"):
            left.unlink(missing_ok=True)

    def admin(self, *words: str) -> str:
        """What tgtadm says."""
        command = ["tgtadm", "-C", str(self.control), "--lld", "iscsi", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def _answers(self) -> bool:
        command = ["tgtadm", "-C", str(self.control), "--mode", "sys", "--op", "show"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def qemu_io(
    way: VolumeConnection, *commands: str, initiator: str, user: str = "", password: str = ""
) -> subprocess.CompletedProcess[str]:
    """Log in as *initiator* and do what *commands* say."""
    options = (
        f"driver=iscsi,transport=tcp,portal={way.portal},target={way.iqn},lun={way.lun},initiator-name={initiator}"
    )
    secret = []
    if user:
        options += f",user={user},password-secret=chap"
        secret = ["--object", f"secret,id=chap,data={password}"]
    words = [word for command in commands for word in ("-c", command)]
    return subprocess.run(
        ["qemu-io", *secret, *words, "--image-opts", options], capture_output=True, text=True, timeout=60, check=False
    )
