# SPDX-License-Identifier: Apache-2.0
"""Deletes for good what was deleted softly and whose time is over.  Runs in nova-conductor.

Several conductors may look at once: the second one finds a server that is being deleted.
"""

from __future__ import annotations

import datetime
import logging

from nova.conductor.cloud import Cloud, afterwards
from nova.context import admin_context
from nova.db import instances, operations
from nova.db.transaction import Transaction
from nova.domain.transitions import Action
from nova.errors import NotFound

LOG = logging.getLogger(__name__)


def reclaim(cloud: Cloud) -> None:
    """Look once; nothing is ever reclaimed where the interval is 0."""
    interval_s = cloud.settings.reclaim_interval_s
    if not interval_s:
        return

    def due(tx: Transaction) -> list[str]:
        return instances.to_reclaim(tx, tx.now - datetime.timedelta(seconds=interval_s))

    for uuid in cloud.db.run(due, write=False):
        LOG.info("Server %s was deleted %g seconds ago and is now removed.", uuid, interval_s)
        cloud.db.run(lambda tx, uuid=uuid: _delete(cloud, tx, uuid))  # type: ignore[misc]


def _delete(cloud: Cloud, tx: Transaction, uuid: str) -> None:
    context = admin_context("the time to restore a deleted server is over")
    try:
        instance = instances.get(tx, uuid)
        instances.begin(tx, uuid, Action.DELETE, ignore_lock=True)
    except NotFound:
        return
    operations.open(tx, Action.DELETE, instance_uuids=[uuid], context=context, host=instance.host)
    afterwards(tx, f"delete {uuid}", lambda: cloud.conductor.delete_instance(context, instance_uuid=uuid))
