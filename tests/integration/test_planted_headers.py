# SPDX-License-Identifier: Apache-2.0
"""A guest has written a qcow2 header to its raw disk that names a file of the host: nothing that works on the disk
follows it, not the rescue guest's QEMU, not a copy of the running or the stopped guest, not a larger size."""

from __future__ import annotations

import hashlib
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova.context import RequestContext
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.states import PowerState, VmState
from nova.system.commands import CommandRunner
from nova.virt.driver import Guest
from nova.virt.images.qemu_img import QemuImg
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.unit.virt.contract import wait_for
from tests.unit.virt.images.images import Store, bootable, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

CONTEXT = RequestContext(request_id="req-planted")
CANARY = b"9d1f4c7a3b5e8062d4f6a1c0b2e38579"
FLAVOR = Flavor(flavor_id="1", name="m1.test", memory_mb=128, vcpus=1, root_gb=1)
INSTANCE = Instance(
    id=0xBAD,
    uuid="bad00000-0000-4000-8000-000000000001",
    user_id="u",
    project_id="p",
    display_name="planter",
    hostname="planter",
    flavor=FLAVOR,
    vm_state=VmState.ACTIVE,
)
MIB = 1024**2
LOOK = b"""#!/bin/sh
echo "begins with $(head -c 3 /dev/vdb) and has $(head -c 1048576 /dev/vdb | md5sum | cut -c1-32)"
echo "canary found $(head -c 4194304 /dev/vdb | grep -c 9d1f4c7a3b5e8062) times"
"""
"""What the rescue guest says of the server's disk"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LibvirtDriver]:
    home, instances = tmp_path_factory.mktemp("libvirt"), tmp_path_factory.mktemp("instances")
    settings = LibvirtSettings(
        host="here",
        instances_path=instances,
        uri=private_libvirt.start(None, home),
        virt_type="qemu",
        use_cow_images=False,
        snapshot_format="raw",
    )
    made = LibvirtDriver(settings, runner=CommandRunner())
    try:
        yield made
        made.destroy(INSTANCE)
        made.delete_disks(INSTANCE)
        made.close()
    finally:
        private_libvirt.stop(home)
        shutil.rmtree(instances)


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("host") / "secrets"
    path.write_bytes(CANARY * (MIB // len(CANARY)))
    path.chmod(0o644)
    path.parent.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def disk(driver: LibvirtDriver, canary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw root disk of a server, as its guest has left it."""
    data = bootable()
    image = described(data, image_id="own")
    driver.fetch_images(CONTEXT, (image,), Store(own=data), limit_gb=1)
    driver.create_disks(INSTANCE, image=image, kernel=None, ramdisk=None)
    path = driver._disks._layout.directory(INSTANCE) / "root"
    header = tmp_path_factory.mktemp("header") / "planted"
    command = ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", str(canary), "-F", "raw", str(header), "1G"]
    subprocess.run(command, check=True)
    with path.open("r+b") as stream:
        stream.write(header.read_bytes())
    probed = subprocess.run(["qemu-img", "info", "-U", str(path)], check=True, capture_output=True).stdout
    assert str(canary).encode() in probed  # whoever guesses the format would follow it
    return path


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def rescue_images() -> tuple[dict[str, Image], dict[str, bytes]]:
    built = guest_image.build()
    script = guest_image.archive({"tmp/user_data": guest_image.Entry(stat.S_IFREG | 0o755, LOOK)})
    ramdisk = built.initramfs.read_bytes()
    contents = {
        "root": bytes(2 * MIB),
        "kernel": built.kernel.read_bytes(),
        "ramdisk": ramdisk + bytes(-len(ramdisk) % 4) + script,
    }
    formats = {"root": "ami", "kernel": "aki", "ramdisk": "ari"}
    images = {name: described(data, disk_format=formats[name], image_id=name) for name, data in contents.items()}
    return images, contents


def test_a_planted_header_is_not_followed_by_a_rescue(driver: LibvirtDriver, disk: Path) -> None:
    """CVE-2014-0134"""
    images, contents = rescue_images()
    driver.fetch_images(CONTEXT, tuple(images.values()), Store(**contents), limit_gb=1)
    driver.create_rescue_disk(INSTANCE, image=images["root"], kernel=images["kernel"], ramdisk=images["ramdisk"])
    driver.start(Guest(instance=INSTANCE, image=images["root"], rescued=True))

    def console() -> bytes:
        return driver.console_output(INSTANCE.name, max_bytes=MIB)

    wait_for(lambda: b"canary found" in console(), 180, "the rescue guest's word")
    with disk.open("rb") as stream:
        expected = hashlib.md5(stream.read(MIB), usedforsecurity=False).hexdigest().encode()
    assert b"begins with QFI and has " + expected in console()
    assert b"canary found 0 times" in console()
    driver.destroy(INSTANCE)
    driver.delete_rescue_disk(INSTANCE)


@pytest.mark.parametrize("running", [True, False])
def test_a_planted_header_is_not_followed_by_a_snapshot(driver: LibvirtDriver, disk: Path, running: bool) -> None:
    """CVE-2015-7548"""
    before = digest(disk)
    if running:
        driver.start(Guest(instance=INSTANCE, image=described(b"", image_id="own")))
        assert driver.power_state(INSTANCE) is PowerState.RUNNING
    copy = driver.copy_root_disk(INSTANCE, name=f"c{running:d}", on_progress=lambda _part: None)
    sent = hashlib.sha256(b"".join(driver.read_disk_copy(INSTANCE, copy))).hexdigest()
    driver.destroy(INSTANCE)
    driver.drop_disk_copies(INSTANCE)
    assert sent == digest(disk) == before


def test_a_planted_header_is_not_followed_when_the_disk_grows(disk: Path, canary: Path) -> None:
    """CVE-2026-24708"""
    before = digest(canary)
    QemuImg(CommandRunner()).resize(disk, "raw", size_bytes=2 * 1024**3)
    assert disk.stat().st_size == 2 * 1024**3
    assert digest(canary) == before
    with disk.open("rb") as stream:
        assert stream.read(3) == b"QFI"
