# SPDX-License-Identifier: Apache-2.0
"""Instances (the API calls them servers), their faults, and the operations asked for on them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from nova.domain.flavor import Flavor
from nova.domain.states import OperationState, PowerState, TaskState, VmState


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an instance is in ERROR; ``message`` is for its owner, ``details`` for administrators."""

    code: int
    message: str
    details: str = ""
    host: str = ""
    created_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One server as it is recorded.  The flavor is a copy made at creation: later edits change nothing."""

    id: int
    uuid: str
    user_id: str
    project_id: str
    display_name: str
    display_description: str = ""
    hostname: str
    flavor: Flavor
    vm_state: VmState
    task_state: TaskState | None = None
    power_state: PowerState = PowerState.NOSTATE
    image_ref: str = ""
    """Empty for a server that boots from a volume."""
    kernel_id: str = ""
    ramdisk_id: str = ""
    host: str = ""
    node: str = ""
    availability_zone: str = ""
    """What was asked for; the zone of the host is the host's."""
    key_name: str = ""
    key_data: str = ""
    user_data: str = ""
    """Base64, as it was given."""
    config_drive: str = ""
    reservation_id: str = ""
    launch_index: int = 0
    root_device_name: str = ""
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    auto_disk_config: bool = False
    locked: bool = False
    locked_by: str = ""
    progress: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    system_metadata: dict[str, str] = field(default_factory=dict)
    """Ours: ``image_<property>`` of the image it was made from, and so on."""
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    launched_at: datetime.datetime | None = None
    terminated_at: datetime.datetime | None = None
    deleted: bool = False

    @property
    def name(self) -> str:
        """The domain's name on its hypervisor, which is also the EC2 id in another spelling: ``instance-%08x``."""
        return f"instance-{self.id:08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An accepted request on an instance: what API users see as an instance action, and what recovery works from."""

    id: int
    instance_uuid: str
    action: str
    request_id: str
    user_id: str
    project_id: str
    state: OperationState
    host: str = ""
    """The compute host that it was handed to."""
    attempt: int = 1
    phase: str = ""
    """The leg that is in hand, of an operation that spans hosts."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """What the request said beyond the instance's own row; no credentials."""
    message: str = ""
    started_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent:
    """One step of an operation, as it went."""

    name: str
    host: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    result: str = ""
    """``Success`` or ``Error``; empty while it runs"""
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedFile:
    """A file that the user wants in the guest; ``contents`` is base64."""

    path: str
    contents: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A public key of a user, under a name."""

    name: str
    user_id: str
    public_key: str
    fingerprint: str
    type: str = "ssh"
    id: int = 0
    created_at: datetime.datetime | None = None
