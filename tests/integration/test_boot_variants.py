# SPDX-License-Identifier: Apache-2.0
"""Two guests that say on their consoles what they were given: disks, drive, files, addresses, devices.

One boots from a whole disk with a partition, as an overlay; one from kernel, ramdisk and a bare file system, as a copy.
What they say is printed by their user data, which they find on their configuration drives.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nova.context import RequestContext
from nova.domain.block_device import BlockDevice
from nova.domain.flavor import Flavor
from nova.domain.guest_metadata.config_drive import files_of
from nova.domain.guest_metadata.facts import Facts
from nova.domain.guest_metadata.interfaces_file import interfaces_file
from nova.domain.image import Image
from nova.domain.injection import Injection
from nova.domain.instance import InjectedFile, Instance
from nova.domain.network import FixedAddress, Nic
from nova.domain.states import VmState
from nova.secret import Secret
from nova.system.commands import CommandRunner
from nova.virt.driver import Guest
from nova.virt.images.config_drive import ConfigDriveSettings
from nova.virt.images.injection import InjectionSettings
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.integration.netns import Lan, run
from tests.unit.virt.contract import wait_for
from tests.unit.virt.images.images import Store, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

CONTEXT = RequestContext(request_id="req-variants")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH test@variants"
FILE = InjectedFile(path="/etc/nova/greeting", contents=base64.b64encode(b"hello from outside\n").decode())
INJECTION = Injection(files=(FILE,), key=KEY, admin_password=Secret("s3cret"))
LOOK = b"""#!/bin/sh
size() { df -m $1 | tail -n 1 | awk '{print $2}'; }
field() { dd if=$1 bs=1 skip=$2 count=$3 2>/dev/null; }
bits() { echo $((0x$(field $1 $2 1 | hexdump -v -e '/1 "%02x"'))); }
mkdir -p /a /var/run /etc/network/if-pre-up.d /etc/network/if-up.d
for disk in /dev/sd[a-z] /dev/vd[a-z]; do
    [ -b $disk ] || continue
    if [ "$(field $disk 1080 2 | hexdump -v -e '/1 "%02x"')" = 53ef ]; then
        kind=ext2
        [ $(($(bits $disk 1116) & 4)) -ne 0 ] && kind=ext3
        [ $(($(bits $disk 1120) & 64)) -ne 0 ] && kind=ext4
        label=$(field $disk 1144 16 | tr -d '\\0')
        mount -t ext4 $disk /a 2>/dev/null && echo ${disk#/dev/} is $kind $label of $(size /a) MB && umount /a
    fi
    if [ "$(field $disk 4086 10)" = SWAPSPACE2 ]; then
        swapon $disk && echo ${disk#/dev/} is swap of $(awk '/SwapTotal/ {print $2}' /proc/meminfo) kB
    fi
done
echo root has $(size /state) MB
cat /state/etc/nova/greeting
echo authorized: $(cat /state/root/.ssh/authorized_keys)
echo shadow: $(cut -d : -f 1,2 /state/etc/shadow 2>/dev/null)
[ -f /state/etc/network/interfaces ] && ifup -a -i /state/etc/network/interfaces
ip -4 -o addr show scope global | sed 's/.*: \\(eth[0-9]\\) *inet \\([0-9.]*\\).*/\\1 has \\2/'
for card in /sys/bus/pci/devices/*; do echo device $(cat $card/vendor $card/device); done
echo processors $(nproc) sockets $(grep 'physical id' /proc/cpuinfo | sort -u | wc -l)
grep -m 1 'model name' /proc/cpuinfo
cat /proc/cmdline
echo random $(cat /sys/class/misc/hw_random/rng_current)
echo looked
"""


def card(number: int, address: str, *, injected: bool = True) -> Nic:
    return Nic(
        vif_uuid=f"b0f7000{number}-0b0a-4908-8706-050403020100",
        mac_address=f"02:16:3e:00:01:0{number}",
        network_uuid=f"n{number}",
        label=f"net{number}",
        bridge=f"br{number}",
        cidr=f"10.0.{number}.0/24",
        broadcast=f"10.0.{number}.255",
        injected=injected,
        addresses=(FixedAddress(address=address, version=4, netmask="255.255.255.0"),),
    )


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    made = Lan()
    try:
        run("ip", "-n", made.name, "link", "add", "br1", "type", "bridge")
        run("ip", "-n", made.name, "link", "set", "br1", "up")
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def uri(lan: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("libvirt")
    try:
        yield private_libvirt.start(lan.name, home)
    finally:
        private_libvirt.stop(home)


class Host:
    """A driver, and the one guest on it."""

    def __init__(self, path: Path, uri: str, **settings: Any) -> None:
        self.path = path
        chosen = LibvirtSettings(
            host="here",
            instances_path=path,
            uri=uri,
            virt_type="qemu",
            injection=InjectionSettings(partition=-1, inject_password=True),
            **settings,
        )
        self.driver = LibvirtDriver(chosen, runner=CommandRunner())
        self.instance: Instance | None = None

    def boot(
        self,
        number: int,
        *,
        flavor: Flavor,
        images: Mapping[str, tuple[bytes, str]],
        properties: Mapping[str, str],
        nics: tuple[Nic, ...] = (),
        devices: tuple[BlockDevice, ...] = (),
    ) -> str:
        """What the guest says until it has looked at everything."""
        self.instance = instance = Instance(
            id=0xB0000 + number,
            uuid=f"b0070000-0000-4000-8000-00000000000{number}",
            user_id="u",
            project_id="p",
            display_name="variant",
            hostname=f"variant{number}",
            flavor=flavor,
            vm_state=VmState.BUILDING,
            auto_disk_config=True,
            key_name="mine",
            key_data=KEY,
            user_data=base64.b64encode(LOOK).decode(),
            system_metadata={f"image_{name}": value for name, value in properties.items()},
        )
        found = {name: described(data, disk_format=form, image_id=name) for name, (data, form) in images.items()}
        store = Store(**{name: data for name, (data, _) in images.items()})
        self.driver.fetch_images(CONTEXT, tuple(found.values()), store, limit_gb=1)
        injection = Injection(
            files=INJECTION.files,
            key=KEY,
            admin_password=INJECTION.admin_password,
            network=interfaces_file(nics),
        )
        self._make(found, devices, injection)
        told = Facts(instance=instance, zone="nova", nics=nics, devices=devices)
        self.driver.create_config_drive(instance, files_of(told, files=(FILE,), admin_password=Secret("s3cret")))
        self.driver.start(Guest(instance=instance, image=found["root"], nics=nics))
        try:
            wait_for(lambda: "user data: looked" in self.said(), 150, "the guest's report")
        except AssertionError as error:
            raise AssertionError(f"{error}; it said: {self.said()[-3000:]}") from None
        return self.said()

    def _make(self, images: Mapping[str, Image], devices: tuple[BlockDevice, ...], injection: Injection) -> None:
        assert self.instance is not None
        self.driver.create_disks(
            self.instance,
            image=images["root"],
            kernel=images.get("kernel"),
            ramdisk=images.get("ramdisk"),
            devices=devices,
            injection=injection,
        )

    def said(self) -> str:
        assert self.instance is not None
        return self.driver.console_output(self.instance.name, max_bytes=10**6).decode(errors="replace")

    def close(self) -> None:
        if self.instance is not None:
            self.driver.destroy(self.instance)
            self.driver.delete_disks(self.instance)
            assert not (self.path / self.instance.uuid).exists()
        self.driver.close()


@pytest.fixture
def instances_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("instances")
    yield path
    shutil.rmtree(path)


def mounts() -> int:
    return len(Path("/proc/mounts").read_text().splitlines())


def number_in(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, f"{pattern} is not in: {text}"
    return int(found[1])


def test_a_whole_disk_with_drive_files_disks_and_two_networks(instances_path: Path, uri: str) -> None:
    host = Host(instances_path, uri)
    blank = {"source_type": "blank", "destination_type": "local"}
    devices = (
        BlockDevice(**blank, device_name="/dev/vdb", volume_size_gb=1, guest_format="ext3"),
        BlockDevice(**blank, device_name="/dev/vdc", volume_size_gb=1),
    )
    before = mounts()
    try:
        said = host.boot(
            1,
            flavor=Flavor(flavor_id="1", name="f", memory_mb=128, vcpus=1, root_gb=1, ephemeral_gb=2, swap_mb=64),
            images={"root": (guest_image.build().disk.read_bytes(), "qcow2")},
            properties={"hw_disk_bus": "scsi", "hw_vif_model": "virtio"},
            nics=(card(0, "10.0.0.33"), card(1, "10.0.1.44")),
            devices=devices,
        )
        assert mounts() == before
    finally:
        host.close()
    assert "nova-guest: 1 keys from config drive /dev/sr0" in said
    assert "nova-guest: host name variant1" in said
    assert number_in(r"is ext3 ephemeral0 of (\d+) MB", said) > 900
    assert number_in(r"is ext4 ephemeral1 of (\d+) MB", said) > 900
    assert 65000 < number_in(r"sd. is swap of (\d+) kB", said) <= 65536
    assert number_in(r"root has (\d+) MB", said) > 900, "the file system was not grown"
    assert "user data: hello from outside" in said
    assert f"user data: authorized: {KEY}" in said
    assert "user data: eth0 has 10.0.0.33" in said
    assert "user data: eth1 has 10.0.1.44" in said
    assert "random virtio_rng" in said
    assert "device 0x1af4 0x1004" in said  # a SCSI controller of virtio


def test_three_parts_as_a_copy_with_devices_of_the_images_choice(instances_path: Path, uri: str) -> None:
    built = guest_image.build()
    host = Host(
        instances_path,
        uri,
        use_cow_images=False,
        ephemeral_format="ext2",
        config_drive=ConfigDriveSettings(format="vfat"),
        cpu_mode="custom",
        cpu_model="Nehalem",
    )
    try:
        said = host.boot(
            2,
            flavor=Flavor(
                flavor_id="1",
                name="f",
                memory_mb=160,
                vcpus=2,
                root_gb=1,
                ephemeral_gb=1,
                extra_specs={"hw:cpu_sockets": "1", "hw_rng:allowed": "false", "quota:disk_read_iops_sec": "5000"},
            ),
            images={
                "root": (bare_file_system(instances_path), "ami"),
                "kernel": (built.kernel.read_bytes(), "aki"),
                "ramdisk": (built.initramfs.read_bytes(), "ari"),
            },
            properties={
                "hw_machine_type": "q35",
                "hw_vif_model": "e1000",
                "hw_watchdog_action": "reset",
                "hw_qemu_guest_agent": "true",
                "os_command_line": "root=/dev/vda console=ttyS0 variant=three",
            },
            nics=(card(0, "10.0.0.55", injected=False),),
        )
    finally:
        host.close()
    assert "keys from config drive /dev/vdc" in said
    assert number_in(r"vdb is ext2 ephemeral0 of (\d+) MB", said) > 900
    assert number_in(r"root has (\d+) MB", said) > 900
    assert "user data: hello from outside" in said
    assert re.search(r"shadow: root:\$6\$\S+", said)
    assert "processors 2 sockets 1" in said
    assert "Nehalem" in said
    assert "variant=three" in said
    assert "device 0x8086 0x29c0" in said  # the host bridge of q35
    assert "device 0x8086 0x100e" in said  # e1000
    assert "device 0x8086 0x25ab" in said  # the watchdog i6300esb
    assert "virtio_rng" not in said


def bare_file_system(directory: Path) -> bytes:
    """Sixteen megabytes without a partition, with a list of users."""
    tree, made = directory / "tree", directory / "bare"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/shadow").write_text("root:*:19000:0:99999:7:::\n")
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(tree), str(made), "16M"], check=True)
    data = made.read_bytes()
    shutil.rmtree(tree)
    made.unlink()
    return data
