# SPDX-License-Identifier: Apache-2.0
"""Actions of shelving: shelve, shelveOffload, unshelve."""

from __future__ import annotations

from nova.api.actions import shelve as actions
from nova.api.osapi.action_route import server_action
from nova.api.parameter_types import NULL, envelope
from nova.api.request import ApiRequest
from nova.api.routing import Tx


def shelve(request: ApiRequest) -> None:
    """shelve"""
    actions.shelve(request.cloud, request.context, request.path["id"])


def shelve_offload(request: ApiRequest) -> None:
    """shelveOffload"""
    actions.shelve_offload(request.cloud, request.tx, request.context, request.path["id"])


def unshelve(request: ApiRequest) -> None:
    """unshelve"""
    actions.unshelve(request.cloud, request.context, request.path["id"])


ROUTES = (
    server_action("shelve", shelve, envelope("shelve", NULL), "os-shelve:shelve", tx=Tx.NONE),
    server_action("shelveOffload", shelve_offload, envelope("shelveOffload", NULL), "os-shelve:shelve_offload"),
    server_action("unshelve", unshelve, envelope("unshelve", NULL), "os-shelve:unshelve", tx=Tx.NONE),
)
