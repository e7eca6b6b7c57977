# SPDX-License-Identifier: Apache-2.0
"""Finding the server that a request is about: never one of another project, except for administrators."""

from __future__ import annotations

from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import instances
from nova.db.engine import Transaction
from nova.domain.instance import Instance
from nova.errors import NotFound


def scope_of(context: RequestContext) -> str | None:
    """The project to which the caller's look-ups are confined; None for administrators, who see all."""
    return None if context.is_admin else context.project_id


def load(tx: Transaction, context: RequestContext, uuid: str, *, deleted: bool = False) -> Instance:
    """The server; NotFound when it is not there or not the caller's, without a difference."""
    if len(uuid) > 36:
        raise NotFound.of("instance", uuid[:36])
    return instances.get(tx, uuid, project_id=scope_of(context), deleted=deleted)


def authorize(cloud: Cloud, context: RequestContext, rule: str, instance: Instance) -> None:
    """Ask the policy for *rule* with the server as its target."""
    cloud.policy.authorize(context, rule, {"project_id": instance.project_id, "user_id": instance.user_id})
