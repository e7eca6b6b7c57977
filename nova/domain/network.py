# SPDX-License-Identifier: Apache-2.0
"""Networks, addresses, and the network card of a server as its host must build it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One row of ``networks``.  Addresses are text; an IPv6-only network has an empty ``cidr``."""

    id: int
    uuid: str
    label: str
    cidr: str = ""
    netmask: str = ""
    gateway: str = ""
    broadcast: str = ""
    dhcp_start: str = ""
    dhcp_server: str = ""
    dns1: str = ""
    dns2: str = ""
    cidr_v6: str = ""
    gateway_v6: str = ""
    netmask_v6: str = ""
    bridge: str = ""
    bridge_interface: str = ""
    vlan: int | None = None
    vpn_public_address: str = ""
    vpn_public_port: int | None = None
    vpn_private_address: str = ""
    fixed_cidr: str = ""
    """Only addresses in here are given out, when set."""
    multi_host: bool = False
    injected: bool = False
    enable_dhcp: bool = True
    share_address: bool = False
    mtu: int | None = None
    priority: int | None = None
    project_id: str = ""
    host: str = ""
    """The nova-network host that serves it; empty until one takes it."""
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedAddress:
    """One address of a network card, with the floating addresses that point to it."""

    address: str
    version: int
    netmask: str
    floating: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """A server's network card: the virtual interface and all of its network that a compute host needs."""

    vif_uuid: str
    mac_address: str
    network_uuid: str
    label: str
    bridge: str
    bridge_interface: str = ""
    vlan: int | None = None
    cidr: str = ""
    gateway: str = ""
    broadcast: str = ""
    dns: tuple[str, ...] = ()
    dhcp_server: str = ""
    cidr_v6: str = ""
    gateway_v6: str = ""
    mtu: int | None = None
    multi_host: bool = False
    injected: bool = False
    addresses: tuple[FixedAddress, ...] = ()

    @property
    def tap(self) -> str:
        """The name of the host's end, at most 15 characters: ``tap`` and the start of the interface's UUID."""
        return f"tap{self.vif_uuid.replace('-', '')[:11]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedNetwork:
    """A network that the user named, perhaps with the address that he wants in it."""

    network_uuid: str
    fixed_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedIp:
    """One fixed address that is in use, reserved or known; there is no row for an address nobody ever used."""

    id: int
    address: str
    network_id: int
    instance_uuid: str = ""
    vif_uuid: str = ""
    allocated: bool = False
    leased: bool = False
    reserved: bool = False
    host: str = ""
    updated_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatingIp:
    """One floating (public) address."""

    id: int
    address: str
    pool: str
    interface: str = ""
    project_id: str = ""
    host: str = ""
    fixed_address: str = ""
    instance_uuid: str = ""
    auto_assigned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """What a network host does for a floating address in use: it carries the address, and hands on to a fixed one."""

    address: str
    fixed_address: str
    interface: str = ""
    """That carries it; empty for the host's usual one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpHost:
    """What the DHCP server of a network must know about one network card."""

    network_id: int
    mac_address: str
    address: str
    hostname: str
    first: bool = True
    """Whether it is the server's first card, the one with the default route"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease that holds, as nova-dhcpbridge recorded it."""

    mac_address: str
    address: str
    hostname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedAddress:
    """A fixed address that its instance gave back; ``leased`` while its old user may still believe in it."""

    address: str
    mac_address: str
    network_id: int
    bridge: str
    dhcp_server: str
    leased: bool
    host: str = ""
    """The network host that serves it"""
    floating: bool = False
    """Whether floating addresses led to it"""
    moved: bool = False
    """Whether its instance still has it, on another host"""
