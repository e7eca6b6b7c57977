# SPDX-License-Identifier: Apache-2.0
"""Delete a volume.  Its host does it; a volume that never got a host is gone at once, with its quota."""

from __future__ import annotations

from nova.api.actions import volumes as rules
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.volume import EXTENSION, PREFIX
from nova.context import RequestContext
from nova.db import volumes
from nova.db.engine import Transaction

RULE = PREFIX + "delete"
FORCE_RULE = EXTENSION + "volume_admin_actions:force_delete"


def delete(cloud: Cloud, tx: Transaction, context: RequestContext, volume_id: str, *, force: bool = False) -> None:
    """Let a volume be deleted that is available or in error, with *force* any that no server has.

    Raises NotFound, Forbidden, InvalidInput.  Asking again while it is being deleted does no harm.
    """
    volume = rules.load(tx, context, volume_id)
    rules.authorize(cloud, context, FORCE_RULE if force else RULE, volume)
    volumes.begin_delete(tx, volume_id, project_id=volume.project_id, force=force)
    # A host may have been found for it between the two statements.
    current = volumes.get(tx, volume_id)
    if not current.host:
        volumes.forget(tx, current)
        return
    tell(
        tx,
        f"delete volume {volume_id}",
        lambda: cloud.volume.on(current.host).delete(context, volume_id=volume_id),
    )
