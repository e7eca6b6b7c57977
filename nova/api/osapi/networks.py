# SPDX-License-Identifier: Apache-2.0
"""/os-networks: what a project sees of its networks, and what administrators do with them."""

from __future__ import annotations

from typing import Any

from nova.api.actions import networks as actions
from nova.api.osapi.times import plain
from nova.api.parameter_types import BOOLEAN, HOSTNAME, NULL, closed, envelope, integer, to_bool, to_int
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import networks
from nova.domain.network import Network
from nova.domain.network_plan import CreateNetwork
from nova.errors import InvalidInput, NotFound

POLICY = PREFIX + "os-networks"
_TEXT: Schema = {"type": ["string", "null"], "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f]*$(?!\n)"}
_NUMBER: Schema = {**integer(1), "type": ["integer", "string", "null"]}
_FLAG: Schema = {"enum": [*BOOLEAN["enum"], "T", "F", None]}
_TEXTS = ("cidr", "cidr_v6", "gateway", "gateway_v6", "dns1", "dns2", "bridge", "bridge_interface")
CREATE = envelope(
    "network",
    closed(
        {
            "label": {**_TEXT, "type": "string", "minLength": 1},
            **dict.fromkeys(
                (*_TEXTS, "dhcp_server", "fixed_cidr", "allowed_start", "allowed_end", "project_id", "uuid"), _TEXT
            ),
            **dict.fromkeys(("multi_host", "enable_dhcp", "share_address", "ipam"), _FLAG),
            **dict.fromkeys(
                ("mtu", "vlan", "vlan_start", "vpn_start", "network_size", "num_networks", "priority"), _NUMBER
            ),
        },
        "label",
    ),
)
ADD = closed({"id": {"type": ["string", "null"], "maxLength": 64}}, "id")


def view(request: ApiRequest, network: Network) -> dict[str, Any]:
    """A network; how it is built is for administrators."""
    shown: dict[str, Any] = {
        "id": network.uuid,
        "label": network.label,
        "cidr": network.cidr or None,
        "netmask": network.netmask or None,
        "gateway": network.gateway or None,
        "broadcast": network.broadcast or None,
        "dns1": network.dns1 or None,
        "dns2": network.dns2 or None,
        "cidr_v6": network.cidr_v6 or None,
        "gateway_v6": network.gateway_v6 or None,
        "netmask_v6": network.netmask_v6 or None,
    }
    if request.cloud.policy.allows(request.context, POLICY):
        shown |= _for_administrators(network)
    return shown


def _for_administrators(network: Network) -> dict[str, Any]:
    return {
        "created_at": plain(network.created_at),
        "updated_at": plain(network.updated_at),
        "deleted_at": None,
        "deleted": False,
        "injected": network.injected,
        "bridge": network.bridge or None,
        "bridge_interface": network.bridge_interface or None,
        "vlan": network.vlan,
        "vpn_public_address": network.vpn_public_address or None,
        "vpn_public_port": network.vpn_public_port,
        "vpn_private_address": network.vpn_private_address or None,
        "dhcp_start": network.dhcp_start or None,
        "dhcp_server": network.dhcp_server or None,
        "enable_dhcp": network.enable_dhcp,
        "share_address": network.share_address,
        "project_id": network.project_id or None,
        "host": network.host or None,
        "multi_host": network.multi_host,
        "priority": network.priority,
        "rxtx_base": None,
        "mtu": network.mtu,
    }


def _visible(request: ApiRequest) -> list[Network]:
    if request.cloud.policy.allows(request.context, POLICY):
        return networks.find_all(request.tx)
    shared = request.cloud.settings.network_manager != "vlan"
    return networks.usable_by(request.tx, request.context.project_id, shared=shared)


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-networks"""
    return {"networks": [view(request, network) for network in _visible(request)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-networks/{uuid}"""
    for network in _visible(request):
        if network.uuid == request.path["id"]:
            return {"network": view(request, network)}
    raise NotFound.of("network", request.path["id"][:64])


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /os-networks"""
    wanted = {key: value for key, value in request.body["network"].items() if value is not None}
    _refuse_unserved(wanted)
    made = actions.create(request.cloud, request.tx, request.context, _wanted(request, wanted))
    return {"network": view(request, made[0])}


def _refuse_unserved(wanted: dict[str, Any]) -> None:
    """What the plan of a network does not know is refused, not forgotten."""
    for key in ("allowed_start", "allowed_end", "dhcp_server"):
        if wanted.get(key):
            raise InvalidInput(f"Invalid input for {key}: it cannot be chosen here; use fixed_cidr.", field=key)
    if _flag(wanted.get("share_address", False)):
        raise InvalidInput("Invalid input for share_address: this cloud keeps it False.", field="share_address")


def _flag(value: Any) -> bool:
    return value == "T" or to_bool(value)


def _number(wanted: dict[str, Any], key: str, maximum: int = 2**31 - 1) -> int | None:
    value = wanted.get(key)
    return None if value in (None, "") else to_int(value, field=key, minimum=1, maximum=maximum)


def _wanted(request: ApiRequest, wanted: dict[str, Any]) -> CreateNetwork:
    vlan = _number(wanted, "vlan", 4094) or _number(wanted, "vlan_start", 4094)
    if vlan is None and request.cloud.settings.network_manager == "vlan":
        raise InvalidInput("Invalid input for vlan: networks of this cloud need a VLAN tag.", field="vlan")
    count = _number(wanted, "num_networks", 4096) or 1
    return CreateNetwork(
        label=wanted["label"],
        cidr=wanted.get("cidr", ""),
        cidr_v6=wanted.get("cidr_v6", ""),
        gateway=wanted.get("gateway", ""),
        gateway_v6=wanted.get("gateway_v6", ""),
        dns1=wanted.get("dns1", ""),
        dns2=wanted.get("dns2", ""),
        bridge=wanted.get("bridge", ""),
        bridge_interface=wanted.get("bridge_interface", ""),
        fixed_cidr=wanted.get("fixed_cidr", ""),
        num_networks=count,
        network_size=_number(wanted, "network_size"),
        default_network_size=2**32,
        vlan_start=vlan,
        vpn_start=_number(wanted, "vpn_start", 65535) or 1000,
        multi_host=_flag(wanted.get("multi_host", False)),
        enable_dhcp=_flag(wanted.get("enable_dhcp", request.cloud.settings.network_manager != "flat")),
        mtu=_number(wanted, "mtu", 65535),
        project_id=wanted.get("project_id", ""),
        priority=_number(wanted, "priority"),
        uuid=wanted.get("uuid", ""),
    )


def delete(request: ApiRequest) -> Answer:
    """DELETE /os-networks/{uuid}"""
    actions.delete(request.cloud, request.tx, request.context, request.path["id"])
    return Answer()


def add(request: ApiRequest) -> Answer:
    """POST /os-networks/add"""
    uuid = request.body["id"]
    if uuid is None:
        free = [network for network in networks.find_all(request.tx) if not network.project_id]
        if not free:
            raise InvalidInput("No network without a project is left.", field="id")
        uuid = free[0].uuid
    project = request.context.project_id
    actions.associate(request.cloud, request.tx, request.context, uuid, project_id=project)
    return Answer()


def disassociate(request: ApiRequest) -> None:
    """disassociate"""
    actions.associate(request.cloud, request.tx, request.context, request.path["id"], project_id="", host="")


def disassociate_project(request: ApiRequest) -> None:
    """disassociate_project"""
    actions.associate(request.cloud, request.tx, request.context, request.path["id"], project_id="")


def disassociate_host(request: ApiRequest) -> None:
    """disassociate_host"""
    actions.associate(request.cloud, request.tx, request.context, request.path["id"], host="")


def associate_host(request: ApiRequest) -> None:
    """associate_host"""
    actions.associate(request.cloud, request.tx, request.context, request.path["id"], host=request.body)


ROUTES = (
    Route(method="GET", path="/os-networks", handler=index, policy=POLICY + ":view"),
    Route(method="GET", path="/os-networks/{id}", handler=show, policy=POLICY + ":view"),
    Route(
        method="POST",
        path="/os-networks",
        handler=create,
        policy=POLICY + ":create",
        bodies=body(CREATE),
        tx=Tx.WRITE,
    ),
    Route(
        method="DELETE",
        path="/os-networks/{id}",
        handler=delete,
        policy=POLICY + ":delete",
        success=202,
        tx=Tx.WRITE,
    ),
    Route(
        method="POST",
        path="/os-networks/add",
        handler=add,
        policy=POLICY + ":associate",
        bodies=body(ADD),
        success=202,
        tx=Tx.WRITE,
    ),
    *(
        Route(
            method="POST",
            path="/os-networks/{id}/action",
            action=name,
            handler=handler,
            policy=POLICY + ":associate",
            bodies=body(envelope(name, schema)),
            success=202,
            tx=Tx.WRITE,
        )
        for name, handler, schema in (
            ("disassociate", disassociate, NULL),
            ("disassociate_project", disassociate_project, NULL),
            ("disassociate_host", disassociate_host, NULL),
            ("associate_host", associate_host, HOSTNAME),
        )
    ),
)
