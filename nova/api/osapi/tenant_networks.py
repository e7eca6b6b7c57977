# SPDX-License-Identifier: Apache-2.0
"""/os-tenant-networks: the networks that a project may use, and those that it makes for itself."""

from __future__ import annotations

from typing import Any

from nova.api.actions import networks as actions
from nova.api.parameter_types import LOOSE_NAME, closed, envelope, integer, to_int
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import networks
from nova.domain.network import Network
from nova.domain.network_plan import CreateNetwork
from nova.errors import InvalidInput, NotFound

POLICY = PREFIX + "os-tenant-networks:"
ALL, ONE = "/os-tenant-networks", "/os-tenant-networks/{id}"
_SMALLEST = 4
_RANGE: Schema = {"type": ["string", "null"], "maxLength": 64}
_NUMBER: Schema = {**integer(1), "type": ["integer", "string", "null"]}
_LIMITS = {"vlan_start": 4094, "num_networks": 4096, "network_size": 2**31 - 1}
CREATE = envelope(
    "network",
    closed(
        {
            "label": LOOSE_NAME,
            "cidr": _RANGE,
            "cidr_v6": _RANGE,
            "ipam": {"type": ["boolean", "string", "null"], "maxLength": 5},
            **dict.fromkeys(_LIMITS, _NUMBER),
        },
        "label",
    ),
)


def view(network: Network) -> dict[str, Any]:
    """A network, shortly."""
    return {"id": network.uuid, "cidr": network.cidr or network.cidr_v6, "label": network.label}


def _visible(request: ApiRequest) -> list[Network]:
    shared = request.cloud.settings.network_manager != "vlan"
    return networks.usable_by(request.tx, request.context.project_id, shared=shared)


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-tenant-networks"""
    return {"networks": [view(network) for network in _visible(request)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-tenant-networks/{id}"""
    for network in _visible(request):
        if network.uuid == request.path["id"]:
            return {"network": view(network)}
    raise NotFound.of("network", request.path["id"][:64])


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /os-tenant-networks"""
    wanted = request.body["network"]
    numbers = {name: _number(wanted.get(name), name) for name in _LIMITS}
    if numbers["network_size"] is not None and numbers["network_size"] < _SMALLEST:
        raise InvalidInput(f"A network has at least {_SMALLEST} addresses.", field="network_size")
    made = actions.create_own(
        request.cloud,
        request.tx,
        request.context,
        CreateNetwork(
            label=wanted["label"].strip(),
            cidr=wanted.get("cidr") or "",
            cidr_v6=wanted.get("cidr_v6") or "",
            num_networks=numbers["num_networks"] or 1,
            network_size=numbers["network_size"],
            default_network_size=2**32,
            vlan_start=numbers["vlan_start"],
        ),
    )
    return {"network": view(made[0])}


def _number(value: Any, name: str) -> int | None:
    return None if value in (None, "") else to_int(value, field=name, minimum=1, maximum=_LIMITS[name])


def delete(request: ApiRequest) -> Answer:
    """DELETE /os-tenant-networks/{id}"""
    actions.delete_own(request.cloud, request.tx, request.context, request.path["id"])
    return Answer()


ROUTES = (
    Route(method="GET", path=ALL, handler=index, policy=POLICY + "view"),
    Route(method="GET", path=ONE, handler=show, policy=POLICY + "view"),
    Route(method="POST", path=ALL, handler=create, policy=POLICY + "create", bodies=body(CREATE), tx=Tx.WRITE),
    Route(method="DELETE", path=ONE, handler=delete, policy=POLICY + "delete", success=202, tx=Tx.WRITE),
)
