# SPDX-License-Identifier: Apache-2.0
"""Where the quickstart cloud keeps its things, and the addresses it uses."""

from __future__ import annotations

import ipaddress
import json
import os
from dataclasses import dataclass
from pathlib import Path

ADDRESS = os.environ.get("NOVA_QUICKSTART_ADDRESS", "127.0.0.1")
"""Where the APIs answer.  A second cloud, from another checkout, needs another address of the loopback: 127.0.0.2."""

NUMBER = int(ipaddress.IPv4Address(ADDRESS)) - int(ipaddress.IPv4Address("127.0.0.1"))
"""Tells the clouds of one machine apart."""

APIS = {
    "identity": 5000,
    "ec2": 8773,
    "osapi_compute": 8774,
    "osapi_volume": 8776,
    "image": 9292,
}
"""The APIs on the machine's loopback, with their usual ports.  The metadata service is for guests only."""

FIXED_RANGE = "10.77.0.0/24"
BRIDGE = "br-nova-qs"


@dataclass(frozen=True)
class Layout:
    """Paths below one directory, and names."""

    checkout: Path
    host_network: bool
    name: str = "nova-quickstart" + (f"-{NUMBER}" if NUMBER else "")
    address: str = ADDRESS

    @property
    def state(self) -> Path:
        return self.checkout / "state"

    @property
    def namespace(self) -> str | None:
        """The network namespace of the cloud; None with ``--host-network``."""
        return None if self.host_network else self.name

    @property
    def config(self) -> Path:
        return self.state / "etc" / "nova.conf"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def run(self) -> Path:
        """Process id files and sockets."""
        return self.state / "run"

    @property
    def kernel_settings(self) -> Path:
        """The host's own settings, to be put back."""
        return self.state / "kernel-settings.json"

    @property
    def rootwrap(self) -> Path:
        """The privilege gate's configuration."""
        return self.state / "etc" / "rootwrap.conf"

    @property
    def tgt_control_port(self) -> int:
        """The number of our own tgtd's control socket; the machine's own has 0."""
        return 77 + NUMBER

    @property
    def networks(self) -> Path:
        """The DHCP server's files: outside a checkout whose directories (such as /root) are closed to its user."""
        above = [self.checkout, *self.checkout.parents]
        is_open = all(directory.stat().st_mode & 0o001 for directory in above)
        return self.state / "networks" if is_open else Path("/run", self.name)

    @property
    def guest(self) -> Path:
        return self.state / "guest-image"

    @property
    def libvirt(self) -> Path:
        return self.state / "libvirt"

    @property
    def key(self) -> Path:
        return self.state / "demo.pem"

    @property
    def credentials(self) -> Path:
        return self.state / "demorc"

    @property
    def passwords(self) -> Path:
        return self.state / "passwords.json"

    @property
    def log(self) -> Path:
        return self.logs / "quickstart.log"

    def program(self, name: str) -> str:
        """A program of the project's virtual environment."""
        return str(self.checkout / ".venv" / "bin" / name)

    def in_namespace(self, argv: list[str]) -> list[str]:
        """*argv*, run where the cloud's network is."""
        return argv if self.namespace is None else ["ip", "netns", "exec", self.namespace, *argv]


def remembered(checkout: Path) -> Layout | None:
    """The layout of the cloud that is there now, or None where there is none."""
    mark = checkout / "state" / "cloud.json"
    if not mark.exists():
        return None
    written = json.loads(mark.read_text())
    return Layout(checkout, written["host_network"], name=written["name"], address=written["address"])


def remember(layout: Layout) -> None:
    """Write down that this cloud is there, before anything is made."""
    layout.state.mkdir(mode=0o711, exist_ok=True)  # the DHCP server's own user must pass to its files
    layout.state.chmod(0o711)
    for directory in (layout.logs, layout.run, layout.config.parent):
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    written = {"host_network": layout.host_network, "name": layout.name, "address": layout.address}
    (layout.state / "cloud.json").write_text(json.dumps(written) + "\n")
