# SPDX-License-Identifier: Apache-2.0
"""nova-network from its options."""

from __future__ import annotations

import logging
import os
import pwd

from nova.cmd.building.parts import Parts
from nova.cmd.configuration import database_settings
from nova.cmd.daemon import Service
from nova.cmd.dhcpbridge import Settings, write_own_file
from nova.cmd.quotas import quota_defaults
from nova.interfaces.network import NetworkService
from nova.network.linux.dhcp import DhcpServer
from nova.network.linux.gateway import Gateway
from nova.network.linux.public import PublicAddresses
from nova.network.modes import MODES
from nova.network.service import Service as NetworkHost
from nova.network.settings import DhcpSettings, NatSettings, NetworkSettings
from nova.network.topology import ModeSettings, Topology
from nova.network.wiring import Wiring
from nova.system.bridge import Bridges
from nova.system.files import ensure_directory
from nova.system.iptables import Iptables
from nova.workflow.periodic import PeriodicTask

LOG = logging.getLogger(__name__)

OWNER = "nova-network"
_OPEN_TO_DNSMASQ = 0o755


def build(parts: Parts) -> list[Service]:
    """The daemon."""
    network = network_host(parts)
    tasks = [
        PeriodicTask("DHCP servers", 10, network.check_dhcp),
        PeriodicTask("networks and leases", parts.conf.periodic_interval, network.periodic),
    ]
    return [parts.daemon("nova-network", NetworkService, network, tasks=tasks, prepare=network.start)]


def network_host(parts: Parts) -> NetworkHost:
    """What the daemon serves, not started."""
    conf = parts.conf
    topology = _topology(parts)
    settings = NetworkSettings(
        host=parts.host,
        network_host=conf.network_host or "",
        mac_attempts=conf.create_unique_mac_address_attempts,
        rest_s=conf.fixed_ip_disassociate_timeout,
        lease_time_s=conf.dhcp_lease_time,
        floating_pool=conf.default_floating_pool if conf.auto_assign_floating_ip else "",
        quota_defaults=quota_defaults(conf),
    )
    return NetworkHost(
        database=parts.db,
        topology=topology,
        wiring=_wiring(parts, topology),
        settings=settings,
        peers=parts.client(NetworkService),
        pause_before_step=parts.pause_before_step("network"),
    )


def _topology(parts: Parts) -> Topology:
    conf = parts.conf
    required = "vlan_interface" if conf.network_manager == "vlan" else "flat_network_bridge"
    if not conf[required]:
        LOG.warning("%s is not set; every network must name its own.", required)
    settings = ModeSettings(
        bridge=conf.flat_network_bridge or "",
        flat_interface=conf.flat_interface or "",
        vlan_interface=conf.vlan_interface or "",
        mtu=conf.network_device_mtu,
    )
    return MODES[conf.network_manager](settings)


def _wiring(parts: Parts, topology: Topology) -> Wiring:
    conf = parts.conf
    nat = NatSettings(
        fixed_range=conf.fixed_range,
        routing_source_ip=conf.routing_source_ip,
        metadata_host=conf.metadata_host,
        metadata_port=conf.metadata_port,
        dmz_cidr=tuple(conf.dmz_cidr),
        force_snat_range=tuple(conf.force_snat_range),
        forward_interfaces=tuple(conf.forward_bridge_interface),
    )
    dhcp = _dhcp(parts)
    lock = parts.lock_path / "iptables.lock"
    filters = (
        Iptables(parts.commands, owner=OWNER, lock_path=lock),
        Iptables(parts.commands, owner=OWNER, lock_path=lock, family=6),
    )
    announcements = conf.send_arp_for_ha_count if conf.send_arp_for_ha else 0
    return Wiring(
        topology=topology,
        gateway=Gateway(parts.commands, Bridges(parts.commands), routes=topology.routes, announcements=announcements),
        filters=filters,
        nat_settings=nat,
        public=PublicAddresses(parts.commands, interface=conf.public_interface, announcements=announcements),
        dhcp=lambda bridge: DhcpServer(parts.commands, dhcp, bridge),
    )


def _dhcp(parts: Parts) -> DhcpSettings:
    conf = parts.conf
    files = [str(path) for path in parts.loaded.files] or list(conf.dhcpbridge_flagfile)
    directory = ensure_directory(conf.networks_path, mode=_OPEN_TO_DNSMASQ)
    quick = write_own_file(directory, Settings(database_settings(conf).url, conf.dhcp_lease_time))
    return DhcpSettings(
        directory=directory,
        dhcpbridge=conf.dhcpbridge,
        config_files=(str(quick), *files),
        script_user="" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name,
        domain=conf.dhcp_domain,
        lease_time_s=conf.dhcp_lease_time,
        dns_servers=tuple(conf.dns_server),
        use_network_dns_servers=conf.use_network_dns_servers,
        extra_config_file=conf.dnsmasq_config_file,
        single_default_gateway=conf.use_single_default_gateway,
        force_release=conf.force_dhcp_release,
    )
