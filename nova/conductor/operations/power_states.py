# SPDX-License-Identifier: Apache-2.0
"""Servers follow their guests, which stop, start and vanish without being asked to.  Runs in nova-conductor."""

from __future__ import annotations

import logging

from nova.db import instances
from nova.db.transaction import Transaction
from nova.domain.host import GuestReport
from nova.domain.instance import Instance
from nova.domain.states import PowerState
from nova.domain.transitions import FOLLOWS, MUST_BE_OFF

LOG = logging.getLogger(__name__)

ON = frozenset({PowerState.RUNNING, PowerState.PAUSED})


def sync_power_states(tx: Transaction, report: GuestReport) -> list[str]:
    """See the interface."""
    wrongly_on = []
    for instance in _reported(tx, report):
        state = report.states.get(instance.uuid, PowerState.NOSTATE)
        if instance.task_state is None and _follow(tx, instance, state):
            wrongly_on.append(instance.uuid)
    return wrongly_on


def _reported(tx: Transaction, report: GuestReport) -> list[Instance]:
    if report.complete:
        return [each for each in instances.find_on_host(tx, report.host) if each.uuid not in report.busy]
    found = instances.get_many(tx, sorted(report.states))
    return [each for each in found.values() if each.host == report.host]


def _follow(tx: Transaction, instance: Instance, state: PowerState) -> bool:
    """Record what the guest does; whether it must not do that."""
    vm_state = FOLLOWS.get((instance.vm_state, state))
    changes = state is not instance.power_state or vm_state is not None
    if changes and instances.follow_guest(tx, instance.uuid, host=instance.host, power_state=state, vm_state=vm_state):
        LOG.info("The guest of server %s is %s by itself.", instance.uuid, state.name.lower())
    return instance.vm_state in MUST_BE_OFF and state in ON
