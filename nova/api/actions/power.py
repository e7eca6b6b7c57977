# SPDX-License-Identifier: Apache-2.0
"""Power a server off and on."""

from __future__ import annotations

from nova.api.actions import host_orders
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.domain.transitions import Action

STOP_RULE = PREFIX + "servers:stop"
START_RULE = PREFIX + "servers:start"


def stop(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host power the server off."""
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.STOP, rule=STOP_RULE)
    host_orders.send_order(cloud, tx, context, operation)


def start(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host power the server on."""
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.START, rule=START_RULE)
    host_orders.send_order(cloud, tx, context, operation)
