# SPDX-License-Identifier: Apache-2.0
"""Export a volume to one compute host, and withdraw the export.  Run in nova-volume.

The export is recorded before the target is made: after a crash, or after the target daemon has lost its targets, it is
made again from the record, with the same secret.
"""

from __future__ import annotations

import logging
import secrets

from nova.db import instances, volumes
from nova.db.engine import Transaction
from nova.db.volumes import Export
from nova.domain.block_device import Connector, VolumeConnection
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import AlreadyExists, Conflict, NotFound, NovaError
from nova.secret import Secret
from nova.volume.targets.tgt import LUN
from nova.volume.workplace import Workplace

LOG = logging.getLogger(__name__)

ATTEMPTS = 20


def connect(place: Workplace, volume_id: str, connector: Connector) -> VolumeConnection:
    """Export to *connector*; Conflict while another host has it.

    An export to a host that has lost the volume's server, because it died, is withdrawn first.
    """
    lost = place.db.run(lambda tx: _lost_export(tx, volume_id, connector.host), write=False)
    if lost is not None:
        LOG.warning("Volume %s is withdrawn from %s, which has lost it.", volume_id, lost.initiator_host)
        withdraw(place, place.db.run(lambda tx: volumes.get(tx, volume_id), write=False))
    volume, export = _recorded(place, volume_id, connector)
    _make(place, volume, export)
    return VolumeConnection(
        volume_id=volume.id,
        portal=place.settings.portal,
        iqn=place.iqn(volume),
        lun=LUN,
        username=export.username,
        password=export.password,
    )


def disconnect(place: Workplace, volume_id: str, connector: Connector) -> None:
    """Withdraw the export to *connector*; another host's export stays."""
    volume, export = place.db.run(
        lambda tx: (volumes.get(tx, volume_id), volumes.export_of(tx, volume_id)), write=False
    )
    if export is not None and export.initiator_host == connector.host:
        withdraw(place, volume)


def withdraw(place: Workplace, volume: Volume) -> None:
    """Remove the volume's target, then its record."""
    export = place.db.run(lambda tx: volumes.export_of(tx, volume.id), write=False)
    if export is None:
        return
    place.target.withdraw(number=export.target_number, iqn=place.iqn(volume))
    place.db.run(lambda tx: volumes.remove_export(tx, volume.id))


def idle_exports(place: Workplace) -> list[str]:
    """The volumes of this host that nobody has, and that are exported all the same: their host could not say so."""

    def look(tx: Transaction) -> list[str]:
        exported = [export.volume_id for export in volumes.exports_on(tx, place.settings.host)]
        return [each for each in exported if volumes.get(tx, each).status is VolumeStatus.AVAILABLE]

    return place.db.run(look, write=False)


def withdraw_idle(place: Workplace, volume_id: str) -> None:
    """Withdraw the volume's export, if nobody has begun to attach it meanwhile."""
    volume = place.db.run(lambda tx: volumes.get(tx, volume_id), write=False)
    if volume.status is VolumeStatus.AVAILABLE:
        LOG.warning("Volume %s was still exported although nobody has it; it is withdrawn.", volume_id)
        withdraw(place, volume)


def restore_exports(place: Workplace) -> None:
    """Make every recorded export that the target daemon does not have."""

    def recorded(tx: Transaction) -> list[tuple[Volume, Export]]:
        exports = volumes.exports_on(tx, place.settings.host)
        return [(volumes.get(tx, export.volume_id), export) for export in exports]

    try:
        there = place.target.targets()
        for volume, export in place.db.run(recorded, write=False):
            if there.get(export.target_number) != place.iqn(volume):
                LOG.warning("The target of volume %s was gone, and is made again.", volume.id)
                _make(place, volume, export)
    except NovaError as error:
        LOG.error("The exports of this host cannot be looked after now: %s", error)


def _lost_export(tx: Transaction, volume_id: str, host: str) -> Export | None:
    """The export to another host, when the server that has the volume is on *host* now."""
    volume, export = volumes.get(tx, volume_id), volumes.export_of(tx, volume_id)
    if export is None or export.initiator_host == host or not volume.instance_uuid:
        return None
    try:
        return export if instances.get(tx, volume.instance_uuid).host == host else None
    except NotFound:
        return None


def _recorded(place: Workplace, volume_id: str, connector: Connector) -> tuple[Volume, Export]:
    """The recorded export; a target number that another volume takes at the same moment is passed over."""
    for _ in range(ATTEMPTS - 1):
        try:
            return place.db.run(lambda tx: _record(tx, place, volume_id, connector))
        except AlreadyExists:
            LOG.info("The target's number for volume %s was taken by another one.", volume_id)
    return place.db.run(lambda tx: _record(tx, place, volume_id, connector))


def _record(tx: Transaction, place: Workplace, volume_id: str, connector: Connector) -> tuple[Volume, Export]:
    volume = volumes.get(tx, volume_id)
    export = volumes.export_of(tx, volume_id)
    if export is None:
        wanted = Export(
            volume_id=volume_id,
            host=place.settings.host,
            target_number=0,
            initiator=connector.initiator,
            initiator_host=connector.host,
            username=secrets.token_hex(8),
            password=Secret(secrets.token_hex(8)),
        )
        export = volumes.add_export(tx, number=volume.ec2_number, export=wanted)
    elif export.initiator != connector.initiator:
        raise Conflict(f"Volume {volume_id} is connected to another host.", detail=export.initiator_host)
    return volume, export


def _make(place: Workplace, volume: Volume, export: Export) -> None:
    place.target.export(
        number=export.target_number,
        iqn=place.iqn(volume),
        path=place.driver.path(volume),
        initiator=export.initiator,
        username=export.username,
        password=export.password.reveal(),
    )
