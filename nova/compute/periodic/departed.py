# SPDX-License-Identifier: Apache-2.0
"""What is on this host of servers that live on another one: moved away, evacuated, or never arrived.

It goes without asking, whatever is configured for leftovers: such a server must not run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import admin_context
from nova.domain.instance import Instance
from nova.domain.move import Move
from nova.errors import NovaError

LOG = logging.getLogger(__name__)


def remove_departed(host: Host, runner: Runner) -> None:
    """Look for such servers once.  To be done before any guest is started after a restart."""
    here = host.driver.power_states().keys() | host.driver.stored_instances()
    candidates = here - runner.touched_since(float("inf"))
    if not candidates:
        return
    context = admin_context("a host looks for servers that were moved away from it")
    for gone in host.conductor.departed_instances(context, host=host.name, instance_uuids=tuple(sorted(candidates))):
        LOG.warning(
            "Server %s lives on host %s: what is here of it is removed.", gone.instance.uuid, gone.instance.host
        )
        try:
            _remove(host, gone.instance, gone.move)
        except NovaError:
            LOG.exception("What server %s left on host %s cannot be removed now.", gone.instance.uuid, host.name)


def forget(host: Host, runner: Runner, instance_uuids: Collection[str]) -> None:
    """Servers were deleted that were on their way between this host and another, which has them in hand."""
    runner.give_up(instance_uuids)
    context = admin_context("a host forgets what was on its way")
    for instance in host.conductor.deleted_instances(context, instance_uuids=tuple(instance_uuids)):
        with runner.undisturbed(instance.uuid) as idle:
            if idle:
                remove_all(host, instance)


def remove_all(host: Host, instance: Instance) -> None:
    """Everything of a deleted server."""
    host.driver.destroy(instance)
    host.filters.remove(instance.uuid)
    host.driver.withdraw_disks(instance)
    host.driver.delete_disks(instance)
    host.driver.delete_disks_aside(instance)


def _remove(host: Host, instance: Instance, move: Move) -> None:
    """Disks under the server's own name go only where they are certainly not the ones that it uses elsewhere."""
    driver = host.driver
    driver.destroy(instance)
    host.filters.remove(instance.uuid)
    if move.source_host == host.name:
        driver.withdraw_disks(instance)
        driver.delete_disks_aside(instance, move_id=move.id)
        if move.shared_storage is False:
            driver.delete_disks(instance)
    else:
        driver.delete_moved_disks(instance, move_id=move.id)
