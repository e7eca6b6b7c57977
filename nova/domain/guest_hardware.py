# SPDX-License-Identifier: Apache-2.0
"""The devices of a guest, as its image's properties and its flavor's extra specs choose them.

The image says what its drivers can do (``hw_disk_bus`` and its like), the flavor what the customer gets
(``hw:cpu_sockets``, ``quota:disk_read_bytes_sec``).  Where both speak, the flavor wins.  Both are checked before a
server is recorded, so that a wrong word is the request's fault and not a failed boot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nova.domain.cpu_topology import CpuTopology, topology_of
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.errors import InvalidInput

IMAGE_PREFIX = "image_"
"""Before an image's properties in the system metadata of its servers."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_TRUE = frozenset({"true", "yes", "1", "on", "t", "y"})
_FALSE = frozenset({"false", "no", "0", "off", "f", "n", ""})

CHOICES: Mapping[str, tuple[str, ...]] = {
    "hw_disk_bus": ("virtio", "scsi", "ide", "sata", "usb"),
    "hw_cdrom_bus": ("ide", "sata", "scsi", "usb"),
    "hw_vif_model": ("virtio", "e1000", "e1000e", "ne2k_pci", "pcnet", "rtl8139"),
    "hw_video_model": ("vga", "cirrus", "vmvga", "qxl", "virtio", "bochs", "none"),
    "hw_scsi_model": ("virtio-scsi", "lsilogic", "buslogic"),
    "hw_rng_model": ("virtio",),
    "hw_watchdog_action": ("disabled", "reset", "poweroff", "pause", "none"),
    "hw_pointer_model": ("usbtablet", "ps2mouse"),
    "hw_firmware_type": ("bios", "uefi"),
}
"""Image properties with the words that each takes; the first is nobody's default, only the most usual."""
FLAGS = ("hw_qemu_guest_agent", "hw_vif_multiqueue_enabled", "hw_boot_menu", "hw_time_hpet")

DISK_LIMITS = tuple(f"{direction}_{what}_sec" for what in ("bytes", "iops") for direction in ("total", "read", "write"))
CPU_LIMITS = ("shares", "period", "quota")
VIF_LIMITS = tuple(f"{way}_{what}" for way in ("inbound", "outbound") for what in ("average", "peak", "burst"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestHardware:
    """What a guest has; an empty text leaves the choice to the host."""

    disk_bus: str = "virtio"
    cdrom_bus: str = "ide"
    scsi_model: str = "virtio-scsi"
    nic_model: str = ""
    nic_queues: int = 1
    machine: str = ""
    firmware: str = "bios"
    video_model: str = "vga"
    video_ram_mb: int = 0
    pointer: str = ""
    has_rng: bool = True
    rng_bytes: int = 0
    """How many in each period; 0 is no limit"""
    rng_period_ms: int = 1000
    watchdog: str = "disabled"
    has_guest_agent: bool = False
    has_boot_menu: bool = False
    has_hpet: bool = False
    command_line: str = ""
    """For a kernel of its own; empty for the usual one"""
    topology: CpuTopology | None = None
    cpu_limits: Mapping[str, int] = field(default_factory=dict)
    """``shares``, ``period`` and ``quota`` (microseconds)"""
    disk_limits: Mapping[str, int] = field(default_factory=dict)
    """``read_bytes_sec`` and its like, for each disk"""
    nic_limits: Mapping[str, int] = field(default_factory=dict)
    """``inbound_average`` and its like: kilobytes a second, bursts in kilobytes"""


def hardware_of(instance: Instance) -> GuestHardware:
    """The devices of an instance; InvalidInput when what is recorded of it makes no sense."""
    return choose(instance.flavor, image_properties(instance))


def image_properties(instance: Instance) -> dict[str, str]:
    """The properties of the image that an instance was made from."""
    found = instance.system_metadata.items()
    return {key.removeprefix(IMAGE_PREFIX): value for key, value in found if key.startswith(IMAGE_PREFIX)}


def choose(flavor: Flavor, properties: Mapping[str, str]) -> GuestHardware:
    """The devices that a flavor and an image's properties make together.

    :raises InvalidInput: a word or number that means nothing, named
    """
    words = {name: _word(properties, name) for name in CHOICES}
    flags = {name: _flag(properties.get(name, ""), name, field="imageRef") for name in FLAGS}
    specs = flavor.extra_specs
    return GuestHardware(
        disk_bus=words["hw_disk_bus"] or "virtio",
        cdrom_bus=words["hw_cdrom_bus"] or ("sata" if "q35" in _machine(properties) else "ide"),
        scsi_model=words["hw_scsi_model"] or "virtio-scsi",
        nic_model=words["hw_vif_model"],
        nic_queues=flavor.vcpus if flags["hw_vif_multiqueue_enabled"] else 1,
        machine=_machine(properties),
        firmware=words["hw_firmware_type"] or "bios",
        video_model=words["hw_video_model"] or "vga",
        video_ram_mb=_video_ram(specs, properties),
        pointer=words["hw_pointer_model"],
        has_rng=_flag(specs.get("hw_rng:allowed", "true"), "hw_rng:allowed", field="flavorRef"),
        rng_bytes=_number(specs, "hw_rng:rate_bytes"),
        rng_period_ms=_number(specs, "hw_rng:rate_period") or 1000,
        watchdog=_watchdog(specs, words["hw_watchdog_action"]),
        has_guest_agent=flags["hw_qemu_guest_agent"],
        has_boot_menu=_flag(specs.get("hw:boot_menu", ""), "hw:boot_menu", field="flavorRef") or flags["hw_boot_menu"],
        has_hpet=flags["hw_time_hpet"],
        command_line=_command_line(properties),
        topology=topology_of(flavor, properties),
        cpu_limits=_limits(specs, "quota:cpu_", CPU_LIMITS),
        disk_limits=_disk_limits(specs),
        nic_limits=_limits(specs, "quota:vif_", VIF_LIMITS),
    )


def _word(properties: Mapping[str, str], name: str) -> str:
    word = properties.get(name, "").lower()
    if word and word not in CHOICES[name]:
        raise InvalidInput(
            f"The image's property {name} is {word[:32]!r}; it must be one of {', '.join(CHOICES[name])}.",
            field="imageRef",
        )
    return word


def _flag(text: str, name: str, *, field: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InvalidInput(f"{name} is {text[:32]!r}; it must be true or false.", field=field)


def _machine(properties: Mapping[str, str]) -> str:
    name = properties.get("hw_machine_type", "")
    if name and not _NAME.fullmatch(name):
        raise InvalidInput("The image's property hw_machine_type is no name of a machine.", field="imageRef")
    return name


def _command_line(properties: Mapping[str, str]) -> str:
    text = properties.get("os_command_line", "")
    if len(text) > 1024 or not text.isprintable():
        raise InvalidInput("The image's property os_command_line is not printable, or too long.", field="imageRef")
    return text


def _watchdog(specs: Mapping[str, str], chosen: str) -> str:
    word = specs.get("hw:watchdog_action", "") or chosen or "disabled"
    if word not in CHOICES["hw_watchdog_action"]:
        raise InvalidInput(f"The flavor's hw:watchdog_action is {word[:32]!r}.", field="flavorRef")
    return word


def _video_ram(specs: Mapping[str, str], properties: Mapping[str, str]) -> int:
    """What the image wants, as far as the flavor allows it."""
    most, wanted = _number(specs, "hw_video:ram_max_mb"), _number(properties, "hw_video_ram", field="imageRef")
    if wanted > most:
        raise InvalidInput(f"The image wants {wanted} MB of video memory; the flavor allows {most}.", field="imageRef")
    return wanted


def _number(specs: Mapping[str, str], key: str, *, field: str = "flavorRef") -> int:
    text = specs.get(key, "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidInput(f"{key} is {text[:32]!r}; it must be a number that is not negative.", field=field)
    return int(text)


def _limits(specs: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> dict[str, int]:
    return {name: number for name in names if (number := _number(specs, prefix + name))}


def _disk_limits(specs: Mapping[str, str]) -> dict[str, int]:
    found = _limits(specs, "quota:disk_", DISK_LIMITS)
    for what in ("bytes", "iops"):
        if f"total_{what}_sec" in found and {f"read_{what}_sec", f"write_{what}_sec"} & found.keys():
            raise InvalidInput(
                f"quota:disk_total_{what}_sec and one for reads or writes exclude one another.", field="flavorRef"
            )
    return found
