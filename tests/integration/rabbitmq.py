# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ of the tests' own: free ports on the loopback, a private directory, its own epmd, nothing left behind.

from tests.integration.rabbitmq import rabbitmq  # the fixture

def test_…(rabbitmq: RabbitMQ) -> None:
    transport = connect(from_url(rabbitmq.url))
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import amqp
import pytest

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
CTL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
START_TIMEOUT_S = 90.0

CONFIG = """
listeners.tcp.1 = {address}:{port}
loopback_users.guest = {only_here}
log.console = false
log.file.level = info
vm_memory_high_watermark.relative = 0.4
disk_free_limit.absolute = 50MB
"""


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _config(port: int, address: str) -> str:
    only_here = "true" if address == "127.0.0.1" else "false"
    return CONFIG.format(port=port, address=address, only_here=only_here)


class RabbitMQ:
    """One broker that can be stopped, killed and started again on the same port with the same data."""

    def __init__(self, directory: Path, *, address: str = "127.0.0.1") -> None:
        """:param address: where it listens, in the network namespace of its caller"""
        self.address = address
        self.port = free_port()
        self.url = f"amqp://guest:guest@{address}:{self.port}/"
        self.log = directory / "log"
        self._directory = directory
        self._processes: list[subprocess.Popen[bytes]] = []
        self._epmd_port = free_port()
        self._environment = self._prepare(directory)

    def _prepare(self, directory: Path) -> dict[str, str]:
        (directory / "rabbitmq.conf").write_text(_config(self.port, self.address))
        (directory / "enabled_plugins").write_text("[].\n")
        (directory / "env.conf").write_text("")
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"test-{secrets.token_hex(6)}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.address,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.log),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def start(self) -> None:
        """Start the broker, and wait until it takes connections."""
        epmd = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
        self._processes = [self._spawn(epmd), self._spawn([SERVER])]
        until = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if time.monotonic() > until or self._processes[1].poll() is not None:
                output = (self._directory / "output").read_text(errors="replace")
                self.kill()
                pytest.fail(f"RabbitMQ does not start: {output[-2000:]}")
            time.sleep(0.1)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._directory / "output").open("ab") as output:
            return subprocess.Popen(
                command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        try:
            with amqp.Connection(f"{self.address}:{self.port}", connect_timeout=5):
                return True
        except (OSError, amqp.AMQPError):
            return False

    def ctl(self, *arguments: str) -> None:
        """Run rabbitmqctl on the node."""
        command = [CTL, "-n", self._environment["RABBITMQ_NODENAME"], *arguments]
        done = subprocess.run(
            command, env=self._environment, cwd=self._directory, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> None:
        """Stop the broker as an operator would; durable things are kept."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the broker as a power failure would."""
        self._end(signal.SIGKILL)

    def _end(self, first: signal.Signals) -> None:
        for process in reversed(self._processes):
            if first == signal.SIGTERM and process.poll() is None:
                process.terminate()
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        self._processes = []


@pytest.fixture(scope="session")
def rabbitmq_node() -> Iterator[RabbitMQ]:
    """The broker of the whole session, in whatever state the last test left it."""
    if not Path(SERVER).exists():
        pytest.fail("rabbitmq-server is not installed: apt-get install rabbitmq-server")
    directory = Path(tempfile.mkdtemp(prefix="nova-rabbitmq-"))
    node = RabbitMQ(directory)
    try:
        node.start()
        yield node
    finally:
        node.kill()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def rabbitmq(rabbitmq_node: RabbitMQ) -> RabbitMQ:
    """A broker that runs, also after a test that stopped it."""
    if not rabbitmq_node._processes:
        rabbitmq_node.start()
    return rabbitmq_node
