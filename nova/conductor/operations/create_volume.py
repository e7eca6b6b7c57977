# SPDX-License-Identifier: Apache-2.0
"""Give a recorded volume a nova-volume host, and have it made there.  Runs in nova-conductor.

When no host has room the volume is in error, with the reason.  When scheduler or database are away nothing changes, and
:mod:`nova.conductor.volume_recovery` asks again.
"""

from __future__ import annotations

import logging

from nova.conductor.cloud import Cloud, afterwards
from nova.context import RequestContext
from nova.db import volumes
from nova.db.transaction import Transaction
from nova.domain.states import VolumeStatus
from nova.errors import NoCapacity, NotFound

LOG = logging.getLogger(__name__)


def create_volume(cloud: Cloud, context: RequestContext, *, volume_id: str) -> None:
    """Find a host for the volume and tell it; asking twice does no harm."""
    try:
        volume = cloud.db.run(lambda tx: volumes.get(tx, volume_id), write=False)
    except NotFound:
        return
    if volume.status is not VolumeStatus.CREATING or volume.host:
        return
    try:
        host = cloud.scheduler.select_volume_host(
            context, size_gb=volume.size_gb, availability_zone=volume.availability_zone
        )
    except NoCapacity as error:
        message = error.message
        LOG.warning("Volume %s finds no host: %s", volume_id, message)
        cloud.db.run(lambda tx: volumes.fail(tx, volume_id, status=VolumeStatus.ERROR, fault=message))
        return
    cloud.db.run(lambda tx: _place(cloud, tx, context, volume_id, host))


def _place(cloud: Cloud, tx: Transaction, context: RequestContext, volume_id: str, host: str) -> None:
    if volumes.take_host(tx, volume_id, host):
        LOG.info("Volume %s is to be made on %s.", volume_id, host)
        afterwards(tx, f"create volume {volume_id}", lambda: cloud.volume.on(host).create(context, volume_id=volume_id))
