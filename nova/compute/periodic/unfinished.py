# SPDX-License-Identifier: Apache-2.0
"""Orders that were given to this host and never reached it: a message that was lost, a journal that was."""

from __future__ import annotations

from collections.abc import Iterable

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import admin_context
from nova.domain.orders import Order

WHY = "a host asks for its own orders"


def unfinished_orders(host: Host) -> list[Order]:
    """What nova-conductor believes to be in our hands, oldest first."""
    return host.conductor.unfinished_orders(admin_context(WHY), host=host.name).oldest_first()


def accept_all(runner: Runner, orders: Iterable[Order]) -> None:
    """Take up *orders*; those that are in hand already are left alone."""
    for order in orders:
        runner.accept(admin_context(WHY), order)


def fetch_unfinished(host: Host, runner: Runner) -> None:
    """Both."""
    accept_all(runner, unfinished_orders(host))
