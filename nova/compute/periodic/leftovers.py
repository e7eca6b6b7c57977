# SPDX-License-Identifier: Apache-2.0
"""What is left on this host of servers that are deleted: guests, filters, directories.

A guest or directory that the database never heard of is left alone: it may be somebody else's.
"""

from __future__ import annotations

import logging

from nova.compute.host import Host
from nova.compute.runner import Runner
from nova.context import admin_context
from nova.domain.instance import Instance
from nova.errors import NovaError

LOG = logging.getLogger(__name__)


def remove_leftovers(host: Host, runner: Runner) -> None:
    """Remove them, or only name them in the log where the configuration says so."""
    context = admin_context("a host looks for what deleted servers left")
    here = host.driver.power_states().keys() | host.driver.stored_instances()
    kept = {instance.uuid for instance in host.conductor.instances_on_host(context, host=host.name)}
    candidates = tuple(sorted(here - kept - runner.touched_since(float("inf"))))
    if not candidates:
        return
    for instance in host.conductor.deleted_instances(context, instance_uuids=candidates):
        if host.settings.reap_deleted_guests:
            _remove(host, instance)
        else:
            LOG.warning("Server %s is deleted, but something of it is still on host %s.", instance.uuid, host.name)


def _remove(host: Host, instance: Instance) -> None:
    LOG.warning("Server %s is deleted: what was left of it on host %s is removed.", instance.uuid, host.name)
    try:
        host.driver.destroy(instance)
        host.filters.remove(instance.uuid)
        host.driver.delete_disks(instance)
    except NovaError:
        LOG.exception("What server %s left on host %s could not be removed now.", instance.uuid, host.name)
