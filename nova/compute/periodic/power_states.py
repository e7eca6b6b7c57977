# SPDX-License-Identifier: Apache-2.0
"""What the guests do, reported so that a server which its user shut down from inside is shown as stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import admin_context
from nova.domain.host import GuestReport
from nova.domain.orders import InstanceOrder
from nova.domain.states import PowerState
from nova.errors import NovaError

LOG = logging.getLogger(__name__)

WHY = "a host reports its guests"


def report_power_states(
    host: Host, runner: Runner, *, monotonic: Callable[[], float] = time.monotonic
) -> frozenset[str]:
    """Report all guests but those that an operation touched meanwhile, whose own report says what they do; those."""
    begun_at = monotonic()
    states = host.driver.power_states()
    touched = runner.touched_since(begun_at)
    told = {uuid: state for uuid, state in states.items() if uuid not in touched}
    _report(host, GuestReport(host=host.name, states=told, complete=True, busy=tuple(sorted(touched))))
    runner.told.replace(told, but=touched)
    return touched


def report_guest(host: Host, runner: Runner, uuid: str) -> bool:
    """Report one guest, unless nova-conductor knows already; False when something is being done to it just now."""
    with runner.undisturbed(uuid) as nobody_is_at_it:
        if not nobody_is_at_it:
            return False
        state = host.driver.power_states().get(uuid, PowerState.NOSTATE)
        if runner.told.get(uuid) is not state:
            _report(host, GuestReport(host=host.name, states={uuid: state}))
            runner.told.note(uuid, state)
        return True


def _report(host: Host, report: GuestReport) -> None:
    wrongly_on = host.conductor.sync_power_states(admin_context(WHY), report=report)
    if not wrongly_on:
        return
    orders = host.conductor.instance_orders(admin_context(WHY), host=host.name, instance_uuids=tuple(wrongly_on))
    for order in orders:
        _power_off(host, order)


def _power_off(host: Host, order: InstanceOrder) -> None:
    uuid = order.instance.uuid
    LOG.warning("The guest of server %s runs, and must not: it is powered off.", uuid)
    try:
        host.driver.shut_down(order.instance, timeout_s=host.settings.shutdown_timeout_s)
    except NovaError:
        LOG.exception("The guest of server %s could not be powered off now.", uuid)
