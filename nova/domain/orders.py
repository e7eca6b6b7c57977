# SPDX-License-Identifier: Apache-2.0
"""Work orders that go to a compute host with all it needs to know, and the report that comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from nova.domain.block_device import BlockDevice
from nova.domain.image import Image
from nova.domain.instance import Fault, InjectedFile, Instance, Operation, StepEvent
from nova.domain.made_from import MadeFrom
from nova.domain.move import Move
from nova.domain.network import Nic, RequestedNetwork
from nova.domain.security_group import InstanceFilter
from nova.domain.states import PowerState
from nova.errors import InternalError
from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOrder:
    """Do something to an instance that exists; its end is reported to the journal's row ``operation_id``."""

    operation_id: int
    action: str
    instance: Instance
    attempt: int = 1
    """Of the operation when this order was made: with a higher one in the database, the order is out of date."""
    nics: tuple[Nic, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    filter: InstanceFilter | None = None
    vif_uuid: str = ""
    """The card among *nics* that is to be plugged in or taken out, where the action is about one"""
    phase: str = ""
    """The leg of an operation that spans hosts"""
    move: Move | None = None

    @property
    def key(self) -> str:
        """What tells it from other orders, those of other attempts and legs of the same operation among them."""
        return f"{self.operation_id}.{self.attempt}" + (f".{self.phase}" if self.phase else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """Start an instance from images: make it (the claim on the host is held already), make it anew, or rescue it."""

    order: InstanceOrder
    image: Image | None
    """None when it boots from a volume"""
    kernel: Image | None = None
    ramdisk: Image | None = None
    injected_files: tuple[InjectedFile, ...] = ()
    admin_password: Secret | None = None
    before: MadeFrom | None = None
    """For a rebuild: what the instance was made from, and is again if it fails"""
    keep_ephemeral: bool = False
    """For a rebuild: whether ephemeral disks keep what is on them"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeOrder:
    """Attach or detach one volume."""

    order: InstanceOrder
    device: BlockDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOrder:
    """Write the instance's root disk to an image, which is recorded already and waits for its bytes."""

    order: InstanceOrder
    image: Image | None
    """None for what is kept without one: a shelved server that boots from a volume"""
    backup_type: str = ""
    rotation: int | None = None
    """How many backups of that type the instance may have from now on; None for any number"""


Order = BuildOrder | InstanceOrder | SnapshotOrder | VolumeOrder
"""Whatever a compute host may be told to do.  A new kind has its class, its place here and one in AnyOrder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOrder:
    """An order as it is sent and written down where it may be of any kind: in the one field of its kind."""

    build: BuildOrder | None = None
    instance: InstanceOrder | None = None
    snapshot: SnapshotOrder | None = None
    volume: VolumeOrder | None = None

    @classmethod
    def of(cls, order: Order) -> AnyOrder:
        """*order* in the field of its kind."""
        kinds = {BuildOrder: "build", InstanceOrder: "instance", SnapshotOrder: "snapshot", VolumeOrder: "volume"}
        fields: dict[str, Any] = {kinds[type(order)]: order}
        return cls(**fields)

    @property
    def order(self) -> Order:
        """The order in it; InternalError when there is none."""
        found = self.build or self.instance or self.snapshot or self.volume
        if found is None:
            raise InternalError(detail="an order of no kind")
        return found


def instance_order(order: Order) -> InstanceOrder:
    """The part that every order has."""
    return order if isinstance(order, InstanceOrder) else order.order


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedOrders:
    """The orders that a host was given and whose end it never reported, each in full."""

    orders: tuple[AnyOrder, ...] = ()
    """Oldest first"""
    tokens: dict[str, Secret] = field(default_factory=dict)
    """Of the servers' owners, to read and write images with: by operation id as text, for builds and snapshots"""

    def __iter__(self) -> Iterator[Order]:
        return (each.order for each in self.orders)

    def token_for(self, operation_id: int) -> Secret | None:
        """What the host may show an image service for that operation."""
        return self.tokens.get(str(operation_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What ``Operation.arguments`` holds of a create, rebuild or rescue: all that the instance's own row does not say.

    The API writes it; conductors read it, and add a host to ``ignore_hosts`` each time that a build failed there.
    """

    image: Image | None = None
    kernel: Image | None = None
    ramdisk: Image | None = None
    networks: tuple[RequestedNetwork, ...] = ()
    injected_files: tuple[InjectedFile, ...] = ()
    hints: dict[str, Any] = field(default_factory=dict)
    force_host: str = ""
    force_node: str = ""
    ignore_hosts: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """Why the build failed on each of ``ignore_hosts``, as its owner may read it."""
    before: MadeFrom | None = None
    keep_ephemeral: bool = False

    @classmethod
    def of(cls, operation: Operation) -> BuildRequest:
        """What the arguments of *operation*, a create or a rescue, say."""
        return msgspec.convert(operation.arguments, cls)

    def as_arguments(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest:
    """What ``Operation.arguments`` holds of a snapshot, a backup or a shelve."""

    image: Image | None = None
    backup_type: str = ""
    rotation: int | None = None

    @classmethod
    def of(cls, operation: Operation) -> SnapshotRequest:
        """What the arguments of *operation* say."""
        return msgspec.convert(operation.arguments, cls)

    def as_arguments(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationReport:
    """How an operation on a host ended, or that it was given up; applied by nova-conductor in one transaction."""

    operation_id: int
    instance_uuid: str
    action: str
    host: str
    attempt: int = 1
    """See InstanceOrder"""
    phase: str = ""
    """The leg that ended, of an operation that spans hosts"""
    events: tuple[StepEvent, ...] = ()
    fault: Fault | None = None
    """Set when it failed."""
    may_retry_elsewhere: bool = False
    """For a failed build: whether the cause may be this host."""
    power_state: PowerState | None = None
    device: BlockDevice | None = None
    """For volume operations: the device in question"""
    shared_storage: bool | None = None
    """For moves: whether the other side's disks are below this host too, where the leg found out"""
