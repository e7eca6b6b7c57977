# SPDX-License-Identifier: Apache-2.0
"""Lock a server against its own project, and unlock it."""

from __future__ import annotations

from nova.api.actions import servers
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Transaction

LOCK_RULE = PREFIX + "os-lock-server:lock"
UNLOCK_RULE = PREFIX + "os-lock-server:unlock"
OVERRIDE_RULE = PREFIX + "os-lock-server:unlock:unlock_override"


def lock(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """From now on only administrators may change the server; an administrator's lock is not made the owner's."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, LOCK_RULE, instance)
    is_owner = instance.project_id == context.project_id
    if instance.locked and is_owner:
        return
    instances.lock(tx, uuid, by="owner" if is_owner else "admin")


def unlock(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str) -> None:
    """Take the lock away; Forbidden when an administrator locked it and the caller may not override that."""
    instance = servers.load(tx, context, uuid)
    servers.authorize(cloud, context, UNLOCK_RULE, instance)
    if instance.locked and instance.locked_by == "admin":
        servers.authorize(cloud, context, OVERRIDE_RULE, instance)
    instances.unlock(tx, uuid)
