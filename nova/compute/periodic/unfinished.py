# SPDX-License-Identifier: Apache-2.0
"""Orders that were given to this host and never reached it: a message that was lost, a journal that was."""

from __future__ import annotations

import dataclasses

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import RequestContext, admin_context
from nova.domain.orders import Order, UnfinishedOrders, instance_order
from nova.secret import Secret

WHY = "a host asks for its own orders"


def unfinished_orders(host: Host) -> UnfinishedOrders:
    """What nova-conductor believes to be in our hands."""
    return host.conductor.unfinished_orders(admin_context(WHY), host=host.name)


def accept_all(runner: Runner, orders: UnfinishedOrders) -> None:
    """Take up *orders*, oldest first; those that are in hand already are left alone."""
    for order in orders:
        runner.accept(_context(order, orders.token_for(instance_order(order).operation_id)), order)


def fetch_unfinished(host: Host, runner: Runner) -> None:
    """Both."""
    accept_all(runner, unfinished_orders(host))


def _context(order: Order, token: Secret | None) -> RequestContext:
    """The rights are ours, the name and the token of the server's owner."""
    owner = instance_order(order).instance
    return dataclasses.replace(admin_context(WHY), user_id=owner.user_id, project_id=owner.project_id, auth_token=token)
