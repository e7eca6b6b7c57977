# SPDX-License-Identifier: Apache-2.0
"""Planning new networks: from what an operator asks for to the rows that are written.  Pure.

The plan of a subnet: its first address is the network's own, the second the gateway, then servers' addresses, the last
one the broadcast.  With VLANs the third is the project's VPN's.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network as V4
from ipaddress import IPv6Network as V6
from typing import TypeVar

from nova import errors
from nova.domain.network import Network

_LABEL_LENGTH = 255
_DEVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_MOST_NETWORKS = 4096
_LAST_VLAN = 4094
_SMALLEST_V6 = 64

Net = TypeVar("Net", V4, V6)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateNetwork:
    """What the operator asks for; empty texts and None mean: whatever is usual."""

    label: str
    cidr: str = ""
    num_networks: int = 1
    network_size: int | None = None
    """Addresses in each network, rounded up to a power of two"""
    default_network_size: int = 256
    cidr_v6: str = ""
    gateway: str = ""
    gateway_v6: str = ""
    bridge: str = ""
    bridge_interface: str = ""
    dns1: str = ""
    dns2: str = ""
    fixed_cidr: str = ""
    vlan_start: int | None = None
    """First VLAN tag: the networks get VLANs and bridges of their own"""
    any_vlan: bool = False
    """Whether tags above ``vlan_start`` will do when that one is in use"""
    vpn_start: int = 1000
    vpn_public_address: str = ""
    vpn_clients: int = 0
    multi_host: bool = False
    injected: bool = False
    enable_dhcp: bool = True
    mtu: int | None = None
    project_id: str = ""
    priority: int | None = None
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The rows to write, the addresses that each network keeps for itself, and what the operator should know."""

    networks: tuple[Network, ...]
    reserved: tuple[tuple[str, ...], ...]
    notices: tuple[str, ...] = ()


def plan(wanted: CreateNetwork, existing: Sequence[Network]) -> Plan:
    """The networks that are to be made beside the *existing* ones.

    :raises errors.InvalidInput: a value makes no sense; ``field`` names it
    :raises errors.Conflict: the whole range is in use
    """
    _check_words(wanted)
    notices: list[str] = []
    v4 = _v4_subnets(wanted, existing, notices)
    v6 = _v6_subnets(wanted, existing)
    wanted = _with_free_vlans(wanted, existing)
    _check_vlans(wanted, existing)
    networks = tuple(_network(wanted, i, v4[i], v6[i] if v6 else None) for i in range(wanted.num_networks))
    reserved = tuple(tuple(_reserved(network, wanted)) for network in networks)
    return Plan(networks=networks, reserved=reserved, notices=tuple(notices))


def _check_words(wanted: CreateNetwork) -> None:
    if not wanted.label or len(wanted.label) > _LABEL_LENGTH or not wanted.label.isprintable():
        raise errors.InvalidInput("A network's label has 1 to 255 printable characters.", field="label")
    if not wanted.cidr:
        raise errors.InvalidInput("An IPv4 range is required: servers get their addresses from it.", field="cidr")
    if not 1 <= wanted.num_networks <= _MOST_NETWORKS:
        raise errors.InvalidInput(f"One call makes 1 to {_MOST_NETWORKS} networks.", field="num_networks")
    for name in ("bridge", "bridge_interface"):
        if getattr(wanted, name) and not _DEVICE.fullmatch(getattr(wanted, name)):
            raise errors.InvalidInput("A device name has up to 15 letters, digits, and . _ -", field=name)
    for name in ("dns1", "dns2", "gateway", "gateway_v6", "vpn_public_address"):
        _address(getattr(wanted, name), field=name)
    if wanted.uuid:
        if wanted.num_networks > 1:
            raise errors.InvalidInput("A UUID can be given to a single network only.", field="uuid")
        try:
            uuid.UUID(wanted.uuid)
        except ValueError:
            raise errors.InvalidInput("The UUID is malformed.", field="uuid") from None


def _v4_subnets(wanted: CreateNetwork, existing: Sequence[Network], notices: list[str]) -> list[V4]:
    whole = _range(wanted.cidr, V4, field="cidr")
    share = whole.num_addresses // wanted.num_networks
    if wanted.network_size is None:
        size = min(share, wanted.default_network_size)
        prefix = 32 - (max(size, 1)).bit_length() + 1
        if wanted.default_network_size < share:
            notices.append(f"Subnet(s) too large, defaulting to /{prefix}. To override, specify network_size.")
    elif wanted.network_size < 1:
        raise errors.InvalidInput("The network size is a positive number.", field="network_size")
    else:
        prefix = 32 - (wanted.network_size - 1).bit_length()
    if prefix < whole.prefixlen or 2 ** (32 - prefix) * wanted.num_networks > whole.num_addresses:
        raise errors.InvalidInput(
            f"The range {whole} cannot hold {wanted.num_networks} networks of {2 ** (32 - prefix)} addresses.",
            field="network_size",
        )
    if prefix > 30:
        raise errors.InvalidInput("A network needs at least four addresses.", field="network_size")
    used = [V4(network.cidr) for network in existing if network.cidr]
    found = _free(whole, prefix, used, wanted.num_networks)
    _check_inside(wanted, found)
    return found


def _check_inside(wanted: CreateNetwork, subnets: Sequence[V4]) -> None:
    if wanted.fixed_cidr:
        part = _range(wanted.fixed_cidr, V4, field="fixed_cidr")
        if not all(part.subnet_of(subnet) for subnet in subnets):
            raise errors.InvalidInput("The fixed range does not lie within the network.", field="fixed_cidr")
    if wanted.gateway and ipaddress.ip_address(wanted.gateway) not in subnets[0]:
        raise errors.InvalidInput("The gateway is not an address of the network.", field="gateway")
    if wanted.gateway and len(subnets) > 1:
        raise errors.InvalidInput("A gateway can be given for a single network only.", field="gateway")


def _v6_subnets(wanted: CreateNetwork, existing: Sequence[Network]) -> list[V6]:
    if not wanted.cidr_v6:
        return []
    whole = _range(wanted.cidr_v6, V6, field="cidr_v6")
    if whole.prefixlen > _SMALLEST_V6:
        raise errors.InvalidInput(f"An IPv6 network is a /{_SMALLEST_V6} or larger.", field="cidr_v6")
    prefix = _SMALLEST_V6
    if 2 ** (prefix - whole.prefixlen) < wanted.num_networks:
        raise errors.InvalidInput(
            f"The range {whole} cannot hold {wanted.num_networks} networks of /{prefix}.", field="cidr_v6"
        )
    used = [V6(network.cidr_v6) for network in existing if network.cidr_v6]
    return _free(whole, prefix, used, wanted.num_networks)


def _free(whole: Net, prefix: int, used: Sequence[Net], count: int) -> list[Net]:
    """The first *count* subnets that overlap with none in use."""
    found: list[Net] = []
    candidate, step = int(whole.network_address), 2 ** (whole.max_prefixlen - prefix)
    kind = type(whole)
    spans = sorted((int(net.network_address), int(net.broadcast_address)) for net in used)
    while len(found) < count and candidate + step - 1 <= int(whole.broadcast_address):
        hit = next((end for start, end in spans if start <= candidate + step - 1 and end >= candidate), None)
        if hit is None:
            found.append(kind((candidate, prefix)))
            candidate += step
        else:
            candidate += step * ((hit - candidate) // step + 1)
    if len(found) < count:
        raise errors.Conflict(f"The range {whole} (cidr) is already in use by another network.", field="cidr")
    return found


def _with_free_vlans(wanted: CreateNetwork, existing: Sequence[Network]) -> CreateNetwork:
    start, used = wanted.vlan_start, {network.vlan for network in existing}
    if start is None or not wanted.any_vlan:
        return wanted
    while hits := [tag for tag in range(start, start + wanted.num_networks) if tag in used]:
        start = hits[-1] + 1
    return dataclasses.replace(wanted, vlan_start=start)


def _check_vlans(wanted: CreateNetwork, existing: Sequence[Network]) -> None:
    if wanted.vlan_start is None:
        return
    last = wanted.vlan_start + wanted.num_networks - 1
    if not 1 <= wanted.vlan_start <= last <= _LAST_VLAN:
        raise errors.InvalidInput(f"VLAN tags go from 1 to {_LAST_VLAN}.", field="vlan_start")
    taken = {network.vlan for network in existing} & set(range(wanted.vlan_start, last + 1))
    if taken:
        raise errors.Conflict(f"VLAN {min(filter(None, taken))} is in use by another network.", field="vlan_start")


def _network(wanted: CreateNetwork, index: int, v4: V4, v6: V6 | None) -> Network:
    label = wanted.label if wanted.num_networks == 1 else f"{wanted.label}_{index}"[:_LABEL_LENGTH]
    network = Network(
        id=0,
        uuid=wanted.uuid or str(uuid.uuid4()),
        label=label,
        bridge=wanted.bridge,
        bridge_interface=wanted.bridge_interface,
        dns1=wanted.dns1,
        dns2=wanted.dns2,
        multi_host=wanted.multi_host,
        injected=wanted.injected,
        enable_dhcp=wanted.enable_dhcp,
        mtu=wanted.mtu,
        priority=wanted.priority,
        project_id=wanted.project_id,
    )
    network = _with_v4(network, v4, wanted, index)
    if v6 is not None:
        gateway = wanted.gateway_v6 or str(v6[1])
        network = dataclasses.replace(network, cidr_v6=str(v6), gateway_v6=gateway, netmask_v6=str(v6.prefixlen))
    return network


def _with_v4(network: Network, v4: V4, wanted: CreateNetwork, index: int) -> Network:
    gateway = wanted.gateway or str(v4[1])
    network = dataclasses.replace(
        network,
        cidr=str(v4),
        netmask=str(v4.netmask),
        broadcast=str(v4.broadcast_address),
        gateway=gateway,
        dhcp_server=gateway if wanted.enable_dhcp else "",
        dhcp_start=str(v4[2]),
        fixed_cidr=wanted.fixed_cidr,
    )
    if wanted.vlan_start is None:
        return network
    vlan = wanted.vlan_start + index
    return dataclasses.replace(
        network,
        vlan=vlan,
        bridge=wanted.bridge or f"br{vlan}",
        vpn_private_address=str(v4[2]),
        vpn_public_address=wanted.vpn_public_address,
        vpn_public_port=wanted.vpn_start + index,
        dhcp_start=str(v4[3 + wanted.vpn_clients] if v4.num_addresses > 4 + wanted.vpn_clients else v4[3]),
    )


def _reserved(network: Network, wanted: CreateNetwork) -> Iterator[str]:
    """A handful of addresses whatever the network's size: the rest has no row until it is used."""
    v4 = V4(network.cidr)
    first = 3 + wanted.vpn_clients if network.vlan is not None else 2
    own = {str(v4[number]) for number in range(min(first, v4.num_addresses))}
    yield from sorted(own | {network.gateway, str(v4[-1])}, key=ipaddress.IPv4Address)


def _range(text: str, kind: type[Net], *, field: str) -> Net:
    try:
        return kind(text[:64].strip(), strict=False)
    except ValueError:
        raise errors.InvalidInput(f"{text[:64]!r} is not an address range such as 10.0.0.0/24.", field=field) from None


def _address(text: str, *, field: str) -> None:
    """Refuse what is no address; one with a zone (``fe80::1%eth0``) could hold any text."""
    families = (6,) if field == "gateway_v6" else (4, 6)
    if text and ("%" in text or _family(text[:64]) not in families):
        raise errors.InvalidInput(f"{text[:64]!r} is not an address.", field=field)


def _family(text: str) -> int:
    """4, 6, or 0 for what is no address."""
    try:
        return ipaddress.ip_address(text).version
    except ValueError:
        return 0
