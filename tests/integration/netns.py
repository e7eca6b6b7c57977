# SPDX-License-Identifier: Apache-2.0
"""Network namespaces for tests: a switch with ports, and programs inside."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nova.system.commands import Command, Completed, execute

_NETWORK = 0x40000000
"""CLONE_NEWNET of clone(2)"""


def run(*argv: str, check: bool = True) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


@contextmanager
def inside(netns: str) -> Iterator[None]:
    """The calling thread, and each process and thread that it starts, opens its sockets in the namespace: setns(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as before, open(f"/run/netns/{netns}", "rb") as there:
        if libc.setns(there.fileno(), _NETWORK):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(before.fileno(), _NETWORK)


class Inside:
    """Root access for a CommandRunner whose commands run in a namespace."""

    def __init__(self, netns: str) -> None:
        self.netns = netns
        self.commands: list[tuple[str, ...]] = []

    def execute(self, command: Command) -> Completed:
        self.commands.append(command.argv)
        words = ("ip", "netns", "exec", self.netns, *command.argv)
        return execute(Command(argv=words, stdin=command.stdin, timeout_s=command.timeout_s, env=command.env))


class Lan:
    """A namespace with a bridge, and one namespace for each machine that hangs on it."""

    def __init__(self, bridge: str = "br0") -> None:
        self.bridge = bridge
        self.name = f"lan{os.getpid() % 100000}"
        self.machines: list[str] = []
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        run("ip", "-n", self.name, "link", "add", bridge, "type", "bridge")
        run("ip", "-n", self.name, "link", "set", bridge, "up")

    def plug(self, machine: str, *, port: str, mac: str, addresses: tuple[str, ...] = ()) -> str:
        """A machine whose card is *mac*, on the bridge's *port*; its namespace."""
        name = f"{self.name}{machine}"
        run("ip", "netns", "add", name)
        self.machines.append(name)
        peer = ("peer", "name", "eth0", "address", mac, "netns", name)
        run("ip", "-n", self.name, "link", "add", port, "type", "veth", *peer)
        run("ip", "-n", self.name, "link", "set", port, "master", self.bridge, "up")
        for words in (("link", "set", "lo", "up"), ("link", "set", "eth0", "up")):
            run("ip", "-n", name, *words)
        for address in addresses:
            run("ip", "-n", name, "addr", "add", address, "dev", "eth0", *(("nodad",) if ":" in address else ()))
        return name

    def remove(self) -> None:
        for name in (*self.machines, self.name):
            run("ip", "netns", "del", name, check=False)


def python_inside(netns: str, script: str, *words: str) -> subprocess.Popen[str]:
    """A Python program in a namespace; its output is a pipe."""
    return subprocess.Popen(
        ["ip", "netns", "exec", netns, sys.executable, "-u", "-c", script, *words],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parent,
    )
