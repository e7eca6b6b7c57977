# SPDX-License-Identifier: Apache-2.0
"""Disks of an instance, made from the cache with qemu-img, and the record of their formats."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from nova import errors
from nova.context import RequestContext
from nova.domain.block_device import BlockDevice
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.states import VmState
from nova.system.commands import CommandRunner
from nova.virt.images.qemu_img import QemuImg
from nova.virt.libvirt.console import tail
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.guest import target_of
from nova.virt.libvirt.layout import Layout, LocalDisk
from nova.virt.libvirt.settings import LibvirtSettings
from tests.unit.virt.images import images
from tests.unit.virt.images.images import Store, described

CONTEXT = RequestContext(request_id="req-test")
FLAVOR = Flavor(flavor_id="1", name="m1.test", memory_mb=64, vcpus=1, root_gb=1)
INSTANCE = Instance(
    id=7,
    uuid="11111111-2222-3333-4444-555555555555",
    user_id="u",
    project_id="p",
    display_name="n",
    hostname="n",
    flavor=FLAVOR,
    vm_state=VmState.BUILDING,
)


def make(path: Path, **settings: object) -> LibvirtDriver:
    return LibvirtDriver(LibvirtSettings(host="here", instances_path=path, **settings), runner=CommandRunner())  # type: ignore[arg-type]


def build(driver: LibvirtDriver, data: bytes, instance: Instance = INSTANCE, disk_format: str = "raw") -> Image:
    image = described(data, disk_format=disk_format)
    driver.fetch_images(CONTEXT, (image,), Store(**{image.id: data}))
    driver.create_disks(instance, image=image, kernel=None, ramdisk=None)
    return image


def test_a_root_disk_is_an_overlay_as_large_as_the_flavor_says(tmp_path: Path) -> None:
    build(make(tmp_path), images.bootable())
    directory = tmp_path / INSTANCE.uuid
    info = QemuImg(CommandRunner()).info(directory / "root", "qcow2")
    assert info.virtual_size_bytes == 1024**3
    assert directory.stat().st_mode & 0o777 == 0o750
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o640}
    record = Layout(tmp_path).read_record(INSTANCE)
    assert record.disks == (
        LocalDisk(name="root", format="qcow2", target="vda", base=Path(info.backing_file or "").name),
    )


def test_without_copy_on_write_the_disk_is_a_full_raw_copy(tmp_path: Path) -> None:
    data = images.bootable()
    build(make(tmp_path, use_cow_images=False), data)
    disk = tmp_path / INSTANCE.uuid / "root"
    assert disk.stat().st_size == 1024**3
    with disk.open("rb") as stream:
        assert stream.read(len(data)) == data
    assert Layout(tmp_path).read_record(INSTANCE).disks[0].format == "raw"


def test_a_flavor_without_root_size_takes_the_images(tmp_path: Path) -> None:
    instance = dataclasses.replace(INSTANCE, flavor=dataclasses.replace(FLAVOR, root_gb=0))
    build(make(tmp_path), images.bootable(), instance)
    assert QemuImg(CommandRunner()).info(tmp_path / INSTANCE.uuid / "root", "qcow2").virtual_size_bytes == images.MIB


def test_ephemeral_and_swap_disks_follow_the_root_disk(tmp_path: Path) -> None:
    instance = dataclasses.replace(INSTANCE, flavor=dataclasses.replace(FLAVOR, ephemeral_gb=1, swap_mb=8))
    build(make(tmp_path), images.bootable(), instance)
    found = [(disk.name, disk.target, disk.base) for disk in Layout(tmp_path).read_record(INSTANCE).disks]
    assert [entry[:2] for entry in found] == [("root", "vda"), ("ephemeral", "vdb"), ("swap", "vdc")]
    assert [entry[2] for entry in found[1:]] == ["ephemeral_1_ext4_0", "swap_8"]


def test_a_cd_image_gets_an_empty_root_disk_beside_it(tmp_path: Path) -> None:
    data = (b"\0" * 32768 + b"\x01CD001").ljust(64 * 1024, b"\0")
    build(make(tmp_path), data, disk_format="iso")
    disks = Layout(tmp_path).read_record(INSTANCE).disks
    assert [(disk.name, disk.target, disk.cdrom) for disk in disks] == [("cdrom", "sda", True), ("root", "vda", False)]


def test_a_server_that_boots_from_a_volume_has_no_local_root(tmp_path: Path) -> None:
    instance = dataclasses.replace(INSTANCE, flavor=dataclasses.replace(FLAVOR, swap_mb=8))
    make(tmp_path).create_disks(instance, image=None, kernel=None, ramdisk=None)
    assert [disk.target for disk in Layout(tmp_path).read_record(INSTANCE).disks] == ["vdb"]


def test_making_disks_again_keeps_what_the_guest_wrote(tmp_path: Path) -> None:
    driver = make(tmp_path)
    image = build(driver, images.bootable())
    disk = tmp_path / INSTANCE.uuid / "root"
    inode = disk.stat().st_ino
    driver.create_disks(INSTANCE, image=image, kernel=None, ramdisk=None)
    assert disk.stat().st_ino == inode


def test_a_rescue_disk_is_recorded_beside_the_own_ones_and_goes_without_them(tmp_path: Path) -> None:
    driver = make(tmp_path)
    build(driver, images.bootable())
    before = Layout(tmp_path).read_record(INSTANCE)
    other = images.bootable(2 * images.MIB)
    rescue = described(other, image_id="rescue-image")
    driver.fetch_images(CONTEXT, (rescue,), Store(**{rescue.id: other}))
    driver.create_rescue_disk(INSTANCE, image=rescue, kernel=None, ramdisk=None)
    record = Layout(tmp_path).read_record(INSTANCE)
    assert record.disks == before.disks
    assert record.rescue is not None
    assert [(disk.name, disk.target) for disk in record.rescue.disks] == [("rescue", "vda")]
    assert driver.age_out_images(min_age_s=0) == ()

    driver.delete_rescue_disk(INSTANCE)
    assert Layout(tmp_path).read_record(INSTANCE) == before
    assert not (tmp_path / INSTANCE.uuid / "rescue").exists()
    assert len(driver.age_out_images(min_age_s=0)) == 1


def test_a_second_rescue_begins_with_a_fresh_disk(tmp_path: Path) -> None:
    driver = make(tmp_path, use_cow_images=False)
    image = build(driver, images.bootable())
    path = tmp_path / INSTANCE.uuid / "rescue"
    driver.create_rescue_disk(INSTANCE, image=image, kernel=None, ramdisk=None)
    with path.open("r+b") as stream:
        stream.write(b"what the first rescue wrote")
    driver.create_rescue_disk(INSTANCE, image=image, kernel=None, ramdisk=None)
    with path.open("rb") as stream:
        assert stream.read(10) == images.bootable()[:10]


def test_a_damaged_record_is_an_error_and_stops_ageing(tmp_path: Path) -> None:
    driver = make(tmp_path)
    build(driver, images.bootable())
    (tmp_path / INSTANCE.uuid / "disks.json").write_text("{")
    with pytest.raises(errors.HypervisorError, match="record"):
        driver.age_out_images(min_age_s=0)


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("/dev/vdc", set(), "vdc"),
        ("/dev/sdb", set(), "vdb"),
        ("xvdh", set(), "vdh"),
        ("", {"vda", "vdb"}, "vdc"),
    ],
)
def test_volumes_get_the_name_that_was_asked_for_or_a_free_one(name: str, taken: set[str], found: str) -> None:
    device = BlockDevice(source_type="volume", destination_type="volume", device_name=name)
    assert target_of(device, taken) == found


def test_a_device_name_that_is_none_is_refused() -> None:
    device = BlockDevice(source_type="volume", destination_type="volume", device_name="/dev/../etc")
    with pytest.raises(errors.InvalidInput):
        target_of(device, set())


def test_a_console_is_read_over_the_pieces_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    with pytest.raises(errors.NotFound):
        tail(log, max_bytes=10, runner=CommandRunner())
    log.write_bytes(b"newest\xff")
    (tmp_path / "console.log.0").write_bytes(b"older ")
    (tmp_path / "console.log.1").write_bytes(b"oldest ")
    assert tail(log, max_bytes=100, runner=CommandRunner()) == b"oldest older newest\xff"
    assert tail(log, max_bytes=9, runner=CommandRunner()) == b"r newest\xff"
    assert tail(log, max_bytes=0, runner=CommandRunner()) == b""
