# SPDX-License-Identifier: Apache-2.0
"""nova-volume: serves the VolumeService interface for the volumes of one host.

What was asked stands in the volume's row (``creating``, ``deleting``) before any message: a restarted daemon finds it
there and goes on.  Each operation may be asked for twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from nova.context import RequestContext
from nova.db import volumes
from nova.domain.block_device import Connector, VolumeConnection
from nova.domain.states import VolumeStatus
from nova.domain.volume import VolumeCapacity
from nova.errors import NovaError
from nova.rpc.server import acknowledge
from nova.volume.operations import connect, create, delete
from nova.volume.workplace import Workplace
from nova.workflow.locks import KeyedLocks

LOG = logging.getLogger(__name__)


class VolumeHost:
    """The implementation of :class:`nova.interfaces.volume.VolumeService`."""

    def __init__(self, workplace: Workplace) -> None:
        self._place = workplace
        self._locks = KeyedLocks()
        self._in_hand: set[tuple[str, str]] = set()

    def create(self, context: RequestContext, *, volume_id: str) -> None:
        """See the interface."""
        acknowledge()
        self._once("create", volume_id, create.create_volume)

    def delete(self, context: RequestContext, *, volume_id: str) -> None:
        """See the interface."""
        acknowledge()
        self._once("delete", volume_id, delete.delete_volume)

    def _once(self, what: str, volume_id: str, work: Callable[[Workplace, str], None]) -> None:
        """Do *work*, unless the same is being done for the volume already: wiping may take hours."""
        key = (what, volume_id)
        if key in self._in_hand:
            return
        self._in_hand.add(key)
        try:
            with self._locks.hold(volume_id):
                work(self._place, volume_id)
        finally:
            self._in_hand.discard(key)

    def connect(self, context: RequestContext, *, volume_id: str, connector: Connector) -> VolumeConnection:
        """See the interface."""
        with self._locks.hold(volume_id):
            return connect.connect(self._place, volume_id, connector)

    def disconnect(self, context: RequestContext, *, volume_id: str, connector: Connector) -> None:
        """See the interface."""
        with self._locks.hold(volume_id):
            connect.disconnect(self._place, volume_id, connector)

    def start_up(self, context: RequestContext) -> None:
        """Bring exports back that the target daemon lost, and go on with what was interrupted."""
        connect.restore_exports(self._place)
        for volume in self._place.db.run(lambda tx: volumes.unfinished_on(tx, self._place.settings.host), write=False):
            LOG.info("Going on with volume %s, which is %s.", volume.id, volume.status)
            if volume.status is VolumeStatus.DELETING:
                self.delete(context, volume_id=volume.id)
            else:
                self.create(context, volume_id=volume.id)

    def look_after(self, context: RequestContext) -> None:
        """Report what is free, and mend exports; run every minute."""
        self.report_capacity(context)
        connect.restore_exports(self._place)
        for volume_id in connect.idle_exports(self._place):
            with self._locks.hold(volume_id):
                self._withdraw_idle(volume_id)

    def _withdraw_idle(self, volume_id: str) -> None:
        try:
            connect.withdraw_idle(self._place, volume_id)
        except NovaError as error:
            LOG.error("Volume %s is still exported although nobody has it: %s", volume_id, error)

    def report_capacity(self, context: RequestContext) -> None:
        """Tell the scheduler what this host has; a host whose driver does not work reports nothing free."""
        driver = self._place.driver
        try:
            driver.check()
            total, free = driver.capacity()
        except NovaError as error:
            LOG.error("No volume can be made on this host now: %s", error)
            total, free = 0.0, 0.0
        capacity = VolumeCapacity(host=self._place.settings.host, driver=driver.name, total_gb=total, free_gb=free)
        self._place.db.run(lambda tx: volumes.report_capacity(tx, capacity))
