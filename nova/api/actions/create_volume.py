# SPDX-License-Identifier: Apache-2.0
"""Create a volume: record it and let nova-conductor find a host for it.  Runs in nova-api.

Quota and row are one transaction, so a refused request leaves nothing behind.  After the commit the volume exists
(creating): when no broker takes the message, nova-conductor's recovery goes on with it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from nova.api.actions import volumes as rules
from nova.api.actions.after_commit import tell
from nova.api.cloud import Cloud
from nova.api.policies.volume import PREFIX
from nova.context import RequestContext
from nova.db import quotas, services, volumes
from nova.db.engine import Transaction
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from nova.errors import InvalidInput, NotFound

RULE = PREFIX + "create"
TOPIC = "volume"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRequest:
    """What somebody wants, in one form for every dialect; checked for its form only."""

    size_gb: int
    name: str = ""
    description: str = ""
    availability_zone: str = ""
    """Empty: any"""
    volume_type: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


def create(cloud: Cloud, tx: Transaction, context: RequestContext, wanted: VolumeRequest) -> Volume:
    """The recorded volume.  InvalidInput for a wrong size or zone, NotFound for a type, QuotaExceeded."""
    cloud.policy.authorize(context, RULE)
    _check(cloud, tx, context, wanted)
    quotas.claim(
        tx,
        {"volumes": 1, "gigabytes": wanted.size_gb},
        project_id=context.project_id,
        user_id=context.user_id,
        defaults=cloud.settings.default_quotas,
    )
    volume = volumes.create(tx, _volume(context, wanted))
    tell(tx, f"create volume {volume.id}", lambda: cloud.conductor.create_volume(context, volume_id=volume.id))
    return volume


def _check(cloud: Cloud, tx: Transaction, context: RequestContext, wanted: VolumeRequest) -> None:
    if wanted.size_gb < 1:
        raise InvalidInput("Invalid input for size: it must be at least 1.", field="size")
    if wanted.volume_type:
        raise NotFound.of("volume type", wanted.volume_type[:64])
    zones = {daemon.availability_zone for daemon in services.find(tx, topic=TOPIC)}
    if wanted.availability_zone and wanted.availability_zone not in zones:
        raise InvalidInput(
            f"Availability zone {wanted.availability_zone[:64]} has no storage host.", field="availability_zone"
        )
    rules.check_metadata(cloud, tx, wanted.metadata, project_id=context.project_id)


def _volume(context: RequestContext, wanted: VolumeRequest) -> Volume:
    return Volume(
        id=str(uuid.uuid4()),
        user_id=context.user_id,
        project_id=context.project_id,
        size_gb=wanted.size_gb,
        status=VolumeStatus.CREATING,
        display_name=wanted.name,
        display_description=wanted.description,
        availability_zone=wanted.availability_zone,
        metadata=wanted.metadata,
    )
