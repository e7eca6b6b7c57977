# SPDX-License-Identifier: Apache-2.0
"""The local disks of a server beside its root: ephemeral disks and swap, from its flavor or asked for one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nova.domain.block_device import BlockDevice
from nova.domain.flavor import Flavor
from nova.errors import InvalidInput

SWAP = "swap"
FILE_SYSTEMS = ("ext2", "ext3", "ext4")
FIELD = "block_device_mapping_v2"
_LETTERS = "bcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlankDisk:
    """One of them."""

    name: str
    """``ephemeral``, ``ephemeral1`` and so on, or ``swap``"""
    size_mb: int
    file_system: str = ""
    """Empty for the host's usual one; swap for swap"""
    device_name: str
    """As its user was told: ``/dev/vdb``"""
    bus: str = ""

    @property
    def label(self) -> str:
        """What the guest finds it by: ``ephemeral0``."""
        return "ephemeral0" if self.name == "ephemeral" else self.name


def blank_disks(flavor: Flavor, devices: Iterable[BlockDevice]) -> tuple[BlankDisk, ...]:
    """Ephemeral disks, then swap: those among *devices*, or where there are none of a kind, what the flavor has."""
    asked = list(filter(is_blank_disk, devices))
    ephemerals = [device for device in asked if device.guest_format != SWAP]
    swaps = [device for device in asked if device.guest_format == SWAP]
    found = [_ephemeral(index, device) for index, device in enumerate(ephemerals)]
    found += [_swap(device.volume_size_gb or flavor.swap_mb, device.device_name, device.disk_bus) for device in swaps]
    return tuple(sorted([*found, *usual_disks(flavor, asked)], key=lambda disk: disk.name == SWAP))


def usual_disks(flavor: Flavor, devices: Iterable[BlockDevice]) -> tuple[BlankDisk, ...]:
    """Those of :func:`blank_disks` that nobody asked for by themselves, on the first names that are free."""
    asked = list(filter(is_blank_disk, devices))
    has = {device.guest_format == SWAP for device in asked}
    taken = {device.device_name[-1:] for device in asked}
    free = iter([letter for letter in _LETTERS if letter not in taken])
    found = []
    if flavor.ephemeral_gb and False not in has:
        size_mb = flavor.ephemeral_gb * 1024
        found.append(BlankDisk(name="ephemeral", size_mb=size_mb, device_name=f"/dev/vd{next(free)}"))
    if flavor.swap_mb and True not in has:
        found.append(_swap(flavor.swap_mb, f"/dev/vd{next(free)}", ""))
    return tuple(found)


def is_blank_disk(device: BlockDevice) -> bool:
    """Whether it is an empty local disk."""
    return device.source_type == "blank" and device.destination_type == "local" and not device.no_device


def check_blank_disks(flavor: Flavor, devices: Sequence[BlockDevice]) -> None:
    """Refuse what the flavor does not give: together at most its ephemeral GB, and one swap of at most its MB."""
    asked = [device for device in devices if is_blank_disk(device)]
    swaps = [device for device in asked if device.guest_format == SWAP]
    ephemerals = [device for device in asked if device.guest_format != SWAP]
    if len(swaps) > 1:
        raise InvalidInput("A server has at most one swap disk.", field=FIELD)
    if any((device.volume_size_gb or 0) > flavor.swap_mb for device in swaps) or (swaps and not flavor.swap_mb):
        raise InvalidInput(f"The swap disk is larger than the flavor's {flavor.swap_mb} MB.", field=FIELD)
    if any(not device.volume_size_gb for device in ephemerals) and len(ephemerals) > 1:
        raise InvalidInput("Each of several ephemeral disks needs a volume_size.", field=FIELD)
    total_gb = sum(device.volume_size_gb or flavor.ephemeral_gb for device in ephemerals)
    if total_gb > flavor.ephemeral_gb:
        raise InvalidInput(f"The ephemeral disks are larger than the flavor's {flavor.ephemeral_gb} GB.", field=FIELD)
    if ephemerals and not total_gb:
        raise InvalidInput("The flavor has no ephemeral disk.", field=FIELD)
    for device in ephemerals:
        if device.guest_format and device.guest_format not in FILE_SYSTEMS:
            raise InvalidInput(
                f"An ephemeral disk is formatted as one of {', '.join(FILE_SYSTEMS)}, not as "
                f"{device.guest_format[:32]!r}.",
                field=FIELD,
            )


def _ephemeral(index: int, device: BlockDevice) -> BlankDisk:
    return BlankDisk(
        name=f"ephemeral{index or ''}",
        size_mb=(device.volume_size_gb or 0) * 1024,
        file_system=device.guest_format,
        device_name=device.device_name,
        bus=device.disk_bus,
    )


def _swap(size_mb: int, device_name: str, bus: str) -> BlankDisk:
    return BlankDisk(name=SWAP, size_mb=size_mb, file_system=SWAP, device_name=device_name, bus=bus)
