# SPDX-License-Identifier: Apache-2.0
"""The network cards of a server: /servers/{id}/os-interface, os-virtual-interfaces, addFixedIp and removeFixedIp."""

from __future__ import annotations

from typing import Any

from nova.api.actions import interfaces as actions
from nova.api.actions import servers
from nova.api.microversion import v
from nova.api.osapi.action_route import server_action
from nova.api.osapi.paging import offset_page
from nova.api.parameter_types import IPV4, UUID, closed, envelope, integer
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import addresses
from nova.domain.network import Nic
from nova.errors import InvalidInput, NotSupported

POLICY = PREFIX + "os-attach-interfaces:"
ALL = "/servers/{id}/os-interface"
ONE = "/servers/{id}/os-interface/{port_id}"
_ADDRESSES: Schema = {
    "type": "array",
    "minItems": 1,
    "maxItems": 1,
    "items": closed({"ip_address": IPV4}, "ip_address"),
}
ATTACH = {
    **envelope("interfaceAttachment", closed({"net_id": UUID, "port_id": UUID, "fixed_ips": _ADDRESSES})),
    "required": [],
}
_NETWORK: Schema = {**integer(1), "maxLength": 36, "pattern": r"^[0-9a-fA-F-]{1,36}$(?!\n)"}
"""Its UUID or its number"""
ADD = envelope("addFixedIp", closed({"networkId": _NETWORK}, "networkId"))
REMOVE = envelope("removeFixedIp", closed({"address": IPV4}, "address"))


def view(nic: Nic) -> dict[str, Any]:
    """A card; what others call a port."""
    return {
        "port_id": nic.vif_uuid,
        "net_id": nic.network_uuid,
        "mac_addr": nic.mac_address,
        "port_state": "ACTIVE",
        "fixed_ips": [{"subnet_id": nic.network_uuid, "ip_address": fixed.address} for fixed in nic.addresses],
    }


def _nics(request: ApiRequest) -> tuple[Nic, ...]:
    uuid = servers.load(request.tx, request.context, request.path["id"]).uuid
    return addresses.nics_of(request.tx, [uuid]).get(uuid, ())


def index(request: ApiRequest) -> dict[str, Any]:
    """GET …/os-interface"""
    return {"interfaceAttachments": [view(nic) for nic in _nics(request)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET …/os-interface/{port_id}"""
    instance = servers.load(request.tx, request.context, request.path["id"])
    return {"interfaceAttachment": view(actions.card(request.tx, instance, request.path["port_id"]))}


def attach(request: ApiRequest) -> dict[str, Any]:
    """POST …/os-interface"""
    wanted = (request.body or {}).get("interfaceAttachment") or {}
    if "port_id" in wanted:
        raise NotSupported("There are no ports here that exist without a server: name a network.")
    fixed = wanted.get("fixed_ips")
    if fixed and "net_id" not in wanted:
        raise InvalidInput("Invalid input for fixed_ips: an address needs its network (net_id).", field="fixed_ips")
    made = actions.attach(
        request.cloud,
        request.tx,
        request.context,
        request.path["id"],
        network_uuid=wanted.get("net_id", "").lower(),
        address=fixed[0]["ip_address"] if fixed else "",
    )
    return {"interfaceAttachment": view(made)}


def detach(request: ApiRequest) -> None:
    """DELETE …/os-interface/{port_id}"""
    path = request.path
    actions.detach(request.cloud, request.tx, request.context, path["id"], vif_uuid=path["port_id"])


def virtual_interfaces(request: ApiRequest) -> dict[str, Any]:
    """GET …/os-virtual-interfaces"""
    shown = offset_page(request, list(_nics(request)))
    return {"virtual_interfaces": [_virtual_interface(request, nic) for nic in shown]}


def _virtual_interface(request: ApiRequest, nic: Nic) -> dict[str, Any]:
    found = {"id": nic.vif_uuid, "mac_address": nic.mac_address}
    if request.legacy:
        found["OS-EXT-VIF-NET:net_id"] = nic.network_uuid
    elif request.version >= v(12):
        found["net_id"] = nic.network_uuid
    return found


def add_fixed_ip(request: ApiRequest) -> None:
    """addFixedIp"""
    name = str(request.body["networkId"]).lower()
    actions.add_address(request.cloud, request.tx, request.context, request.path["id"], network_id=name)


def remove_fixed_ip(request: ApiRequest) -> None:
    """removeFixedIp"""
    address = request.body["address"]
    actions.remove_address(request.cloud, request.tx, request.context, request.path["id"], address=address)


ROUTES = (
    Route(method="GET", path=ALL, handler=index, policy=POLICY + "view"),
    Route(method="GET", path=ONE, handler=show, policy=POLICY + "view"),
    Route(
        method="POST",
        path=ALL,
        handler=attach,
        policy=POLICY + "create",
        bodies=body(ATTACH),
        body_optional=True,
        tx=Tx.WRITE,
    ),
    Route(method="DELETE", path=ONE, handler=detach, policy=POLICY + "delete", success=202, tx=Tx.WRITE),
    Route(
        method="GET",
        path="/servers/{id}/os-virtual-interfaces",
        handler=virtual_interfaces,
        policy=PREFIX + "os-virtual-interfaces",
    ),
    server_action("addFixedIp", add_fixed_ip, ADD, "os-multinic"),
    server_action("removeFixedIp", remove_fixed_ip, REMOVE, "os-multinic"),
)
