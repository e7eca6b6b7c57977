# SPDX-License-Identifier: Apache-2.0
"""Sees to the end of volumes that are being created or deleted, and that nothing was heard of for a while.

Runs in nova-conductor; several may look at once.  A message that was lost is sent again.  What a storage host that is
dead should have done ends in error, with the reason: the owner may delete again, and the host finds the volume's data
under its name when it is back.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable

from nova.conductor.cloud import Cloud
from nova.context import admin_context
from nova.db import services, volumes
from nova.db.transaction import Transaction
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import NotFound, NovaError

LOG = logging.getLogger(__name__)

DAEMON = "nova-volume"
DEAD_HOST = "The storage host of the volume does not answer."
NO_HOST = "No storage host was found for the volume in time."


class VolumeRecovery:
    """One conductor's part in it."""

    def __init__(self, cloud: Cloud, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cloud = cloud
        self._monotonic = monotonic
        self._began_at = monotonic()

    def turn(self) -> None:
        """Look once.  What goes wrong with one volume is logged, and the next one is looked at."""
        grace = datetime.timedelta(seconds=self._cloud.settings.requested_grace_s)
        for volume in self._cloud.db.run(lambda tx: volumes.stale(tx, older_than=tx.now - grace), write=False):
            try:
                self._mend(volume)
            except NovaError as error:
                LOG.warning("Recovery of volume %s does not succeed now: %s", volume.id, error)

    def _mend(self, volume: Volume) -> None:
        db = self._cloud.db
        if volume.host and db.run(lambda tx: self._is_dead(tx, volume.host), write=False):
            self._fail(volume, DEAD_HOST)
        elif not volume.host and db.run(lambda tx: self._is_too_old(tx, volume), write=False):
            self._fail(volume, NO_HOST)
        else:
            db.run(lambda tx: volumes.touch(tx, volume.id))
            self._ask_again(volume)

    def _ask_again(self, volume: Volume) -> None:
        """Send the message once more; a host that is at it already takes no notice."""
        context = admin_context("recovery goes on with an accepted request")
        deleting = volume.status is VolumeStatus.DELETING
        if not volume.host and deleting:
            self._cloud.db.run(lambda tx: volumes.forget(tx, volume))
        elif not volume.host:
            self._cloud.conductor.create_volume(context, volume_id=volume.id)
        elif deleting:
            self._cloud.volume.on(volume.host).delete(context, volume_id=volume.id)
        else:
            self._cloud.volume.on(volume.host).create(context, volume_id=volume.id)

    def _is_dead(self, tx: Transaction, host: str) -> bool:
        """Whether the host was silent for longer than a restart takes, and this conductor was there to listen."""
        settings = self._cloud.settings
        if self._monotonic() - self._began_at <= settings.host_grace_s:
            return False
        try:
            daemon = services.get_by_host(tx, host, DAEMON)
        except NotFound:
            return True
        return not daemon.is_up(tx.now, down_time_s=self._cloud.silence_s(grace_s=settings.host_grace_s))

    def _is_too_old(self, tx: Transaction, volume: Volume) -> bool:
        limit = datetime.timedelta(seconds=self._cloud.settings.build_timeout_s)
        is_new = volume.status is VolumeStatus.CREATING
        return is_new and volume.created_at is not None and tx.now - volume.created_at > limit

    def _fail(self, volume: Volume, why: str) -> None:
        LOG.warning("Volume %s on host %s is %s for too long: %s", volume.id, volume.host, volume.status, why)
        deleting = volume.status is VolumeStatus.DELETING
        status = VolumeStatus.ERROR_DELETING if deleting else VolumeStatus.ERROR
        self._cloud.db.run(lambda tx: volumes.fail(tx, volume.id, status=status, fault=why))
