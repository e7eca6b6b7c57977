# SPDX-License-Identifier: Apache-2.0
"""All that is known of the server behind an address, read in a constant number of statements."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from nova.db import addresses, aggregates, block_devices, instances, security_groups
from nova.db.engine import Database, Transaction
from nova.db.images import numbers
from nova.domain.block_device import BlockDevice
from nova.domain.instance import Instance
from nova.domain.names import ec2_id
from nova.domain.network import FixedAddress, Nic
from nova.errors import NotFound

RANDOM_SEED_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One server, as it is told about itself."""

    instance: Instance
    zone: str
    domain: str = ""
    """What follows its host name; may be empty"""
    nics: tuple[Nic, ...] = ()
    groups: tuple[str, ...] = ()
    devices: tuple[BlockDevice, ...] = ()
    image_ids: dict[str, str] = field(default_factory=dict)
    """``ami``, ``aki`` and ``ari`` with the EC2 id of each that there is"""
    random_seed: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(RANDOM_SEED_BYTES)).decode())

    @property
    def hostname(self) -> str:
        """With its domain."""
        return f"{self.instance.hostname}.{self.domain}" if self.domain else self.instance.hostname

    @property
    def user_data(self) -> bytes | None:
        """As the guest shall see it; None when nobody gave any."""
        if not self.instance.user_data:
            return None
        try:
            return base64.b64decode(self.instance.user_data)
        except (binascii.Error, ValueError):
            return None

    @property
    def local_ipv4(self) -> str:
        """The first fixed address."""
        return next((fixed.address for fixed in self._fixed()), "")

    @property
    def public_ipv4(self) -> str:
        """The first floating address, or nothing."""
        return next((address for fixed in self._fixed() for address in fixed.floating), "")

    def _fixed(self) -> list[FixedAddress]:
        return [fixed for nic in self.nics for fixed in nic.addresses if fixed.version == 4]


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
    )
    return facts, [image_id for image_id in named.values() if image_id not in known]
