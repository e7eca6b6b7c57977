# SPDX-License-Identifier: Apache-2.0
"""Pause and unpause a server, suspend and resume it."""

from __future__ import annotations

from nova.api.actions import host_orders
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.domain.transitions import Action

RULES = {
    Action.PAUSE: PREFIX + "os-pause-server:pause",
    Action.UNPAUSE: PREFIX + "os-pause-server:unpause",
    Action.SUSPEND: PREFIX + "os-suspend-server:suspend",
    Action.RESUME: PREFIX + "os-suspend-server:resume",
}


def pause(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host stop the server's processors; its memory stays."""
    _order(cloud, tx, context, uuid, Action.PAUSE)


def unpause(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let a paused server go on."""
    _order(cloud, tx, context, uuid, Action.UNPAUSE)


def suspend(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host write the server's memory to its disk, and power it off."""
    _order(cloud, tx, context, uuid, Action.SUSPEND)


def resume(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let a suspended server go on where it was."""
    _order(cloud, tx, context, uuid, Action.RESUME)


def _order(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, action: Action) -> None:
    _, operation = host_orders.begin(cloud, tx, context, uuid, action, rule=RULES[action])
    host_orders.send_order(cloud, tx, context, operation)
