# SPDX-License-Identifier: Apache-2.0
"""Reads all that a server is told about itself, in a constant number of statements."""

from __future__ import annotations

import base64
import secrets

from nova.db import addresses, aggregates, block_devices, instances, security_groups
from nova.db.engine import Database
from nova.db.images import numbers
from nova.db.transaction import Transaction
from nova.domain.guest_metadata.facts import Facts
from nova.domain.names import ec2_id
from nova.errors import NotFound

RANDOM_SEED_BYTES = 512


def load(db: Database, uuid: str, *, domain: str) -> Facts:
    """The facts of the instance *uuid*; NotFound when it is gone."""
    found, missing = db.run(lambda tx: _read(tx, uuid, domain=domain), write=False)
    if missing:
        db.run(lambda tx: numbers.numbers_of(tx, missing))
        found, _ = db.run(lambda tx: _read(tx, uuid, domain=domain), write=False)
    return found


def at(tx: Transaction, address: str) -> str:
    """The uuid of the instance that holds *address* now; NotFound."""
    uuid = addresses.living_instance_at(tx, address) if address else None
    if uuid is None:
        raise NotFound
    return uuid


def _read(tx: Transaction, uuid: str, *, domain: str) -> tuple[Facts, list[str]]:
    """The facts, and the images that have no number yet."""
    instance = instances.get(tx, uuid)
    images = {"ami": instance.image_ref, "aki": instance.kernel_id, "ari": instance.ramdisk_id}
    named = {prefix: image_id for prefix, image_id in images.items() if image_id}
    known = numbers.known_numbers(tx, list(named.values()))
    zones = aggregates.zones_of_hosts(tx) if instance.host else {}
    facts = Facts(
        instance=instance,
        zone=zones.get(instance.host, instance.availability_zone),
        domain=domain,
        nics=addresses.nics_of(tx, [uuid]).get(uuid, ()),
        groups=tuple(security_groups.names_of(tx, [uuid]).get(uuid, ())),
        devices=tuple(block_devices.for_instance(tx, uuid)),
        image_ids={prefix: ec2_id(prefix, known[image]) for prefix, image in named.items() if image in known},
        random_seed=base64.b64encode(secrets.token_bytes(RANDOM_SEED_BYTES)).decode(),
    )
    return facts, [image_id for image_id in named.values() if image_id not in known]
