# SPDX-License-Identifier: Apache-2.0
"""nova-manage network: create, list, change and delete networks.

A network host takes a new network by itself, at the latest when its first server is made.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Sequence
from typing import Any

from nova import errors
from nova.cmd.manage import fixed
from nova.cmd.manage.frame import Action, Argument, Category, boolean
from nova.cmd.manage.operator import Operator
from nova.db import addresses, networks
from nova.db.engine import Transaction
from nova.domain.network import Network
from nova.domain.network_plan import CreateNetwork, plan

ROW = "{:<5}\t{:<18}\t{:<15}\t{:<15}\t{:<15}\t{:<15}\t{:<15}\t{:<15}\t{:<15}"
HEADER = ("id", "IPv4", "IPv6", "start address", "DNS1", "DNS2", "VlanID", "project", "uuid")

PLACES = (
    "label",
    "fixed_range_v4",
    "num_networks",
    "network_size",
    "multi_host",
    "vlan",
    "vpn",
    "fixed_range_v6",
    "gateway",
    "gateway_v6",
    "bridge",
    "bridge_interface",
    "dns1",
    "dns2",
    "project_id",
    "priority",
    "uuid",
    "fixed_cidr",
)
CACTUS = ("fixed_range_v4", "num_networks", "network_size", "vlan", "vpn", "fixed_range_v6", "label")
"""The places of the oldest form, which begins with the range."""


def create(operator: Operator, **values: str) -> None:
    """Make networks; silent when all went well."""
    wanted = requested(in_present_places(values), conf=operator.conf)
    host = operator.conf.network_host or ""

    def work(tx: Transaction) -> tuple[str, ...]:
        existing = networks.find_all(tx)
        made = plan(wanted, existing)
        served = [dataclasses.replace(network, host=host) for network in made.networks]
        for network, kept in zip(networks.create(tx, served), made.reserved, strict=True):
            addresses.reserve_plan(tx, network, kept)
        return made.notices

    for notice in operator.db.run(work):
        operator.say(notice)


def in_present_places(values: dict[str, str]) -> dict[str, str]:
    """The same words where they belong now, when they were given in the places of an older release."""
    words = [values.get(place, "") for place in PLACES]
    if is_range(words[0]):
        return dict.fromkeys(PLACES, "") | {"label": "public"} | dict(_given(CACTUS, words))
    if words[4].isdigit() and int(words[4]) > 1:
        # A number where T or F belongs: the first VLAN tag, as if multi_host had been left out.
        words = [*words[:4], "", *words[4:-1]]
    if ":" in words[8]:
        # An IPv6 address where the gateway belongs: the order from before there was a gateway.
        words = [*words[:8], "", *words[8:-1]]
    return dict(zip(PLACES, words, strict=True))


def requested(values: dict[str, str], *, conf: Any) -> CreateNetwork:
    """What is asked for, completed from the options; InvalidInput for a word that is no number or T or F."""
    vlans, flat = conf.network_manager == "vlan", conf.network_manager != "vlan"
    bridge = values["bridge"] or (flat and conf.flat_network_bridge) or ""
    interface = values["bridge_interface"] or (conf.flat_interface if flat else conf.vlan_interface) or ""
    if flat and values["fixed_range_v4"] and not bridge:
        raise errors.InvalidInput("A bridge is required: give --bridge, or set flat_network_bridge.", field="bridge")
    if vlans and not interface:
        raise errors.InvalidInput(
            "An interface below the VLANs is required: give --bridge_interface, or set vlan_interface.",
            field="bridge_interface",
        )
    return CreateNetwork(
        label=values["label"],
        cidr=values["fixed_range_v4"],
        num_networks=_number(values, "num_networks") or conf.num_networks,
        network_size=_number(values, "network_size"),
        default_network_size=conf.network_size,
        cidr_v6=values["fixed_range_v6"],
        gateway=values["gateway"] or conf.gateway or "",
        gateway_v6=values["gateway_v6"] or conf.gateway_v6 or "",
        bridge=bridge,
        bridge_interface=interface,
        dns1=values["dns1"] or conf.flat_network_dns or "",
        dns2=values["dns2"],
        fixed_cidr=values["fixed_cidr"],
        vlan_start=(_number(values, "vlan") or conf.vlan_start) if vlans else None,
        any_vlan=not values["vlan"],
        vpn_start=_number(values, "vpn") or conf.vpn_start,
        vpn_public_address=conf.vpn_ip if vlans else "",
        vpn_clients=conf.cnt_vpn_clients if vlans else 0,
        multi_host=_truth(values["multi_host"]) if values["multi_host"] else conf.multi_host,
        injected=conf.flat_injected if flat else False,
        enable_dhcp=conf.network_manager != "flat",
        mtu=conf.network_device_mtu,
        project_id=values["project_id"],
        priority=_number(values, "priority"),
        uuid=values["uuid"],
    )


def list_networks(operator: Operator) -> int | None:
    """One line for each network."""
    found = operator.db.run(networks.find_all, write=False)
    if not found:
        operator.say("No networks found")
        return None
    operator.say(ROW.format(*HEADER))
    for one in found:
        vlan = "" if one.vlan is None else str(one.vlan)
        cells = (one.cidr, one.cidr_v6, one.dhcp_start, one.dns1, one.dns2, vlan, one.project_id, one.uuid)
        operator.say(ROW.format(one.id, *(cell or "None" for cell in cells)))
    return None


def quantum_list(operator: Operator) -> None:
    """The short list: UUID, project, priority and ranges."""
    for one in operator.db.run(networks.find_all, write=False):
        project, priority = one.project_id or "None", "None" if one.priority is None else one.priority
        operator.say(f"{one.uuid} {project} {priority} {one.cidr or 'None'} , {one.cidr_v6 or 'None'}")


def delete(operator: Operator, *, fixed_range: str, uuid: str) -> None:
    """Remove a network that nobody uses."""
    operator.db.run(lambda tx: networks.delete_network(tx, _network(tx, fixed_range, uuid).id))


def modify(
    operator: Operator,
    *,
    fixed_range: str,
    project: str,
    host: str,
    disassociate_project: bool,
    disassociate_host: bool,
) -> None:
    """Give a network to a project or host, or take it away."""
    if (project or host) and (disassociate_project or disassociate_host):
        raise errors.InvalidInput("Associating and disassociating cannot be done in one call.")
    to_project = "" if disassociate_project else project or None
    to_host = "" if disassociate_host else host or None

    def work(tx: Transaction) -> Network:
        return networks.associate(tx, _network(tx, fixed_range, "").id, project_id=to_project, host=to_host)

    operator.db.run(work)


def is_range(word: str) -> bool:
    """Whether *word* is an address or a range of addresses."""
    try:
        ipaddress.ip_network(word, strict=False)
    except ValueError:
        return False
    return True


def _given(places: Sequence[str], words: Sequence[str]) -> list[tuple[str, str]]:
    return [(place, word) for place, word in zip(places, words, strict=False) if word]


def _number(values: dict[str, str], name: str) -> int | None:
    text = values[name]
    if not text:
        return None
    if not text.isdigit() or len(text) > 10:
        raise errors.InvalidInput(f"{name} is not a number: {text[:40]!r}.", field=name)
    return int(text)


def _truth(word: str) -> bool:
    try:
        return boolean(word)
    except ValueError:
        raise errors.InvalidInput("multi_host is T or F.", field="multi_host") from None


def _network(tx: Transaction, cidr: str, uuid: str) -> Network:
    if not cidr and not uuid:
        raise errors.InvalidInput("Name the network by its range or with --uuid.", field="fixed_range")
    return networks.get(tx, uuid) if uuid else networks.get_by_cidr(tx, cidr)


_SPELLINGS = {
    "fixed_range_v4": ("fixed_range", "cidr"),
    "vlan": ("vlan_start", "vlan_id"),
    "vpn": ("vpn_start",),
    "fixed_range_v6": ("cidr_v6",),
    "project_id": ("project",),
}
_HELP = {
    "label": "name; several networks become NAME_0, NAME_1, …",
    "fixed_range_v4": "IPv4 range to cut networks from",
    "num_networks": "how many",
    "network_size": "addresses in each",
    "multi_host": "T: each compute host serves its own servers",
    "vlan": "first VLAN tag",
    "vpn": "first VPN port",
    "fixed_range_v6": "IPv6 range",
    "gateway": "gateway, by default the second address",
    "gateway_v6": "IPv6 gateway",
    "bridge": "bridge that guests are plugged into",
    "bridge_interface": "interface in that bridge, or below the VLANs",
    "dns1": "name server",
    "dns2": "second name server",
    "project_id": "project that owns the network",
    "priority": "place among a server's cards",
    "uuid": "UUID of the network",
    "fixed_cidr": "give out only addresses in this part",
}
_RANGE = Argument("fixed_range", "the network's range", default="", spellings=("network", "fixed_range_v4"))

_ADDRESS = (Argument("address", "the address", required=True),)

CATEGORY = Category(
    "network",
    "Networks.",
    (
        Action(
            "create",
            create,
            "Make networks.",
            tuple(Argument(name, _HELP[name], default="", spellings=_SPELLINGS.get(name, ())) for name in PLACES),
        ),
        Action("list", list_networks, "List networks."),
        Action("quantum_list", quantum_list, "List networks with their priorities."),
        Action(
            "delete",
            delete,
            "Delete a network that no project and no server has.",
            (_RANGE, Argument("uuid", "its UUID", default="")),
        ),
        Action("reserve", fixed.reserve, "Keep an address from servers.", _ADDRESS),
        Action("unreserve", fixed.unreserve, "Let servers have an address again.", _ADDRESS),
        Action(
            "modify",
            modify,
            "Associate a network with a project or a host, or disassociate it.",
            (
                dataclasses.replace(_RANGE, required=True),
                Argument("project", "project that gets it", default=""),
                Argument("host", "network host that serves it", default=""),
                Argument(
                    "disassociate_project",
                    "take it from its project",
                    default=False,
                    convert=boolean,
                    by_place=False,
                    is_switch=True,
                ),
                Argument(
                    "disassociate_host",
                    "take it from its host",
                    default=False,
                    convert=boolean,
                    by_place=False,
                    is_switch=True,
                ),
            ),
        ),
    ),
)
