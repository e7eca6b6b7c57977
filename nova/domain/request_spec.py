# SPDX-License-Identifier: Apache-2.0
"""What is asked of the scheduler, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nova.domain.flavor import Flavor


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec:
    """Find a host for each of *instance_uuids*, which are alike."""

    instance_uuids: tuple[str, ...]
    project_id: str
    flavor: Flavor
    image_id: str = ""
    image_properties: dict[str, str] = field(default_factory=dict)
    """``architecture``, ``hypervisor_type``, ``vm_mode``, ``min_ram``, ``min_disk`` and the like"""
    availability_zone: str = ""
    force_host: str = ""
    force_node: str = ""
    ignore_hosts: tuple[str, ...] = ()
    """Hosts on which this build has failed before"""
    exclude_hosts: tuple[str, ...] = ()
    """Hosts that are not wanted for another reason: where the instance is already"""
    moving: bool = False
    """Whether the room is for the other side of a move, held beside what the instance has"""
    hints: dict[str, Any] = field(default_factory=dict)
    """Scheduler hints, as the user gave them (schema-checked)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostClaim:
    """Room that is now held for an instance on a host."""

    instance_uuid: str
    host: str
    node: str
