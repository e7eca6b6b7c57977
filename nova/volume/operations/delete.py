# SPDX-License-Identifier: Apache-2.0
"""Delete a volume, in nova-volume.  When it fails it stays, as error_deleting, and its blocks go to nobody else."""

from __future__ import annotations

import logging

from nova.db import volumes
from nova.domain.states import VolumeStatus
from nova.errors import NotFound, NovaError
from nova.volume.operations.connect import withdraw
from nova.volume.workplace import Workplace

LOG = logging.getLogger(__name__)


def delete_volume(place: Workplace, volume_id: str) -> None:
    """Remove the recorded volume; its quota is free once it is really gone."""
    try:
        volume = place.db.run(lambda tx: volumes.get(tx, volume_id), write=False)
    except NotFound:
        return
    if volume.status is not VolumeStatus.DELETING:
        LOG.info("Volume %s is %s, and is not deleted.", volume_id, volume.status)
        return
    try:
        withdraw(place, volume)
        place.driver.delete(volume)
    except NovaError as error:
        LOG.error("Volume %s could not be deleted: %s", volume_id, error)
        message = error.message
        place.db.run(lambda tx: volumes.fail(tx, volume_id, status=VolumeStatus.ERROR_DELETING, fault=message))
        return
    place.db.run(lambda tx: volumes.forget(tx, volume))
    LOG.info("Volume %s is deleted.", volume_id)
