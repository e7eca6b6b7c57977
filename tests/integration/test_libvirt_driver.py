# SPDX-License-Identifier: Apache-2.0
"""The libvirt driver with a libvirtd of its own, real guests and a real iSCSI target, all in a network namespace."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest
from lxml import etree

from nova import errors
from nova.domain.block_device import VolumeConnection
from nova.domain.flavor import Flavor
from nova.domain.network import FixedAddress, Nic
from nova.domain.states import PowerState
from nova.secret import Secret
from nova.system.commands import CommandRunner
from nova.virt.driver import Driver, Guest
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.unit.virt.contract import CONTEXT, DriverContract, Plant, wait_for
from tests.unit.virt.images import images
from tests.unit.virt.images.images import Store, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

NETNS = f"nova-vt{os.getpid() % 10000}"
BRIDGE = "br-nova-vt"
VOLUME_ID = "6fd0b0d4-9b0e-4a2a-8e3a-000000000001"
IQN = f"iqn.2010-10.org.openstack:volume-{VOLUME_ID}"
PASSWORD = "chap-canary-51c2"


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def netns() -> Iterator[str]:
    run("ip", "netns", "add", NETNS)
    try:
        run("ip", "-n", NETNS, "link", "set", "lo", "up")
        run("ip", "-n", NETNS, "link", "add", BRIDGE, "type", "bridge")
        run("ip", "-n", NETNS, "link", "set", BRIDGE, "up")
        yield NETNS
    finally:
        run("ip", "netns", "del", NETNS)


@pytest.fixture(scope="module")
def uri(netns: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("libvirt")
    try:
        yield private_libvirt.start(netns, home)
    finally:
        private_libvirt.stop(home)


@pytest.fixture(scope="module")
def target(netns: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VolumeConnection]:
    """An iSCSI target with CHAP and a file behind it."""
    control = str(20000 + os.getpid() % 10000)
    backing = tmp_path_factory.mktemp("volumes") / "volume"
    backing.write_bytes(b"\0" * 8 * images.MIB)
    Path("/run/tgtd").mkdir(exist_ok=True)
    inside = ["ip", "netns", "exec", netns]
    daemon = subprocess.Popen(
        [*inside, "tgtd", "-f", "-C", control, "--iscsi", "portal=127.0.0.1:3260"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    admin = [*inside, "tgtadm", "-C", control, "--lld", "iscsi"]
    try:
        wait_for(
            lambda: subprocess.run([*admin, "--mode", "sys", "--op", "show"], capture_output=True).returncode == 0,
            10,
            "tgtd",
        )
        run(*admin, "--mode", "target", "--op", "new", "--tid", "1", "-T", IQN)
        run(*admin, "--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1", "-b", str(backing))
        run(*admin, "--mode", "target", "--op", "bind", "--tid", "1", "-I", "ALL")
        run(*admin, "--mode", "account", "--op", "new", "--user", "chapuser", "--password", PASSWORD)
        run(*admin, "--mode", "account", "--op", "bind", "--tid", "1", "--user", "chapuser")
        yield VolumeConnection(
            volume_id=VOLUME_ID,
            portal="127.0.0.1:3260",
            iqn=IQN,
            lun=1,
            username="chapuser",
            password=Secret(PASSWORD),
        )
    finally:
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        for left in Path("/run/tgtd").glob(f"socket.{control}*"):
            left.unlink()


@pytest.fixture(scope="module")
def built() -> guest_image.GuestImage:
    return guest_image.build()


@pytest.fixture(scope="module")
def instances_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("instances")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def settings(uri: str, instances_path: Path) -> LibvirtSettings:
    return LibvirtSettings(host="here", instances_path=instances_path, uri=uri, virt_type="qemu", detach_timeout_s=40.0)


@pytest.fixture
def driver(settings: LibvirtSettings) -> Iterator[LibvirtDriver]:
    made = LibvirtDriver(settings, runner=CommandRunner())
    yield made
    made.close()


@pytest.fixture
def plant(built: guest_image.GuestImage, target: VolumeConnection, tmp_path: Path) -> Plant:
    contents = {
        "kernel": built.kernel.read_bytes(),
        "ramdisk": built.initramfs.read_bytes(),
        "root": images.bootable(),
        "huge": images.qcow2(tmp_path / "huge", size="2G").read_bytes(),
    }
    formats = {"kernel": "aki", "ramdisk": "ari", "root": "ami", "huge": "qcow2"}
    return Plant(
        reader=Store(**contents),
        **{name: described(data, disk_format=formats[name], image_id=name) for name, data in contents.items()},
        connection=target,
    )


@pytest.fixture
def handle(uri: str) -> Iterator[libvirt.virConnect]:
    found = libvirt.open(uri)
    yield found
    found.close()


SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
GOLDEN = sorted((Path(__file__).parents[1] / "data" / "libvirt").glob("*.xml"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_recorded_domains_follow_libvirts_schema(golden: Path) -> None:
    schema = etree.RelaxNG(etree.parse(SCHEMA))
    assert schema.validate(etree.parse(golden)), schema.error_log


class TestLibvirtDriver(DriverContract):
    @pytest.fixture
    def driver(self, driver: LibvirtDriver) -> Driver:
        return driver

    @pytest.fixture
    def plant(self, plant: Plant) -> Plant:
        return plant


class TestMoreThanTheContract:
    @pytest.fixture(autouse=True)
    def clean_up(self, driver: LibvirtDriver, plant: Plant) -> Iterator[None]:
        yield
        for instance in plant.made:
            driver.destroy(instance)
            driver.delete_disks(instance)

    def whole_disk(
        self, driver: LibvirtDriver, plant: Plant, built: guest_image.GuestImage, **changes: object
    ) -> Guest:
        data = built.disk.read_bytes()
        image = described(data, disk_format="qcow2", image_id="disk")
        flavor = Flavor(flavor_id="2", name="m1.test", memory_mb=128, vcpus=1, root_gb=1, ephemeral_gb=1, swap_mb=64)
        instance = plant.instance(flavor=flavor, **changes)
        driver.fetch_images(CONTEXT, (image,), Store(disk=data), limit_gb=1)
        driver.create_disks(instance, image=image, kernel=None, ramdisk=None)
        return Guest(instance=instance, image=image)

    def test_a_disk_image_boots_through_its_boot_loader(
        self,
        driver: LibvirtDriver,
        plant: Plant,
        built: guest_image.GuestImage,
        handle: libvirt.virConnect,
        instances_path: Path,
    ) -> None:
        guest = self.whole_disk(driver, plant, built)
        driver.start(guest)
        name = guest.instance.name
        wait_for(lambda: b"ready after" in driver.console_output(name, max_bytes=10**6), 90, "boot")
        document = handle.lookupByName(name).XMLDesc(0)
        assert f"<entry name='serial'>{guest.instance.uuid}</entry>" in document
        assert PASSWORD not in document
        directory = instances_path / guest.instance.uuid
        assert directory.stat().st_mode & 0o777 == 0o750
        assert all(path.stat().st_mode & 0o027 == 0 for path in directory.iterdir())
        assert sorted(path.name for path in directory.iterdir() if "console" not in path.name) == [
            "disks.json",
            "ephemeral",
            "root",
            "swap",
        ]

    def test_the_cached_base_of_a_guest_does_not_age_out(
        self, driver: LibvirtDriver, plant: Plant, built: guest_image.GuestImage, instances_path: Path
    ) -> None:
        guest = self.whole_disk(driver, plant, built)
        driver.age_out_images(min_age_s=0)
        assert len([path for path in (instances_path / "_base").iterdir() if path.is_file()]) >= 3
        assert driver.age_out_images(min_age_s=0) == ()
        driver.delete_disks(guest.instance)
        assert len(driver.age_out_images(min_age_s=0)) == 3

    def test_the_password_of_a_volume_is_in_no_xml_and_no_command_line(
        self, driver: LibvirtDriver, plant: Plant, handle: libvirt.virConnect
    ) -> None:
        guest = Guest(instance=plant.instance(), volumes=(plant.volume(),))
        driver.start(guest)
        domain = handle.lookupByUUIDString(guest.instance.uuid)
        assert PASSWORD not in domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
        assert f"<serial>{VOLUME_ID}</serial>" in domain.XMLDesc(0)
        assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if PASSWORD.encode() in contents(path)]
        assert handle.numOfSecrets() == 1
        with pytest.raises(libvirt.libvirtError):
            handle.listAllSecrets()[0].value()
        driver.destroy(guest.instance)
        assert handle.numOfSecrets() == 0

    def test_a_wrong_chap_password_is_an_error_that_leaves_nothing(
        self, driver: LibvirtDriver, plant: Plant, handle: libvirt.virConnect
    ) -> None:
        guest = Guest(instance=plant.instance())
        driver.start(guest)
        volume = plant.volume()
        wrong = dataclasses.replace(volume.connection, password=Secret("wrong"))
        with pytest.raises(errors.HypervisorError):
            driver.attach_volume(guest, dataclasses.replace(volume, connection=wrong))
        assert handle.numOfSecrets() == 0
        assert driver.power_state(guest.instance) is PowerState.RUNNING

    def test_a_card_is_on_its_bridge_under_its_name(self, driver: LibvirtDriver, plant: Plant, netns: str) -> None:
        card = nic()
        driver.start(Guest(instance=plant.instance(), nics=(card,)))
        assert f"master {BRIDGE}" in run("ip", "-n", netns, "link", "show", card.tap)

    def test_cards_come_and_go_while_the_guest_runs(self, driver: LibvirtDriver, plant: Plant, netns: str) -> None:
        instance = plant.instance()
        first, second = nic(), dataclasses.replace(nic(8), vif_uuid="1f0e0d0c-0b0a-4908-8706-050403020100")
        images_ = (plant.root, plant.kernel, plant.ramdisk)
        driver.fetch_images(CONTEXT, images_, plant.reader, limit_gb=1)
        driver.create_disks(instance, image=plant.root, kernel=plant.kernel, ramdisk=plant.ramdisk)
        guest = Guest(instance=instance, image=plant.root, nics=(first,))
        both = dataclasses.replace(guest, nics=(first, second))
        driver.start(guest)
        wait_for(lambda: b"ready after" in driver.console_output(instance.name, max_bytes=10**6), 90, "boot")

        def on_the_bridge() -> list[str]:
            shown = run("ip", "-n", netns, "-o", "link", "show", "master", BRIDGE)
            return sorted(name for name in (first.tap, second.tap) if f" {name}:" in shown)

        for _ in range(2):
            driver.set_cards(both)
            assert on_the_bridge() == sorted([first.tap, second.tap])
        for _ in range(2):
            driver.set_cards(guest)
            assert on_the_bridge() == [first.tap]
        absent = dataclasses.replace(second, bridge="br-absent")
        with pytest.raises(errors.HypervisorError):
            driver.set_cards(dataclasses.replace(guest, nics=(first, absent)))
        driver.set_cards(guest)
        assert on_the_bridge() == [first.tap]

    def test_a_missing_bridge_is_an_error_with_the_hypervisors_words(self, driver: LibvirtDriver, plant: Plant) -> None:
        guest = Guest(instance=plant.instance(), nics=(dataclasses.replace(nic(), bridge="br-absent"),))
        with pytest.raises(errors.HypervisorError) as caught:
            driver.start(guest)
        assert "br-absent" in caught.value.detail
        driver.destroy(guest.instance)
        assert driver.power_state(guest.instance) is PowerState.NOSTATE

    def test_domains_of_others_are_left_out(
        self, driver: LibvirtDriver, plant: Plant, handle: libvirt.virConnect
    ) -> None:
        foreign = handle.defineXML(
            "<domain type='qemu'><name>pet</name><memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>"
        )
        try:
            driver.start(Guest(instance=plant.instance()))
            states = driver.power_states()
            assert foreign.UUIDString() not in states
            assert states[plant.made[0].uuid] is PowerState.RUNNING
        finally:
            foreign.undefine()

    def test_the_driver_goes_on_after_libvirtd_was_restarted(
        self, driver: LibvirtDriver, plant: Plant, handle: libvirt.virConnect, uri: str
    ) -> None:
        guest = Guest(instance=plant.instance())
        driver.start(guest)
        home = Path(uri.partition("socket=")[2]).parents[1]
        killed = libvirtd_of(home)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: libvirtd_of(home) not in (0, killed) and answers(uri), 20, "restart of libvirtd")
        assert driver.power_state(guest.instance) is PowerState.RUNNING
        driver.destroy(guest.instance)

    def test_a_libvirtd_that_is_down_is_unavailable_and_named(self, settings: LibvirtSettings, plant: Plant) -> None:
        absent = "qemu:///system?socket=/nonexistent/libvirt-sock"
        driver = LibvirtDriver(dataclasses.replace(settings, uri=absent), runner=CommandRunner())
        with pytest.raises(errors.Unavailable, match="nonexistent"):
            driver.check()
        with pytest.raises(errors.Unavailable):
            driver.power_states()

    def test_starting_costs_little_more_than_bare_libvirt(
        self, driver: LibvirtDriver, plant: Plant, handle: libvirt.virConnect
    ) -> None:
        def ours() -> float:
            guest = Guest(instance=plant.instance())
            started = time.monotonic()
            driver.start(guest)
            return time.monotonic() - started

        def bare() -> float:
            domain = handle.lookupByUUIDString(plant.made[-1].uuid)
            document = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            domain.destroy()
            domain.undefine()
            started = time.monotonic()
            handle.defineXML(document).create()
            return time.monotonic() - started

        ratios = [ours() / bare() for _number in range(3)]
        assert min(ratios) < 1.5, ratios


def nic(number: int = 7) -> Nic:
    return Nic(
        vif_uuid="0f0e0d0c-0b0a-4908-8706-050403020100",
        mac_address=f"02:16:3e:00:00:{number:02x}",
        network_uuid="n",
        label="private",
        bridge=BRIDGE,
        addresses=(FixedAddress(address="10.0.0.7", version=4, netmask="255.255.255.0"),),
    )


def contents(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def libvirtd_of(home: Path) -> int:
    holder = (home / "pid").read_text().split()[0]
    children = Path(f"/proc/{holder}/task/{holder}/children").read_text().split()
    found = [int(pid) for pid in children if contents(Path(f"/proc/{pid}/cmdline")).split(b"\0")[0] == b"libvirtd"]
    return found[0] if found else 0


def answers(uri: str) -> bool:
    try:
        libvirt.open(uri).close()
    except libvirt.libvirtError:
        return False
    return True


def test_a_private_libvirtd_is_found_and_stopped_after_its_starter_was_killed(tmp_path: Path) -> None:
    tool = str(Path(private_libvirt.__file__))
    subprocess.run([sys.executable, tool, "start", str(tmp_path)], check=True, capture_output=True)
    daemon = libvirtd_of(tmp_path)
    assert daemon
    assert private_libvirt.start(None, tmp_path) == private_libvirt.uri(tmp_path)
    assert libvirtd_of(tmp_path) == daemon
    beside = tmp_path / "beside"
    try:
        assert answers(private_libvirt.start(None, beside))
    finally:
        private_libvirt.stop(beside)
    private_libvirt.stop(tmp_path)
    assert not Path(f"/proc/{daemon}").exists()
    private_libvirt.stop(tmp_path)
