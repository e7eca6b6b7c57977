# SPDX-License-Identifier: Apache-2.0
"""Orders that were given to this host and never reached it: a message that was lost, a journal that was."""

from __future__ import annotations

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import admin_context


def fetch_unfinished(host: Host, runner: Runner) -> None:
    """Take up every order that nova-conductor believes to be in our hands; those that are indeed are left alone."""
    context = admin_context("a host asks for its own orders")
    for order in host.conductor.unfinished_orders(context, host=host.name).oldest_first():
        runner.accept(context, order)
