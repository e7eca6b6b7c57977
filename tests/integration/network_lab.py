# SPDX-License-Identifier: Apache-2.0
"""A network host, the world outside and guests, each a network namespace of this machine, gone afterwards."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nova.system.commands import CommandRunner, Completed
from nova.system.rootwrap import Gate

_NUMBERS = itertools.count(1)
_FILTERS = Path(__file__).parents[2] / "etc" / "nova" / "rootwrap.d"
_INSTALLED = "--dhcp-script=/usr/bin/nova-dhcpbridge"
OUTSIDE_HOST, OUTSIDE_WORLD = "192.0.2.1", "192.0.2.2"

_UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr replace "$ip/$mask" dev "$interface"
[ -n "$router" ] && ip route replace default via "$router"
echo "ip=$ip router=$router dns=$dns domain=$domain hostname=$hostname lease=$lease mtu=$mtu" > "$LEASE_FILE"
"""


def wait_until(what: Callable[[], Any], *, timeout_s: float = 10.0, why: str = "") -> Any:
    """The first true result of *what*."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.02)
    raise AssertionError(f"not within {timeout_s} s: {why or what}")


def _gate(directory: Path) -> Gate:
    """What a host would let pass whose state is kept in the directory."""
    path = directory / "rootwrap.conf"
    programs = "/sbin,/usr/sbin,/bin,/usr/bin"
    path.write_text(
        f"[DEFAULT]\nfilters_path={_FILTERS}\nexec_dirs={programs}\nstate_path={directory}\nconfig_path=/etc/nova\n"
    )
    return Gate(path)


class NamespaceRunner(CommandRunner):
    """Runs all inside one namespace, as a daemon started there would, and what is for root past the filters."""

    def __init__(self, namespace: str, directory: Path) -> None:
        """:param directory: where the host keeps its state"""
        super().__init__()
        self.namespace = namespace
        self.directory = directory
        self.gate = _gate(directory)
        self.commands: list[list[str]] = []

    def run(self, argv: Sequence[str], *, as_root: bool = False, **options: Any) -> Completed:  # type: ignore[override]
        self.commands.append(list(argv))
        if as_root:
            self.gate.permit([_INSTALLED if word.endswith("/nova-dhcpbridge") else word for word in argv])
        return super().run(["ip", "netns", "exec", self.namespace, *argv], **options)


class NetworkLab:
    """The namespaces ``host`` and ``world``, joined by a cable, and guests on a bridge of the host."""

    def __init__(self) -> None:
        self.stem = f"nvt{os.getpid()}x{next(_NUMBERS)}"
        self.host, self.world = f"{self.stem}h", f"{self.stem}w"
        self.directory = Path(tempfile.mkdtemp(prefix="nova-lab-"))
        self.directory.chmod(0o755)
        self.runner = NamespaceRunner(self.host, self.directory)
        self._namespaces: list[str] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> NetworkLab:
        for name in (self.host, self.world):
            self._add(name)
        self.ip(self.host, "link", "add", "ext0", "type", "veth", "peer", "name", "eth0", "netns", self.world)
        self.ip(self.host, "addr", "add", f"{OUTSIDE_HOST}/24", "dev", "ext0")
        self.ip(self.host, "link", "set", "ext0", "up")
        self.ip(self.world, "addr", "add", f"{OUTSIDE_WORLD}/24", "dev", "eth0")
        self.ip(self.world, "link", "set", "eth0", "up")
        (self.directory / "udhcpc.script").write_text(_UDHCPC_SCRIPT)
        (self.directory / "udhcpc.script").chmod(0o755)
        return self

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        for name in self._namespaces:
            pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout
            for pid in map(int, pids.split()):
                os.kill(pid, signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def dhcpbridge(self) -> str:
        """An executable nova-dhcpbridge that runs from this checkout."""
        path = self.directory / "nova-dhcpbridge"
        log = self.directory / "dhcpbridge.log"
        path.write_text(
            f"#!{sys.executable} -I\nimport sys\nfrom nova.cmd.dhcpbridge import main\n"
            f"open({str(log)!r}, 'a').write(' '.join(sys.argv[1:4]) + '\\n')\nsys.exit(main())\n"
        )
        path.chmod(0o755)
        return str(path)

    def lease_events(self) -> list[str]:
        """What dnsmasq called the lease program with."""
        log = self.directory / "dhcpbridge.log"
        return log.read_text().splitlines() if log.exists() else []

    def guest(self, bridge: str, mac_address: str, *, on: str = "") -> Guest:
        """A guest whose card is plugged into the bridge of the host, or of another namespace."""
        number = next(_NUMBERS)
        name, tap, host = f"{self.stem}g{number}", f"tap{number}", on or self.host
        self._add(name)
        self.ip(host, "link", "add", tap, "type", "veth", "peer", "name", "eth0", "netns", name)
        self.ip(name, "link", "set", "eth0", "address", mac_address)
        self.ip(name, "link", "set", "eth0", "up")
        self.ip(host, "link", "set", tap, "master", bridge, "up")
        return Guest(self, name)

    def host_beside(self, interface: str) -> NamespaceRunner:
        """Another host, on a cable between the *interface* of both; what runs commands there."""
        name = f"{self.stem}c{next(_NUMBERS)}"
        self._add(name)
        self.ip(self.host, "link", "add", interface, "type", "veth", "peer", "name", interface, "netns", name)
        for each in (self.host, name):
            self.ip(each, "link", "set", interface, "up")
        directory = self.directory / name
        directory.mkdir(mode=0o755)
        return NamespaceRunner(name, directory)

    def ip(self, namespace: str, *words: str) -> None:
        subprocess.run(["ip", "-n", namespace, *words], check=True, capture_output=True)

    def run(self, namespace: str, *words: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
        argv = ["ip", "netns", "exec", namespace, *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)

    def serve_http(self, namespace: str, address: str, port: int, text: str) -> None:
        """A web server whose every answer is *text*."""
        code = (
            "import http.server as h\n"
            "class H(h.BaseHTTPRequestHandler):\n"
            " def do_GET(self):\n"
            "  self.send_response(200); self.end_headers()\n"
            f"  self.wfile.write(('{text} for ' + self.client_address[0]).encode())\n"
            " def log_message(self, *a): pass\n"
            f"h.ThreadingHTTPServer(({address!r}, {port}), H).serve_forever()\n"
        )
        self.background(namespace, sys.executable, "-I", "-c", code)
        wait_until(lambda: f":{port}" in self.run(namespace, "ss", "-ltn").stdout, why=f"a server on {port}")

    def background(self, namespace: str, *words: str) -> None:
        """A program that runs until the end of the lab."""
        argv = ["ip", "netns", "exec", namespace, *words]
        self._processes.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def get(self, namespace: str, url: str) -> str:
        """The body of a web page as a client there gets it, or an empty text."""
        code = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=3).read().decode(), end='')"
        return self.run(namespace, sys.executable, "-I", "-c", code, url).stdout

    def processes(self, word: str) -> list[int]:
        """The processes of the host whose command line holds *word*."""
        pids = subprocess.run(["ip", "netns", "pids", self.host], capture_output=True, text=True, check=True).stdout
        found = []
        for pid in map(int, pids.split()):
            try:
                if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
            except OSError:
                continue
        return found

    def _add(self, name: str) -> None:
        subprocess.run(["ip", "netns", "add", name], check=True)
        self._namespaces.append(name)
        self.ip(name, "link", "set", "lo", "up")


class Guest:
    """A guest, as far as the network sees it."""

    def __init__(self, lab: NetworkLab, namespace: str) -> None:
        self.lab, self.namespace = lab, namespace
        self.lease_file = lab.directory / f"{namespace}.lease"

    def dhcp(self, *, tries: int = 8) -> dict[str, str]:
        """Ask for an address and use it; what the server said, empty when it said nothing."""
        self.lease_file.unlink(missing_ok=True)
        script = str(self.lab.directory / "udhcpc.script")
        words = [
            "busybox",
            "udhcpc",
            "-i",
            "eth0",
            "-n",
            "-q",
            "-f",
            "-s",
            script,
            "-t",
            str(tries),
            "-T",
            "1",
            "-A",
            "1",
        ]
        self.run("env", f"LEASE_FILE={self.lease_file}", *words, "-O", "mtu", timeout_s=tries * 2 + 10)
        if not self.lease_file.exists():
            return {}
        return dict(word.split("=", 1) for word in self.lease_file.read_text().split(" ") if "=" in word)

    def get(self, url: str) -> str:
        """The body of a web page, or an empty text."""
        return self.lab.get(self.namespace, url)

    def reaches(self, address: str, port: int) -> bool:
        """Whether a TCP connection comes about."""
        code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1)"
        return self.run(sys.executable, "-I", "-c", code, address, str(port)).returncode == 0

    def run(self, *words: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
        return self.lab.run(self.namespace, *words, timeout_s=timeout_s)
