# SPDX-License-Identifier: Apache-2.0
"""A production cloud with several real compute hosts: each a network namespace with a name, address, libvirtd and
nova-compute of its own; nothing is shared between them but what a test says.

    controller (the cloud's namespace): broker, database, all other daemons
        mgmt0   a bridge that the daemons talk over                     10.88.0.0/24
        eth1    on lan0, plugged into the guests' bridge by nova-network
    wire: lan0  a bridge that carries the guests' frames from host to host, in a namespace where nobody filters
    host: eth0 on mgmt0, eth1 on lan0, which nova-compute plugs into the guests' bridge
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.databases import DatabaseServer
from tests.integration.netns import run
from tests.integration.production import CONTROLLER, ProductionCloud, wait_until
from tools import private_libvirt

MANAGEMENT = "10.88.0.{}"
CONTROLLER_NUMBER = 1
FIRST_HOST_NUMBER = 11
CARD = "eth1"
"""The controller's own card on the guests' network"""


class HostsCloud(ProductionCloud):
    """The whole; a context manager."""

    def __init__(
        self,
        database: Callable[[], DatabaseServer],
        *,
        computes: tuple[str, ...] = ("host1", "host2"),
        options: str = "",
        controller_options: str = "",
        shared_disks: bool = False,
        **others: Any,
    ) -> None:
        """
        :param options: further lines for the nova.conf of every compute host
        :param controller_options: the same for the controller's
        :param shared_disks: whether all hosts have the same ``instances_path``
        """
        super().__init__(database, computes=computes, shared_images=True, **others)
        self.address = MANAGEMENT.format(CONTROLLER_NUMBER)
        self.uris: dict[str, str] = {}
        self._options = options
        self._controller_options = controller_options
        self._shared_disks = shared_disks

    def namespace_of(self, host: str) -> str:
        """A host's own, or the controller's."""
        return self.namespace if host == CONTROLLER else f"{self.namespace}{host}"

    def address_of(self, host: str) -> str:
        """On the network that the daemons talk over."""
        return MANAGEMENT.format(FIRST_HOST_NUMBER + self.computes.index(host))

    def instances_path(self, host: str) -> Path:
        """Where the host keeps disks."""
        return self.files.home / "shared" if self._shared_disks else self.files.state(host) / "instances"

    def daemon_of(self, host: str) -> str:
        """The name of the host's nova-compute among ``daemons``."""
        return f"nova-compute-{host}"

    def virsh(self, host: str, *words: str, check: bool = True) -> str:
        """What the host's libvirtd says."""
        return run("virsh", "-c", self.uris[host], *words, check=check)

    def domains_on(self, host: str) -> list[str]:
        """The uuids of all guests that the host's libvirtd knows."""
        return self.virsh(host, "list", "--all", "--uuid").split()

    def running_on(self, host: str) -> list[str]:
        """The uuids of those that run there."""
        return self.virsh(host, "list", "--uuid").split()

    def stored_on(self, host: str) -> list[str]:
        """The directories of servers there, set aside or not."""
        names = (path.name for path in self.instances_path(host).glob("*-*-*-*-*"))
        return sorted(names)

    def crash(self, host: str) -> None:
        """Pull the plug of a host: its daemon, its libvirtd and its guests end at once."""
        self.kill(self.daemon_of(host))
        private_libvirt.stop(self.files.home / "libvirt" / host)

    def power_on(self, host: str) -> None:
        """Start it again; its guests do not come back by themselves."""
        self.start_hypervisor(host)
        self.restart(self.daemon_of(host))

    # Making it.

    def _make_namespace(self) -> None:
        super()._make_namespace()
        run("ip", "netns", "add", self.wire)
        self._closing.callback(self._remove_host, self.wire)
        for namespace, bridge in ((self.namespace, "mgmt0"), (self.wire, "lan0")):
            run("ip", "-n", namespace, "link", "add", bridge, "type", "bridge")
            run("ip", "-n", namespace, "link", "set", bridge, "up")
        run("ip", "-n", self.namespace, "addr", "add", f"{self.address}/24", "dev", "mgmt0")
        self._plug(self.namespace, CARD, self.wire, "lan0", port="controller")
        for host in self.computes:
            self._make_host(host)

    def _make_host(self, host: str) -> None:
        name, number = self.namespace_of(host), self.computes.index(host)
        run("ip", "netns", "add", name)
        self._closing.callback(self._remove_host, name)
        run("ip", "-n", name, "link", "set", "lo", "up")
        self._plug(name, "eth0", self.namespace, "mgmt0", port=f"port{number}")
        self._plug(name, CARD, self.wire, "lan0", port=f"port{number}")
        run("ip", "-n", name, "addr", "add", f"{self.address_of(host)}/24", "dev", "eth0")

    @property
    def wire(self) -> str:
        """The namespace of the network that guests talk over."""
        return f"{self.namespace}wire"

    def _plug(self, host: str, card: str, switch: str, bridge: str, *, port: str) -> None:
        """A cable from a host's *card* to a bridge."""
        run("ip", "-n", switch, "link", "add", port, "type", "veth", "peer", "name", card, "netns", host)
        run("ip", "-n", switch, "link", "set", port, "master", bridge, "up")
        run("ip", "-n", host, "link", "set", card, "up")

    def _remove_host(self, name: str) -> None:
        for pid in map(int, run("ip", "netns", "pids", name, check=False).split()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run("ip", "netns", "del", name)

    def _start_hypervisors(self) -> None:
        for host in self.computes:
            self.start_hypervisor(host)
            self._closing.callback(private_libvirt.stop, self.files.home / "libvirt" / host)

    def start_hypervisor(self, host: str) -> None:
        """Start the host's libvirtd, for the first time or again."""
        home = self.files.home / "libvirt" / host
        home.mkdir(parents=True, exist_ok=True)
        self.uris[host] = private_libvirt.start(
            self.namespace_of(host), home, listen=self.address_of(host), hostname=host
        )

    def _configure_computes(self, broker: str, images: Path | None) -> None:
        own = self.files.config(CONTROLLER)
        text = own.read_text().replace("public_interface = lo\n", f"public_interface = lo\nflat_interface = {CARD}\n")
        text = text.replace("iscsi_ip_address = 127.0.0.1", f"iscsi_ip_address = {self.address}")
        own.write_text(text.replace("[database]", f"{self._controller_options}\n[database]", 1))
        for host in self.computes:
            more = f"flat_interface = {CARD}\n{self._options}"
            if self._shared_disks:
                more += f"\ninstances_path = {self.instances_path(host)}"
            self.files.write_compute(
                host,
                driver="libvirt",
                uri=self.uris[host],
                broker=broker,
                images=images,
                my_ip=self.address_of(host),
                more=more,
            )

    def _strays(self) -> list[str]:
        return [line for line in super()._strays() if "qemu-nbd" not in line]


def assert_nothing_left(cloud: HostsCloud) -> None:
    """No host has a guest, a directory, a card or an unfinished order of any server."""
    for host in cloud.computes:
        wait_until(lambda host=host: cloud.domains_on(host) == [], f"guests gone from {host}")
        wait_until(lambda host=host: cloud.stored_on(host) == [], f"disks gone from {host}: {cloud.stored_on(host)}")
        lines = run("ip", "-n", cloud.namespace_of(host), "-br", "link").splitlines()
        assert [line for line in lines if line.startswith("tap")] == []
        assert list(cloud.instances_path(host).glob("journal/*")) == []
