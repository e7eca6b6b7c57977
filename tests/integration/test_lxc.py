# SPDX-License-Identifier: Apache-2.0
"""A container on a libvirtd of its own: what it says, and every operation that a container has."""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.context import RequestContext
from nova.domain.flavor import Flavor
from nova.domain.guest_metadata.interfaces_file import interfaces_file
from nova.domain.injection import Injection
from nova.domain.instance import InjectedFile, Instance
from nova.domain.network import FixedAddress, Nic
from nova.domain.states import PowerState, VmState
from nova.system.commands import CommandRunner
from nova.virt.driver import Guest
from nova.virt.images.injection import InjectionSettings
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.integration.netns import Lan, run
from tests.unit.virt.contract import wait_for
from tests.unit.virt.images.images import Store, described
from tools import private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

CONTEXT = RequestContext(request_id="req-lxc")
INSTANCE = Instance(
    id=0x17C,
    uuid="17c00000-0000-4000-8000-000000000001",
    user_id="u",
    project_id="p",
    display_name="box",
    hostname="box",
    flavor=Flavor(flavor_id="1", name="f", memory_mb=64, vcpus=1, root_gb=1),
    vm_state=VmState.BUILDING,
    key_data="ssh-ed25519 AAAA test",
)
CARD = Nic(
    vif_uuid="17c00000-aaaa-4000-8000-000000000001",
    mac_address="02:16:3e:00:17:0c",
    network_uuid="n",
    label="private",
    bridge="br0",
    cidr="10.0.0.0/24",
    broadcast="10.0.0.255",
    injected=True,
    addresses=(FixedAddress(address="10.0.0.77", version=4, netmask="255.255.255.0"),),
)
BOOT = """#!/bin/sh
echo boot >>/boots
ifup -a
echo container: boot $(grep -c . /boots)
echo container: user $(id -u) maps to $(awk '{print $2}' /proc/self/uid_map)
echo container: $(cat /etc/greeting)
echo container: $(cat /root/.ssh/authorized_keys)
echo container: $(ip -4 -o addr show eth0 | sed 's/.*inet \\([0-9.]*\\).*/address \\1/')
mknod /disk b 7 0 2>/dev/null && echo container: can make devices
[ -e /proc/1/root/work ] && echo container: sees the host
echo container: ready
"""


def image(directory: Path) -> bytes:
    """A root file system of busybox alone, without a partition."""
    tree, made = directory / "tree", directory / "fs"
    for name in (
        "bin",
        "sbin",
        "etc/network/if-pre-up.d",
        "etc/network/if-up.d",
        "proc",
        "sys",
        "dev",
        "tmp",
        "var/run",
    ):
        (tree / name).mkdir(parents=True)
    shutil.copy("/usr/bin/busybox", tree / "bin/busybox")
    names = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in names:
        if name != "busybox":
            (tree / "bin" / name).symlink_to("/bin/busybox")
    (tree / "sbin/init").symlink_to("/bin/busybox")
    (tree / "run").symlink_to("/var/run")
    (tree / "etc/inittab").write_text("::sysinit:/etc/boot.sh\n::respawn:/bin/sleep 1000\n")
    (tree / "etc/boot.sh").write_text(BOOT)
    (tree / "etc/boot.sh").chmod(0o755)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(tree), str(made), "16M"], check=True, capture_output=True)
    data = made.read_bytes()
    shutil.rmtree(tree)
    made.unlink()
    return data


@pytest.fixture
def lan() -> Iterator[Lan]:
    made = Lan()
    try:
        run("ip", "-n", made.name, "addr", "add", "10.0.0.1/24", "dev", "br0")
        yield made
    finally:
        made.remove()


@pytest.fixture
def place() -> Iterator[Path]:
    """Where others may pass: a container's root is somebody else outside."""
    made = Path(tempfile.mkdtemp(prefix="nova-lxc-", dir="/var/tmp"))
    made.chmod(0o711)
    groups = [path for path in Path("/sys/fs/cgroup").glob("*") if not (path / "machine").exists()]
    yield made
    shutil.rmtree(made)
    for path in groups:
        with contextlib.suppress(OSError):
            (path / "machine").rmdir()


@pytest.fixture
def driver(lan: Lan, place: Path) -> Iterator[LibvirtDriver]:
    home = place / "libvirt"
    try:
        uri = private_libvirt.start(lan.name, home, containers=True).replace("qemu:", "lxc:")
        settings = LibvirtSettings(
            host="here",
            instances_path=place / "instances",
            uri=uri,
            virt_type="lxc",
            injection=InjectionSettings(partition=-1),
        )
        made = LibvirtDriver(settings, runner=CommandRunner())
        try:
            yield made
        finally:
            made.destroy(INSTANCE)
            made.delete_disks(INSTANCE)
            made.close()
    finally:
        private_libvirt.stop(home)


def said(driver: LibvirtDriver) -> str:
    return driver.console_output(INSTANCE.name, max_bytes=10**6).decode()


def test_a_container_lives_through_all_that_a_container_can(driver: LibvirtDriver, lan: Lan, place: Path) -> None:
    data = image(place)
    root = described(data, image_id="root")
    driver.fetch_images(CONTEXT, (root,), Store(root=data), limit_gb=1)
    greeting = InjectedFile(path="/etc/greeting", contents=base64.b64encode(b"hello from outside").decode())
    injection = Injection(files=(greeting,), key=INSTANCE.key_data, network=interfaces_file([CARD]))
    mounted = Path("/proc/mounts").read_text()
    driver.create_disks(INSTANCE, image=root, kernel=None, ramdisk=None, injection=injection)
    assert Path("/proc/mounts").read_text() == mounted
    guest = Guest(instance=INSTANCE, image=root, nics=(CARD,))

    driver.start(guest)
    wait_for(lambda: "container: ready" in said(driver), 60, "the container")
    text = said(driver)
    for line in (
        "boot 1",
        "user 0 maps to 100000",
        "hello from outside",
        INSTANCE.key_data,
        "address 10.0.0.77",
    ):
        assert f"container: {line}\r\n" in text, text
    assert "can make devices" not in text
    assert "sees the host" not in text
    assert "1 received" in run("ip", "netns", "exec", lan.name, "ping", "-c", "1", "-W", "5", "10.0.0.77")
    assert driver.power_states() == {INSTANCE.uuid: PowerState.RUNNING}
    assert driver.resources().hypervisor_type == "LXC"
    files = place / "instances" / INSTANCE.uuid
    assert (files / "rootfs/etc/greeting").stat().st_uid == 100_000
    assert sorted(path.name for path in files.iterdir()) == ["console.log", "disks.json", "rootfs"]

    driver.pause(INSTANCE)
    assert driver.power_state(INSTANCE) is PowerState.PAUSED
    driver.unpause(INSTANCE)
    assert driver.power_state(INSTANCE) is PowerState.RUNNING

    driver.reboot(guest, timeout_s=1)
    wait_for(lambda: "container: boot 2" in said(driver), 60, "the second boot")
    driver.shut_down(INSTANCE, timeout_s=1)
    assert driver.power_state(INSTANCE) is PowerState.SHUTDOWN
    driver.start(guest)
    wait_for(lambda: "container: boot 3" in said(driver), 60, "the third boot")

    with pytest.raises(errors.HypervisorError, match="cannot be rescued"):
        driver.create_rescue_disk(INSTANCE, image=root, kernel=None, ramdisk=None)
    with pytest.raises(errors.HypervisorError, match="no configuration drive"):
        driver.create_config_drive(INSTANCE, {})
    driver.destroy(INSTANCE)
    driver.delete_disks(INSTANCE)
    assert driver.power_state(INSTANCE) is PowerState.NOSTATE
    assert not files.exists()
