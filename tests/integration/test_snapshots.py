# SPDX-License-Identifier: Apache-2.0
"""Copies of a real guest's disk while it runs, is paused, and is off: flat, of one moment, and they boot; rebuilds."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from nova import errors
from nova.context import RequestContext
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.states import PowerState, VmState
from nova.system.commands import CommandRunner
from nova.virt.driver import DiskCopy, Guest
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.unit.virt.contract import wait_for
from tests.unit.virt.images.images import Store, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

CONTEXT = RequestContext(request_id="req-snapshot")
PARTITION_BYTES = 1024**2
"""Where the guest's file system begins on its disk"""
FLAVOR = Flavor(flavor_id="1", name="m1.test", memory_mb=128, vcpus=1, root_gb=1)


def instance(number: int) -> Instance:
    return Instance(
        id=0x5A0 + number,
        uuid=f"5a0e0000-0000-4000-8000-{number:012d}",
        user_id="u",
        project_id="p",
        display_name=f"model {number}",
        hostname=f"model{number}",
        flavor=FLAVOR,
        vm_state=VmState.ACTIVE,
    )


FIRST, TWIN = instance(1), instance(2)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("libvirt")
    try:
        yield private_libvirt.start(None, home)
    finally:
        private_libvirt.stop(home)


@pytest.fixture(scope="module")
def instances_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("instances")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def driver(uri: str, instances_path: Path) -> Iterator[LibvirtDriver]:
    settings = LibvirtSettings(host="here", instances_path=instances_path, uri=uri, virt_type="qemu")
    made = LibvirtDriver(settings, runner=CommandRunner())
    yield made
    for each in (FIRST, TWIN):
        made.destroy(each)
        made.delete_disks(each)
    made.close()


@pytest.fixture(scope="module")
def guest(driver: LibvirtDriver) -> Guest:
    """A guest that has booted from its own whole disk, and written to it."""
    data = guest_image.build().disk.read_bytes()
    return booted(driver, FIRST, described(data, disk_format="qcow2", image_id="own"), data)


def booted(driver: LibvirtDriver, which: Instance, image: Image, data: bytes, *, times: int = 1) -> Guest:
    driver.fetch_images(CONTEXT, (image,), Store(**{image.id: data}), limit_gb=1)
    driver.create_disks(which, image=image, kernel=None, ramdisk=None)
    made = Guest(instance=which, image=image)
    driver.start(made)
    wait_until_booted(driver, which, times)
    return made


def wait_until_booted(driver: LibvirtDriver, which: Instance, times: int = 1) -> None:
    wait_for(lambda: console(driver, which).count(b"ready after") >= times, 120, f"boot number {times}")


def console(driver: LibvirtDriver, which: Instance) -> bytes:
    return driver.console_output(which.name, max_bytes=10**6)


def facts(path: Path) -> dict[str, object]:
    done = subprocess.run(["qemu-img", "info", "-U", "--output=json", str(path)], check=True, capture_output=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def copied(driver: LibvirtDriver, which: Instance, name: str) -> tuple[DiskCopy, bytes]:
    copy = driver.copy_root_disk(which, name=name, on_progress=lambda _part: None)
    return copy, b"".join(driver.read_disk_copy(which, copy))


def chain(uri: str) -> list[str]:
    """The files below the running guest's root disk, as its QEMU sees them."""
    handle = libvirt.open(uri)
    try:
        root = etree.fromstring(handle.lookupByUUIDString(FIRST.uuid).XMLDesc(0))
        return [Path(source.get("file")).name for source in root.iterfind("devices/disk[1]//source")]
    finally:
        handle.close()


def host_key(copy: Path) -> bytes:
    """What the guest wrote to its disk when it booted for the first time."""
    raw = copy.with_suffix(".plain")
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(copy), str(raw)], check=True)
    command = ["debugfs", "-R", "cat /ssh/host_key", f"{raw}?offset={PARTITION_BYTES}"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_a_running_guest_is_copied_whole_and_its_own_disk_stays_as_it_is(
    driver: LibvirtDriver, guest: Guest, uri: str, instances_path: Path
) -> None:
    before, parts = chain(uri), list[float]()
    copy = driver.copy_root_disk(FIRST, name="live", on_progress=parts.append)
    path = instances_path / FIRST.uuid / "copy-live.qcow2"
    found = facts(path)
    assert found["format"] == "qcow2"
    assert found["virtual-size"] == 1024**3
    assert "backing-filename" not in found
    assert copy.size_bytes == path.stat().st_size < 200 * 1024**2
    assert parts == sorted(parts)
    assert all(0 <= part <= 1 for part in parts)
    assert chain(uri) == before
    assert driver.power_state(FIRST) is PowerState.RUNNING
    subprocess.run(["qemu-img", "check", "-q", str(path)], check=True)
    assert stat.S_IMODE((instances_path / FIRST.uuid).stat().st_mode) & 0o007 == 0


def test_the_copy_of_a_running_guest_boots_and_has_what_it_wrote(
    driver: LibvirtDriver, guest: Guest, instances_path: Path
) -> None:
    _, data = copied(driver, FIRST, "live")
    image = described(data, disk_format="qcow2", image_id="made")
    booted(driver, TWIN, image, data)
    copied(driver, TWIN, "twin")
    first, twin = (
        host_key(instances_path / which.uuid / f"copy-{name}.qcow2")
        for which, name in ((FIRST, "live"), (TWIN, "twin"))
    )
    assert len(first) > 32
    assert first == twin
    driver.destroy(TWIN)
    driver.delete_disks(TWIN)


def test_a_copy_that_is_stopped_leaves_nothing_and_the_guest_goes_on(
    driver: LibvirtDriver, guest: Guest, instances_path: Path
) -> None:
    def stop(_part: float) -> None:
        raise errors.Conflict("a delete came in between")

    with pytest.raises(errors.Conflict):
        driver.copy_root_disk(FIRST, name="stopped", on_progress=stop)
    driver.drop_disk_copies(FIRST)
    assert [path.name for path in (instances_path / FIRST.uuid).iterdir() if "copy" in path.name] == []
    assert driver.power_state(FIRST) is PowerState.RUNNING


def test_a_paused_guest_and_one_that_is_off_are_copied_alike(
    driver: LibvirtDriver, guest: Guest, uri: str, instances_path: Path
) -> None:
    handle = libvirt.open(uri)
    domain = handle.lookupByUUIDString(FIRST.uuid)
    domain.suspend()
    paused, _ = copied(driver, FIRST, "paused")
    assert domain.state()[0] == libvirt.VIR_DOMAIN_PAUSED
    domain.destroy()
    handle.close()
    off, _ = copied(driver, FIRST, "off")
    contents = [_digest(instances_path / FIRST.uuid / f"copy-{copy.name}.qcow2") for copy in (paused, off)]
    assert contents[0] == contents[1]
    driver.drop_disk_copies(FIRST)
    driver.start(guest)
    wait_until_booted(driver, FIRST, 2)


def test_the_format_may_be_chosen(driver: LibvirtDriver, guest: Guest, uri: str, instances_path: Path) -> None:
    driver.shut_down(FIRST, timeout_s=60)
    raw = LibvirtDriver(
        LibvirtSettings(host="here", instances_path=instances_path, uri=uri, virt_type="qemu", snapshot_format="raw"),
        runner=CommandRunner(),
    )
    copy, _ = copied(raw, FIRST, "bytes")
    assert (copy.disk_format, copy.size_bytes) == ("raw", 1024**3)
    assert (instances_path / FIRST.uuid / "copy-bytes.raw").stat().st_blocks * 512 < 300 * 1024**2
    raw.drop_disk_copies(FIRST)
    raw.close()


def test_a_guest_is_made_anew_and_becomes_again_what_it_was(
    driver: LibvirtDriver, guest: Guest, instances_path: Path
) -> None:
    said = console(driver, FIRST).count(b"ready after")
    driver.shut_down(FIRST, timeout_s=60)
    driver.destroy(FIRST)
    copied(driver, FIRST, "old")
    old = host_key(instances_path / FIRST.uuid / "copy-old.qcow2")
    driver.drop_disk_copies(FIRST)

    driver.set_aside_disks(FIRST, key="1", keep_ephemeral=False)
    driver.age_out_images(min_age_s=0)
    data = guest_image.build().disk.read_bytes()
    image = described(data, disk_format="qcow2", image_id="again")
    booted(driver, FIRST, image, data, times=said + 1)
    copied(driver, FIRST, "new")
    assert host_key(instances_path / FIRST.uuid / "copy-new.qcow2") != old
    driver.drop_disk_copies(FIRST)

    driver.destroy(FIRST)
    driver.restore_disks(FIRST, key="1")
    driver.start(guest)
    wait_until_booted(driver, FIRST, said + 2)
    copied(driver, FIRST, "old")
    assert host_key(instances_path / FIRST.uuid / "copy-old.qcow2") == old
    driver.drop_disk_copies(FIRST)


def _digest(path: Path) -> str:
    with subprocess.Popen(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", str(path), f"{path}.raw"]) as converting:
        assert converting.wait() == 0
    with Path(f"{path}.raw").open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
