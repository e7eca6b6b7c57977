# SPDX-License-Identifier: Apache-2.0
"""What nova-compute does before it is a full member of the cloud again: wait, finish old work, bring guests back.

Runs in a thread of its own when nova-compute starts.  Until the hypervisor and nova-conductor answer, it tries again;
new orders are taken meanwhile and fail cleanly when the hypervisor is not there.  What goes wrong with one server is
logged and stops nothing.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable

from nova.compute.host import Host
from nova.compute.operations import power, rescue, suspend
from nova.compute.operations.work import Work
from nova.compute.periodic.departed import remove_departed
from nova.compute.periodic.filters import refresh_filters
from nova.compute.periodic.leftovers import remove_leftovers
from nova.compute.periodic.resources import report_resources
from nova.compute.periodic.unfinished import accept_all, unfinished_orders
from nova.compute.runner import Runner
from nova.context import admin_context
from nova.domain.orders import InstanceOrder, UnfinishedOrders, instance_order
from nova.domain.states import PowerState, VmState
from nova.errors import NovaError
from nova.workflow.journal import Journal, JournalDirectory
from nova.workflow.steps import Control, run

LOG = logging.getLogger(__name__)

OFF = frozenset({PowerState.NOSTATE, PowerState.SHUTDOWN, PowerState.CRASHED})
START = {
    VmState.ACTIVE: power.START_STEPS,
    VmState.PAUSED: suspend.START_PAUSED_STEPS,
    VmState.RESCUED: rescue.START_STEPS,
}
"""How a server that should run is started again, by its state.  A suspended one waits on the disk to be resumed."""


def come_up(host: Host, runner: Runner, journals: JournalDirectory, *, stopping: threading.Event) -> bool:
    """Everything, in order; False when *stopping* was set first."""
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("the hypervisor", host.driver.check),
        ("report of the host's resources", lambda: report_resources(host)),
        ("servers that were moved away", lambda: remove_departed(host, runner)),
        ("packet filters", lambda: refresh_filters(host, ())),
        ("unfinished operations", lambda: take_up_work(host, runner, journals)),
        ("what deleted servers left", lambda: remove_leftovers(host, runner)),
        ("guests", lambda: resume_guests(host, runner)),
    )
    for what, step in steps:
        if not _until_it_works(what, step, host=host, stopping=stopping):
            return False
    LOG.info("nova-compute on host %s has come up.", host.name)
    return True


def _until_it_works(what: str, step: Callable[[], None], *, host: Host, stopping: threading.Event) -> bool:
    pause_s = 0.5
    while not stopping.is_set():
        try:
            step()
        except NovaError as exc:
            LOG.warning("Start of nova-compute waits for: %s (%s). Trying again in %g s.", what, exc, pause_s)
            stopping.wait(pause_s)
            pause_s = min(pause_s * 2, host.settings.retry_longest_s)
        else:
            return True
    return False


def take_up_work(host: Host, runner: Runner, journals: JournalDirectory) -> None:
    """Go on with the journals of a former run, and begin with orders that never came here."""
    orders = unfinished_orders(host)
    left = journals.unfinished()
    for journal in left:
        _give_token(journal, orders)
    runner.resume(left)
    accept_all(runner, orders)


def _give_token(journal: Journal, orders: UnfinishedOrders) -> None:
    """A journal file holds no token: what goes on from it uses the one that came with the order."""
    token = orders.token_for(instance_order(journal.order).operation_id)
    journal.context = dataclasses.replace(journal.context, auth_token=token)


def resume_guests(host: Host, runner: Runner) -> None:
    """Start the guests that should run and do not, where the configuration says so."""
    if not host.settings.resume_guests:
        return
    context = admin_context("guests are started again after a restart of their host")
    orders = host.conductor.instance_orders(context, host=host.name, instance_uuids=())
    states = host.driver.power_states()
    for order in orders:
        if _should_run(order) and states.get(order.instance.uuid, PowerState.NOSTATE) in OFF:
            with runner.undisturbed(order.instance.uuid) as nobody_is_at_it:
                if nobody_is_at_it:
                    _start(host, order, journal=Journal(context, order, host=host.name))


def _should_run(order: InstanceOrder) -> bool:
    return order.instance.vm_state in START and order.instance.task_state is None


def _start(host: Host, order: InstanceOrder, *, journal: Journal) -> None:
    work = Work(context=journal.context, order=order, host=host)
    try:
        run(START[order.instance.vm_state], work, record=journal, control=Control())
    except Exception:
        LOG.exception("Server %s could not be started again after a restart of its host.", order.instance.uuid)
    else:
        LOG.info("Server %s was started again.", order.instance.uuid)
