# SPDX-License-Identifier: Apache-2.0
"""What this host has and can run, as libvirtd and the file system say.  Runs in nova-compute."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from nova.domain.host import HostResources
from nova.system import xml
from nova.system.files import ensure_directory
from nova.virt.libvirt.connection import Connection
from nova.virt.libvirt.settings import LibvirtSettings

GIB = 1024**3


class Host:
    """The host's side of the driver."""

    def __init__(self, settings: LibvirtSettings, *, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection

    def resources(self) -> HostResources:
        """Totals of the host, and the free space for instances."""
        settings = self._settings
        disk_gb, disk_available_gb = _disk_space(ensure_directory(settings.instances_path))

        def look(handle: Any) -> HostResources:
            _model, memory_mb, vcpus, *_rest = handle.getInfo()
            capabilities = xml.parse(handle.getCapabilities(), what="host's capabilities")
            return HostResources(
                host=settings.host,
                node=handle.getHostname(),
                vcpus=vcpus,
                memory_mb=memory_mb,
                disk_gb=disk_gb,
                disk_available_gb=disk_available_gb,
                hypervisor_type=handle.getType(),
                hypervisor_version=handle.getVersion(),
                cpu_info=json.dumps(cpu_info(capabilities)),
                host_ip=settings.host_ip,
                running_vms=handle.numOfDomains(),
                supported=supported(capabilities),
            )

        return self._connection.call("describe the host", look)

    def check(self) -> None:
        """Raise Unavailable when libvirtd does not answer."""
        self._connection.call("answer", lambda handle: handle.getLibVersion())


def cpu_info(capabilities: Any) -> dict[str, Any]:
    """The host's processor in the words of the API's ``cpu_info``."""
    cpu = capabilities.find("host/cpu")
    if cpu is None:
        return {}
    topology = cpu.find("topology")
    return {
        "arch": cpu.findtext("arch"),
        "model": cpu.findtext("model"),
        "vendor": cpu.findtext("vendor"),
        "topology": {}
        if topology is None
        else {key: int(topology.get(key, 0)) for key in ("sockets", "cores", "threads")},
        "features": sorted(feature.get("name") for feature in cpu.iterfind("feature")),
    }


def supported(capabilities: Any) -> tuple[tuple[str, str, str], ...]:
    """(architecture, hypervisor type, vm mode) of each kind of guest."""
    return tuple(
        (guest.find("arch").get("name"), domain.get("type"), guest.findtext("os_type"))
        for guest in capabilities.iterfind("guest")
        for domain in guest.iterfind("arch/domain")
    )


def _disk_space(path: Path) -> tuple[int, int]:
    found = os.statvfs(path)
    return found.f_blocks * found.f_frsize // GIB, found.f_bavail * found.f_frsize // GIB
