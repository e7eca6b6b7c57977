# SPDX-License-Identifier: Apache-2.0
"""Work orders that go to a compute host with all it needs to know, and the report that comes back."""

from __future__ import annotations

from dataclasses import dataclass

from nova.domain.block_device import BlockDevice
from nova.domain.image import Image
from nova.domain.instance import Fault, InjectedFile, Instance, StepEvent
from nova.domain.network import Nic
from nova.domain.security_group import InstanceFilter
from nova.domain.states import PowerState
from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOrder:
    """Do something to an instance that exists.  ``operation_id`` names the journal's row; the result is reported to it."""

    operation_id: int
    action: str
    instance: Instance
    nics: tuple[Nic, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    filter: InstanceFilter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """Make an instance.  The claim on the host is held already."""

    order: InstanceOrder
    image: Image | None
    """None when it boots from a volume"""
    kernel: Image | None = None
    ramdisk: Image | None = None
    injected_files: tuple[InjectedFile, ...] = ()
    admin_password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeOrder:
    """Attach or detach one volume."""

    order: InstanceOrder
    device: BlockDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationReport:
    """How an operation on a host ended, or that it was given up; applied by nova-conductor in one transaction."""

    operation_id: int
    instance_uuid: str
    action: str
    host: str
    events: tuple[StepEvent, ...] = ()
    fault: Fault | None = None
    """Set when it failed."""
    may_retry_elsewhere: bool = False
    """For a failed build: whether the cause may be this host."""
    power_state: PowerState | None = None
    device: BlockDevice | None = None
    """For volume operations: the device in question"""
