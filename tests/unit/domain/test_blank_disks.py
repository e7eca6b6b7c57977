# SPDX-License-Identifier: Apache-2.0
"""Ephemeral disks and swap: from the flavor, or asked for one by one."""

from __future__ import annotations

from typing import Any

import pytest

from nova.domain.blank_disks import BlankDisk, blank_disks, check_blank_disks
from nova.domain.block_device import BlockDevice
from nova.domain.flavor import Flavor
from nova.errors import InvalidInput

RICH = Flavor(flavor_id="1", name="rich", memory_mb=1, vcpus=1, root_gb=1, ephemeral_gb=4, swap_mb=64)
PLAIN = Flavor(flavor_id="2", name="plain", memory_mb=1, vcpus=1, root_gb=1)


def blank(size: int | None, name: str = "", **values: Any) -> BlockDevice:
    return BlockDevice(
        source_type="blank",
        destination_type="local",
        volume_size_gb=size,
        device_name=name and f"/dev/{name}",
        **values,
    )


def test_a_flavor_brings_its_own() -> None:
    assert blank_disks(PLAIN, ()) == ()
    assert blank_disks(RICH, ()) == (
        BlankDisk(name="ephemeral", size_mb=4096, device_name="/dev/vdb"),
        BlankDisk(name="swap", size_mb=64, file_system="swap", device_name="/dev/vdc"),
    )


def test_several_ephemeral_disks_take_the_place_of_the_flavors_one() -> None:
    found = blank_disks(RICH, (blank(1, "vdb", guest_format="ext3"), blank(2, "vdd", disk_bus="scsi")))
    assert found == (
        BlankDisk(name="ephemeral", size_mb=1024, file_system="ext3", device_name="/dev/vdb"),
        BlankDisk(name="ephemeral1", size_mb=2048, device_name="/dev/vdd", bus="scsi"),
        BlankDisk(name="swap", size_mb=64, file_system="swap", device_name="/dev/vdc"),
    )
    assert [disk.label for disk in found] == ["ephemeral0", "ephemeral1", "swap"]


@pytest.mark.parametrize(
    ("devices", "why"),
    [
        ((blank(3), blank(2)), "larger than the flavor's 4 GB"),
        ((blank(None), blank(2)), "needs a volume_size"),
        ((blank(1, guest_format="ntfs"),), "ext2, ext3, ext4"),
        ((blank(65, guest_format="swap"),), "larger than the flavor's 64 MB"),
        ((blank(1, guest_format="swap"), blank(1, guest_format="swap")), "at most one swap"),
    ],
)
def test_more_than_the_flavor_has_is_refused(devices: tuple[BlockDevice, ...], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        check_blank_disks(RICH, devices)


def test_a_flavor_without_them_gives_none() -> None:
    for device in (blank(1), blank(None), blank(1, guest_format="swap"), blank(None, guest_format="swap")):
        with pytest.raises(InvalidInput):
            check_blank_disks(PLAIN, (device,))
