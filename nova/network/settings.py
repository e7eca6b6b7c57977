# SPDX-License-Identifier: Apache-2.0
"""What nova-network is told about its host and the operator's wishes: plain values, filled in from the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nova.domain.quota import DEFAULT_QUOTAS


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How addresses are given out and taken back."""

    host: str
    """This host's name, as it stands in ``networks.host``"""
    network_host: str = ""
    """Who takes the networks that nobody serves; empty for any network host"""
    mac_attempts: int = 5
    rest_s: float = 600
    """How long an address rests after its server is gone when nobody knows whether its lease still holds"""
    lease_time_s: int = 86400
    floating_pool: str = ""
    """From where each new server gets a floating address; empty for none (auto_assign_floating_ip)"""
    quota_defaults: Mapping[str, int] = field(default_factory=lambda: DEFAULT_QUOTAS)


@dataclass(frozen=True, slots=True, kw_only=True)
class NatSettings:
    """What guests reach, and under which address."""

    fixed_range: str
    routing_source_ip: str
    metadata_host: str
    metadata_port: int = 8775
    dmz_cidr: tuple[str, ...] = ()
    force_snat_range: tuple[str, ...] = ()
    forward_interfaces: tuple[str, ...] = ("all",)
    """Interfaces that guests' traffic may leave by; ``all`` or ``none`` alone"""
    guests_may_reach_host: bool = False
    """Whether guests reach the host's own services beyond DHCP, DNS and metadata"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpSettings:
    """How dnsmasq is run."""

    directory: Path
    """Where its files live; every directory above must let dnsmasq's user pass"""
    dhcpbridge: str
    """The program that dnsmasq calls for each lease"""
    config_files: tuple[str, ...] = ()
    """What this program reads"""
    domain: str = "novalocal"
    lease_time_s: int = 86400
    dns_servers: tuple[str, ...] = ()
    use_network_dns_servers: bool = False
    extra_config_file: str = ""
    script_user: str = ""
    """Who the lease program runs as; empty for root"""
    single_default_gateway: bool = False
    force_release: bool = True
