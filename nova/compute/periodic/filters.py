# SPDX-License-Identifier: Apache-2.0
"""Packet filters of this host's guests, brought in line with the security groups."""

from __future__ import annotations

from nova.compute.host import Host
from nova.context import admin_context


def refresh_filters(host: Host, instance_uuids: tuple[str, ...]) -> None:
    """Fetch and apply the filters of the named instances, or of all here; then no filter of any other stays."""
    orders = host.conductor.instance_orders(
        admin_context("a host asks for the filters of its guests"), host=host.name, instance_uuids=instance_uuids
    )
    host.filters.apply(tuple((order.filter, order.nics) for order in orders if order.filter is not None))
    if not instance_uuids:
        host.filters.retain(frozenset(order.instance.uuid for order in orders))
