# SPDX-License-Identifier: Apache-2.0
"""What somebody wants when he asks for servers, in one form for every dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nova.domain.block_device import BlockDevice
from nova.domain.instance import InjectedFile
from nova.domain.network import RequestedNetwork
from nova.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class BootRequest:
    """Checked for its form only: names and ids may be of things that do not exist, or that the caller may not use."""

    name: str
    """Empty: each server is called after its own id"""
    flavor_id: str
    """The public id"""
    image_id: str = ""
    """Empty for a server that boots from a volume"""
    kernel_id: str = ""
    ramdisk_id: str = ""
    """Instead of those that the image names"""
    min_count: int = 1
    max_count: int = 1
    description: str | None = None
    """None: the name"""
    metadata: dict[str, str] = field(default_factory=dict)
    files: tuple[InjectedFile, ...] = ()
    networks: tuple[RequestedNetwork, ...] = ()
    """Empty: those that the project has"""
    security_groups: tuple[str, ...] = ()
    """Names; empty: ``default``"""
    key_name: str = ""
    user_data: str = ""
    """Base64"""
    config_drive: bool = False
    availability_zone: str = ""
    """``zone``, ``zone:host``, ``zone:host:node`` or ``zone::node``"""
    admin_password: Secret | None = None
    """None: a random one"""
    auto_disk_config: bool | None = None
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    block_devices: tuple[BlockDevice, ...] = ()
    """Without the image's own disk"""
    hints: dict[str, Any] = field(default_factory=dict)
