# SPDX-License-Identifier: Apache-2.0
"""What is on this host and should not be: of servers that are deleted, shelved and on no host, or unknown.

A guest or directory that the database never heard of may be somebody else's, or older than a restored database: it is
reported, and touched only where the operator says so.  What belongs to a server on another host is the matter of
:mod:`nova.compute.periodic.departed`.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Mapping

from nova.compute.host import Host
from nova.compute.periodic.departed import remove_all, remove_departed
from nova.compute.runner import Runner
from nova.context import admin_context
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.states import VmState
from nova.errors import NovaError
from nova.system.clock import utc_now

LOG = logging.getLogger(__name__)

DELETED = "is deleted"
SHELVED = "is shelved and on no host"
UNKNOWN = "is not known to the database"


def remove_leftovers(host: Host, runner: Runner) -> None:
    """Look once, and do with each what the configuration says; what lives elsewhere is none of that."""
    remove_departed(host, runner)
    context, settings = admin_context("a host looks for what deleted servers left"), host.settings
    here = host.driver.power_states().keys() | host.driver.stored_instances()
    kept = {instance.uuid for instance in host.conductor.instances_on_host(context, host=host.name)}
    candidates = here - kept - runner.touched_since(float("inf"))
    if not candidates:
        return
    deleted = host.conductor.deleted_instances(context, instance_uuids=tuple(sorted(candidates)))
    for instance in deleted:
        if _is_due(host, instance):
            _treat_gone(host, runner, instance)
    others = candidates - {instance.uuid for instance in deleted}
    if not others:
        return
    for uuid in host.conductor.unknown_instances(context, instance_uuids=tuple(sorted(others))):
        _treat(host, _nameless(uuid), settings.unknown_guest_action, why=UNKNOWN)


def _treat_gone(host: Host, runner: Runner, instance: Instance) -> None:
    """Treat a server that is on no host; it may be unshelved, and perhaps here, so that is made sure of."""
    context = admin_context("a host is about to remove what a server left")
    with runner.exclusively(instance.uuid):
        if host.conductor.deleted_instances(context, instance_uuids=(instance.uuid,)):
            why = SHELVED if instance.vm_state is VmState.SHELVED_OFFLOADED else DELETED
            _treat(host, instance, host.settings.deleted_guest_action, why=why)


def _is_due(host: Host, instance: Instance) -> bool:
    """Whether it was deleted long enough ago."""
    wait = datetime.timedelta(seconds=host.settings.deleted_guest_grace_s)
    return instance.terminated_at is None or utc_now() - instance.terminated_at >= wait


def _treat(host: Host, instance: Instance, action: str, *, why: str) -> None:
    if action != "noop":
        LOG.warning("Server %s %s, but is still on host %s: %s.", instance.uuid, why, host.name, action)
    try:
        ACTIONS[action](host, instance)
    except NovaError:
        LOG.exception("What server %s left on host %s could not be treated now (%s).", instance.uuid, host.name, action)


def _nameless(uuid: str) -> Instance:
    """As much of an instance as a driver needs to find a guest and its directory."""
    return Instance(
        id=0,
        uuid=uuid,
        user_id="",
        project_id="",
        display_name="",
        hostname="",
        flavor=Flavor(flavor_id="", name="", memory_mb=0, vcpus=0, root_gb=0),
        vm_state=VmState.DELETED,
    )


def _leave(_host: Host, _instance: Instance) -> None:
    """It was in the log."""


def _shut_down(host: Host, instance: Instance) -> None:
    host.driver.shut_down(instance, timeout_s=host.settings.shutdown_timeout_s)


def _reap(host: Host, instance: Instance) -> None:
    remove_all(host, instance)


ACTIONS: Mapping[str, Callable[[Host, Instance], None]] = {
    "noop": _leave,
    "log": _leave,
    "shutdown": _shut_down,
    "reap": _reap,
}
