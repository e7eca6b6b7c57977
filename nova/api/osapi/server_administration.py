# SPDX-License-Identifier: Apache-2.0
"""POST /servers/{id}/action, those of administrators: os-resetState, resetNetwork, injectNetworkInfo."""

from __future__ import annotations

from nova.api.actions import administer
from nova.api.osapi import server_schema
from nova.api.osapi.action_route import server_action
from nova.api.request import ApiRequest
from nova.domain.states import VmState


def reset_state(request: ApiRequest) -> None:
    """os-resetState"""
    state = VmState(request.body["state"])
    administer.reset_state(request.cloud, request.tx, request.context, request.path["id"], state=state)


def reset_network(request: ApiRequest) -> None:
    """resetNetwork"""
    administer.reset_network(request.cloud, request.tx, request.context, request.path["id"])


def inject_network_info(request: ApiRequest) -> None:
    """injectNetworkInfo"""
    administer.inject_network_info(request.cloud, request.tx, request.context, request.path["id"])


ROUTES = (
    server_action("os-resetState", reset_state, server_schema.RESET_STATE, "os-admin-actions:reset_state"),
    server_action("resetNetwork", reset_network, server_schema.RESET_NETWORK, "os-admin-actions:reset_network"),
    server_action(
        "injectNetworkInfo",
        inject_network_info,
        server_schema.INJECT_NETWORK_INFO,
        "os-admin-actions:inject_network_info",
    ),
)
