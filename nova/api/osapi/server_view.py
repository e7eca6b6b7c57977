# SPDX-License-Identifier: Apache-2.0
"""How a server is shown.  What stands beside its row is read for all servers of a list at once."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nova.api.microversion import v
from nova.api.osapi.server_surroundings import Surroundings, surroundings
from nova.api.osapi.times import plain, zulu
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.domain.instance import Fault, Instance
from nova.domain.network import Nic
from nova.domain.transitions import status_of

WITH_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
WITH_FAULT = frozenset({"ERROR", "DELETED"})
PLAIN_500 = 500


def brief(request: ApiRequest, instance: Instance) -> dict[str, Any]:
    """id, name and links."""
    return {
        "id": instance.uuid,
        "name": instance.display_name,
        "links": request.links.both("servers", instance.uuid),
    }


def full(request: ApiRequest, instances: Sequence[Instance], *, details: bool = True) -> list[dict[str, Any]]:
    """All that the caller may know of *instances*; *details* False leaves out what PUT and rebuild never showed."""
    painter = _Painter.of(request, surroundings(request, instances), details=details)
    return [painter.paint(instance) for instance in instances]


@functools.lru_cache(maxsize=4096)
def host_id(project_id: str, host: str) -> str:
    """The host as other people may see it: the same for servers of one project on one host, and nothing else."""
    return hashlib.sha224((project_id + host).encode()).hexdigest() if host else ""


def addresses_of(nics: Sequence[Nic], *, details: bool) -> dict[str, list[dict[str, Any]]]:
    """``{label: [address …]}``: each fixed address, then the floating ones that lead to it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for nic in nics:
        listed = found.setdefault(nic.label, [])
        for fixed in nic.addresses:
            listed.append(_address(fixed.address, fixed.version, "fixed", nic, details=details))
            listed.extend(_address(each, 4, "floating", nic, details=details) for each in fixed.floating)
    return found


def _address(text: str, version: int, kind: str, nic: Nic, *, details: bool) -> dict[str, Any]:
    if not details:
        return {"version": version, "addr": text}
    return {"version": version, "addr": text, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": nic.mac_address}


def fault_view(fault: Fault, *, is_admin: bool) -> dict[str, Any]:
    """A fault; its details are for administrators, or where the code says that it was the user's own."""
    shown: dict[str, Any] = {"code": fault.code, "created": zulu(fault.created_at), "message": fault.message}
    if fault.details and (is_admin or fault.code != PLAIN_500):
        shown["details"] = fault.details
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Painter:
    """What is the same for all servers of one answer."""

    request: ApiRequest
    beside: Surroundings
    details: bool
    sees_host: bool
    sees_host_status: bool
    hidden_states: frozenset[str]
    bookmarks: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: ApiRequest, beside: Surroundings, *, details: bool) -> _Painter:
        def allows(rule: str) -> bool:
            return request.cloud.policy.allows(request.context, PREFIX + rule)

        shows_hidden = allows("os-hide-server-addresses")
        return cls(
            request=request,
            beside=beside,
            details=details,
            sees_host=allows("os-extended-server-attributes"),
            sees_host_status=request.version >= v(16) and allows("servers:show:host_status"),
            hidden_states=frozenset(() if shows_hidden else request.cloud.settings.hide_address_states),
        )

    def paint(self, instance: Instance) -> dict[str, Any]:
        """One server."""
        status = status_of(instance.vm_state, instance.task_state)
        shown = self._core(instance, status)
        shown.update(self._extensions(instance))
        if status in WITH_PROGRESS:
            shown["progress"] = instance.progress
        if status in WITH_FAULT and (fault := self.beside.faults.get(instance.uuid)):
            shown["fault"] = fault_view(fault, is_admin=self.request.context.is_admin)
        if groups := self.beside.groups.get(instance.uuid):
            shown["security_groups"] = [{"name": name} for name in groups]
        if self.sees_host:
            shown.update(self._host_attributes(instance))
        shown.update(self._later(instance))
        return shown

    def _core(self, instance: Instance, status: str) -> dict[str, Any]:
        links = self.request.links
        hidden = instance.vm_state in self.hidden_states
        nics = () if hidden else self.beside.nics.get(instance.uuid, ())
        flavor = instance.flavor.flavor_id
        return {
            "id": instance.uuid,
            "name": instance.display_name,
            "status": status,
            "tenant_id": instance.project_id,
            "user_id": instance.user_id,
            "metadata": instance.metadata,
            "hostId": host_id(instance.project_id, instance.host),
            "image": self._bookmarked("images", instance.image_ref) if instance.image_ref else "",
            "flavor": self._bookmarked("flavors", flavor),
            "created": zulu(instance.created_at),
            "updated": zulu(instance.updated_at),
            "addresses": addresses_of(nics, details=self.details),
            "accessIPv4": instance.access_ip_v4,
            "accessIPv6": instance.access_ip_v6,
            "links": links.both("servers", instance.uuid),
        }

    def _bookmarked(self, kind: str, key: str) -> dict[str, Any]:
        return {"id": key, "links": [{"rel": "bookmark", "href": self.request.links.bookmark(kind, key)}]}

    def _extensions(self, instance: Instance) -> dict[str, Any]:
        return {
            "key_name": instance.key_name or None,
            "config_drive": instance.config_drive,
            "OS-DCF:diskConfig": "AUTO" if instance.auto_disk_config else "MANUAL",
            "OS-EXT-STS:vm_state": instance.vm_state.value,
            "OS-EXT-STS:task_state": instance.task_state.value if instance.task_state else None,
            "OS-EXT-STS:power_state": int(instance.power_state),
            "OS-EXT-AZ:availability_zone": self.beside.zone_of(instance),
            "OS-SRV-USG:launched_at": plain(instance.launched_at),
            "OS-SRV-USG:terminated_at": plain(instance.terminated_at),
            "os-extended-volumes:volumes_attached": self._volumes(instance.uuid),
        }

    def _volumes(self, uuid: str) -> list[dict[str, Any]]:
        devices = self.beside.volumes.get(uuid, ())
        if self.request.version < v(3):
            return [{"id": device.volume_id} for device in devices]
        return [{"id": each.volume_id, "delete_on_termination": each.delete_on_termination} for each in devices]

    def _host_attributes(self, instance: Instance) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "OS-EXT-SRV-ATTR:host": instance.host or None,
            "OS-EXT-SRV-ATTR:hypervisor_hostname": instance.node or None,
            "OS-EXT-SRV-ATTR:instance_name": instance.name,
        }
        if self.request.version >= v(3):
            more = {
                "reservation_id": instance.reservation_id,
                "launch_index": instance.launch_index,
                "hostname": instance.hostname,
                "kernel_id": instance.kernel_id,
                "ramdisk_id": instance.ramdisk_id,
                "root_device_name": instance.root_device_name or None,
                "user_data": instance.user_data or None,
            }
            shown.update({f"OS-EXT-SRV-ATTR:{key}": value for key, value in more.items()})
        return shown

    def _later(self, instance: Instance) -> dict[str, Any]:
        """Keys of microversions that add one."""
        version = self.request.version
        shown: dict[str, Any] = {}
        if version >= v(9):
            shown["locked"] = instance.locked
        if self.sees_host_status:
            shown["host_status"] = self.beside.host_status(instance.host)
        if version >= v(19):
            shown["description"] = instance.display_description or None
        if version >= v(26):
            shown["tags"] = []
        return shown
