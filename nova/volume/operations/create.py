# SPDX-License-Identifier: Apache-2.0
"""Create a volume, in nova-volume.  When it fails the volume is in error, with the reason, and holds no room."""

from __future__ import annotations

import logging

from nova.db import volumes
from nova.db.engine import Transaction
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import NotFound, NovaError
from nova.volume.workplace import Workplace

LOG = logging.getLogger(__name__)


def create_volume(place: Workplace, volume_id: str) -> None:
    """Make the recorded volume; one that is made already, or is not this host's, is left alone."""

    def take(tx: Transaction) -> Volume:
        volumes.take_host(tx, volume_id, place.settings.host)
        return volumes.get(tx, volume_id)

    try:
        volume = place.db.run(take)
    except NotFound:
        return
    if volume.status is not VolumeStatus.CREATING or volume.host != place.settings.host:
        LOG.info("Volume %s is %s on %s; there is nothing to create here.", volume_id, volume.status, volume.host)
        return
    try:
        place.driver.create(volume)
    except NovaError as error:
        LOG.error("Volume %s could not be made: %s", volume_id, error)
        message = error.message
        place.db.run(lambda tx: volumes.fail(tx, volume_id, status=VolumeStatus.ERROR, fault=message))
        return
    if place.db.run(lambda tx: volumes.created(tx, volume_id, host=place.settings.host)):
        LOG.info("Volume %s is available.", volume_id)
