# SPDX-License-Identifier: Apache-2.0
"""Reboot a server: ask its guest, or reset it."""

from __future__ import annotations

from nova.api.actions import host_orders
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.domain.transitions import Action

RULE = PREFIX + "servers:reboot"


def reboot(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, hard: bool) -> None:
    """Let the host reboot the server; InvalidState unless it may be rebooted now."""
    action = Action.REBOOT_HARD if hard else Action.REBOOT
    _, operation = host_orders.begin(cloud, tx, context, uuid, action, rule=RULE)
    host_orders.send_order(cloud, tx, context, operation)
