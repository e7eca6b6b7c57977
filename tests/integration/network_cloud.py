# SPDX-License-Identifier: Apache-2.0
"""nova-network in a lab of namespaces: a real database, bridges, dnsmasq and packet filter; no broker."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from nova.cmd.dhcpbridge import Settings, write_own_file
from nova.context import RequestContext
from nova.db import addresses, networks
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.network import FixedIp, Nic
from nova.domain.network_plan import CreateNetwork, plan
from nova.network.linux.dhcp import DhcpServer
from nova.network.linux.gateway import Gateway
from nova.network.linux.public import PublicAddresses
from nova.network.modes import MODES
from nova.network.service import Service
from nova.network.settings import DhcpSettings, NatSettings, NetworkSettings
from nova.network.topology import ModeSettings
from nova.network.wiring import Wiring
from nova.system.bridge import Bridges
from nova.system.iptables import Iptables
from tests.integration.network_lab import OUTSIDE_HOST, NamespaceRunner, NetworkLab

BRIDGE = "br100"
CONTEXT = RequestContext(project_id="p1", user_id="u1")


class Cloud:
    """The database and one nova-network in the lab."""

    def __init__(self, lab: NetworkLab, *, mode: str = "flat_dhcp") -> None:
        self.lab = lab
        self.mode = mode
        url = f"sqlite:///{lab.directory}/nova.sqlite"
        self.database = Database(DatabaseSettings(url=url))
        with self.database.engine.begin() as connection:
            Base.metadata.create_all(connection)
        self.url = url
        self.interface = ""
        """Of flat networks, out of their bridge"""
        self.services: dict[str, Service] = {}
        self.files = lab.directory / "networks"
        self.service = self.new_service()

    def new_service(
        self, name: str = "net1", *, runner: NamespaceRunner | None = None, source: str = OUTSIDE_HOST
    ) -> Service:
        """nova-network on a host as after a restart: nothing in memory.

        :param source: the host's address outside
        """
        runner = runner or self.lab.runner
        nat = NatSettings(fixed_range="10.0.0.0/8", routing_source_ip=source, metadata_host=source)
        lock = runner.directory / "iptables.lock"
        dhcp = self._dhcp(runner)
        modes = ModeSettings(bridge=BRIDGE, flat_interface=self.interface, vlan_interface="eth1")
        topology = MODES[self.mode](modes)
        wiring = Wiring(
            topology=topology,
            gateway=Gateway(runner, Bridges(runner), routes=topology.routes),
            filters=(
                Iptables(runner, owner="nova-network", lock_path=lock),
                Iptables(runner, owner="nova-network", lock_path=lock, family=6),
            ),
            nat_settings=nat,
            public=PublicAddresses(runner, interface="ext0"),
            dhcp=lambda bridge: DhcpServer(runner, dhcp, bridge),
        )
        settings = NetworkSettings(host=name, lease_time_s=3600)
        peers: Any = self
        self.services[name] = Service(
            database=self.database, topology=topology, wiring=wiring, settings=settings, peers=peers
        )
        return self.services[name]

    def on(self, host: str) -> Service:
        """The network daemon there, as its peers reach it."""
        return self.services[host]

    def _dhcp(self, runner: NamespaceRunner) -> DhcpSettings:
        files = runner.directory / "networks"
        files.mkdir(mode=0o755, exist_ok=True)
        own = write_own_file(files, Settings(self.url, 3600))
        return DhcpSettings(
            directory=files, dhcpbridge=self.lab.dhcpbridge(), config_files=(str(own),), lease_time_s=3600
        )

    def create_network(self, cidr: str = "10.20.0.0/24", **words: Any) -> None:
        wanted = {"label": "private", "cidr": cidr, "bridge": BRIDGE, "mtu": 1400} | words
        made = plan(CreateNetwork(**wanted), [])
        with self.database.transaction() as tx:
            for network, kept in zip(networks.create(tx, made.networks), made.reserved, strict=True):
                addresses.reserve_plan(tx, network, kept)

    def allocate(self, name: str, *, project: str = "p1", on: str = "c1") -> tuple[str, Nic]:
        instance, context = str(uuid.uuid4()), dataclasses.replace(CONTEXT, project_id=project)
        nics = self.service.allocate(context, instance_uuid=instance, hostname=name, host=on, requested=())
        return instance, nics[0]

    def fixed_ip(self, address: str) -> FixedIp:
        with self.database.transaction(write=False) as tx:
            return addresses.get(tx, address)

    def dnsmasq(self) -> list[int]:
        return self.lab.processes("nova-br100.pid")
