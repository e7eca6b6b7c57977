# SPDX-License-Identifier: Apache-2.0
"""Reach into a running server: change its password, read its counters, make its kernel dump.

What the host must be asked first is asked outside of any transaction.
"""

from __future__ import annotations

from nova.api.actions import host_orders, servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.domain.transitions import Action
from nova.errors import InvalidState
from nova.secret import Secret

PASSWORD_RULE = PREFIX + "os-admin-password"
DIAGNOSTICS_RULE = PREFIX + "os-server-diagnostics"
CRASH_DUMP_RULE = PREFIX + "servers:trigger_crash_dump"


def change_password(cloud: Cloud, context: RequestContext, uuid: str, *, password: Secret) -> None:
    """Let the guest's agent set the administrator's password.

    Raises NotSupported for a server without an agent, and InvalidState for one whose agent does not answer.
    """
    instance = _looked_up(cloud, context, uuid, rule=PASSWORD_RULE)
    with cloud.db.transaction(write=False) as tx:
        instances.ensure_allowed(tx, instance.uuid, Action.CHANGE_PASSWORD, ignore_lock=context.is_admin)
    cloud.compute.on(instance.host).check_agent(context, instance=instance)

    def order(tx: Transaction) -> None:
        _, operation = host_orders.begin(cloud, tx, context, uuid, Action.CHANGE_PASSWORD, rule=PASSWORD_RULE)
        host_orders.send_order(cloud, tx, context, operation, admin_password=password)

    cloud.db.run(order)


def diagnostics(cloud: Cloud, context: RequestContext, uuid: str) -> dict[str, int]:
    """Counters of the running guest, as its hypervisor names them; InvalidState where there is none."""
    instance = _looked_up(cloud, context, uuid, rule=DIAGNOSTICS_RULE)
    if not instance.host:
        raise InvalidState(f"Instance {uuid} is not ready: it is on no host yet.")
    return cloud.compute.on(instance.host).diagnostics(context, instance=instance)


def trigger_crash_dump(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Let the host interrupt the guest, which writes a dump if it is set up to."""
    _, operation = host_orders.begin(cloud, tx, context, uuid, Action.TRIGGER_CRASH_DUMP, rule=CRASH_DUMP_RULE)
    host_orders.send_order(cloud, tx, context, operation)


def _looked_up(cloud: Cloud, context: RequestContext, uuid: str, *, rule: str) -> Instance:
    with cloud.db.transaction(write=False) as tx:
        instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, rule, instance)
    return instance
