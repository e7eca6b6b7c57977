# SPDX-License-Identifier: Apache-2.0
"""Rescue with a libvirtd and a guest of its own: the rescue guest boots first and sees the server's disk behind it."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from nova.context import RequestContext
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.states import PowerState, VmState
from nova.system.commands import CommandRunner
from nova.virt.driver import Guest
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.unit.virt.contract import wait_for
from tests.unit.virt.images.images import Store, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

CONTEXT = RequestContext(request_id="req-rescue")
FLAVOR = Flavor(flavor_id="1", name="m1.test", memory_mb=128, vcpus=1, root_gb=1, ephemeral_gb=1)
INSTANCE = Instance(
    id=0x7E5C,
    uuid="7e5c0e00-0000-4000-8000-000000000001",
    user_id="u",
    project_id="p",
    display_name="patient",
    hostname="patient",
    flavor=FLAVOR,
    vm_state=VmState.ACTIVE,
)
LOOK = b"""#!/bin/sh
mount -t ext4 -o ro /dev/vdb1 /mnt && [ -f /mnt/ssh/host_key ] && echo second disk: key of the server
"""
"""What the rescue guest does when it is up; the server wrote its host key at its first boot"""


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("libvirt")
    try:
        yield private_libvirt.start(None, home)
    finally:
        private_libvirt.stop(home)


@pytest.fixture
def instances_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("instances")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def driver(uri: str, instances_path: Path) -> Iterator[LibvirtDriver]:
    settings = LibvirtSettings(host="here", instances_path=instances_path, uri=uri, virt_type="qemu")
    made = LibvirtDriver(settings, runner=CommandRunner())
    yield made
    made.destroy(INSTANCE)
    made.delete_disks(INSTANCE)
    made.close()


@pytest.fixture
def handle(uri: str) -> Iterator[libvirt.virConnect]:
    found = libvirt.open(uri)
    yield found
    found.close()


def build(driver: LibvirtDriver) -> tuple[Guest, Image, Image, Image]:
    """A guest that boots from its own whole disk; and root, kernel and ramdisk to rescue it with."""
    built = guest_image.build()
    contents = {
        "own": built.disk.read_bytes(),
        "root": bytes(2 * 1024**2),
        "kernel": built.kernel.read_bytes(),
        "ramdisk": _padded(built.initramfs.read_bytes()) + guest_image.archive({"tmp/user_data": _script(LOOK)}),
    }
    formats = {"own": "qcow2", "root": "ami", "kernel": "aki", "ramdisk": "ari"}
    images = {name: described(data, disk_format=formats[name], image_id=name) for name, data in contents.items()}
    driver.fetch_images(CONTEXT, tuple(images.values()), Store(**contents), limit_gb=1)
    driver.create_disks(INSTANCE, image=images["own"], kernel=None, ramdisk=None)
    return Guest(instance=INSTANCE, image=images["own"]), images["root"], images["kernel"], images["ramdisk"]


def wait_until_booted(driver: LibvirtDriver, times: int) -> None:
    def said() -> bool:
        return driver.console_output(INSTANCE.name, max_bytes=10**6).count(b"ready after") >= times

    wait_for(said, 120, f"boot number {times}")


def disks(handle: libvirt.virConnect) -> list[tuple[str, str]]:
    """The running guest's disks in its own order: name in the guest, and file."""
    root = etree.fromstring(handle.lookupByUUIDString(INSTANCE.uuid).XMLDesc(0))
    return [
        (disk.find("target").get("dev"), Path(disk.find("source").get("file")).name)
        for disk in root.iterfind("devices/disk")
    ]


def test_the_rescue_guest_mounts_the_servers_disk_and_the_server_comes_back(
    driver: LibvirtDriver, handle: libvirt.virConnect, instances_path: Path
) -> None:
    guest, root, kernel, ramdisk = build(driver)
    driver.start(guest)
    wait_until_booted(driver, 1)
    driver.shut_down(INSTANCE, timeout_s=60)

    driver.create_rescue_disk(INSTANCE, image=root, kernel=kernel, ramdisk=ramdisk)
    driver.start(replace(guest, rescued=True))
    wait_until_booted(driver, 2)
    assert disks(handle) == [("vda", "rescue"), ("vdb", "root")]
    console = driver.console_output(INSTANCE.name, max_bytes=10**6)
    assert b"user data: second disk: key of the server" in console
    driver.age_out_images(min_age_s=0)
    assert len([path for path in (instances_path / "_base").iterdir() if path.is_file()]) >= 3

    driver.shut_down(INSTANCE, timeout_s=60)
    driver.destroy(INSTANCE)
    driver.start(guest)
    driver.delete_rescue_disk(INSTANCE)
    wait_until_booted(driver, 3)
    assert disks(handle) == [("vda", "root"), ("vdb", "ephemeral")]
    assert sorted(path.name for path in (instances_path / INSTANCE.uuid).iterdir() if "console" not in path.name) == [
        "disks.json",
        "ephemeral",
        "root",
    ]


def test_nothing_is_left_of_a_rescued_server_that_is_deleted(driver: LibvirtDriver, instances_path: Path) -> None:
    guest, root, kernel, ramdisk = build(driver)
    driver.create_rescue_disk(INSTANCE, image=root, kernel=kernel, ramdisk=ramdisk)
    driver.start(replace(guest, rescued=True))
    assert driver.power_state(INSTANCE) is PowerState.RUNNING
    driver.destroy(INSTANCE)
    driver.delete_disks(INSTANCE)
    assert driver.power_state(INSTANCE) is PowerState.NOSTATE
    assert not (instances_path / INSTANCE.uuid).exists()
    assert len(driver.age_out_images(min_age_s=0)) == 5  # the four images and the empty ephemeral disk


def _script(text: bytes) -> guest_image.Entry:
    return guest_image.Entry(stat.S_IFREG | 0o755, text)


def _padded(archive: bytes) -> bytes:
    """One initramfs may follow another, from a multiple of four on."""
    return archive + bytes(-len(archive) % 4)
