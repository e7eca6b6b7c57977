# SPDX-License-Identifier: Apache-2.0
"""What every driver must do, run against the fake one and against libvirt with real guests.

A subclass gives the fixtures ``driver``, ``plant`` (a :class:`Plant` with images that this driver can boot), and says
with ``READY`` what a booted guest writes to its console.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from nova import errors
from nova.context import RequestContext
from nova.domain.block_device import BlockDevice, VolumeConnection
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.network import Nic
from nova.domain.states import PowerState, VmState
from nova.virt.driver import AttachedVolume, Driver, Guest, ImageReader

CONTEXT = RequestContext(request_id="req-contract")
BOOT_TIMEOUT_S = 90.0
CARD = Nic(
    vif_uuid="0f0e0d0c-0b0a-4908-8706-050403020101",
    mac_address="02:16:3e:00:00:08",
    network_uuid="n",
    label="private",
    bridge="br-absent",
)


@dataclass
class Plant:
    """What the tests of one driver boot from and attach."""

    reader: ImageReader
    huge: Image
    """A small file that unpacks to more than a gigabyte"""
    kernel: Image
    ramdisk: Image
    root: Image
    """The root file system for *kernel* and *ramdisk*"""
    connection: VolumeConnection
    """An exported volume"""
    nics: tuple[Nic, ...] = ()
    made: list[Instance] = field(default_factory=list)

    def instance(self, **changes: object) -> Instance:
        """A new one with a small flavor, cleaned up after the test."""
        number = 4096 + len(self.made) + int(time.monotonic() * 1000) % 10**6
        values: dict[str, object] = {
            "id": number,
            "uuid": str(uuid.uuid4()),
            "user_id": "user",
            "project_id": "project",
            "display_name": 'a "name" <with> ]]> everything',
            "hostname": "guest",
            "flavor": Flavor(flavor_id="1", name="m1.tiny", memory_mb=128, vcpus=1, root_gb=1),
            "vm_state": VmState.BUILDING,
        }
        made = Instance(**(values | changes))  # type: ignore[arg-type]
        self.made.append(made)
        return made

    def volume(self) -> AttachedVolume:
        device = BlockDevice(
            source_type="volume",
            destination_type="volume",
            device_name="/dev/vdb",
            volume_id=self.connection.volume_id,
        )
        return AttachedVolume(device=device, connection=self.connection)


def wait_for(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {timeout_s} s"
        time.sleep(0.05)


class DriverContract:
    """Inherit it, and give the fixtures."""

    READY = b"ready after"

    @pytest.fixture
    def driver(self) -> Driver:
        raise LookupError("a subclass gives it")

    @pytest.fixture
    def plant(self) -> Plant:
        raise LookupError("a subclass gives it")

    @pytest.fixture(autouse=True)
    def clean_up(self, driver: Driver, plant: Plant) -> Iterator[None]:
        yield
        for instance in plant.made:
            driver.destroy(instance)
            driver.delete_disks(instance)
        plant.made.clear()

    def build(self, driver: Driver, plant: Plant, **changes: object) -> Guest:
        """A guest with disks that has not been started; by kernel and ramdisk, the fast way to boot."""
        instance = plant.instance(**changes)
        images = (plant.root, plant.kernel, plant.ramdisk)
        driver.fetch_images(CONTEXT, images, plant.reader, limit_gb=1)
        driver.create_disks(instance, image=plant.root, kernel=plant.kernel, ramdisk=plant.ramdisk)
        return Guest(instance=instance, image=plant.root, nics=plant.nics)

    def boot(self, driver: Driver, guest: Guest, times: int = 1) -> None:
        """Wait until it has said *times* times in its life that it is ready."""
        name = guest.instance.name
        wait_for(
            lambda: driver.console_output(name, max_bytes=10**6).count(self.READY) >= times,
            BOOT_TIMEOUT_S,
            f"boot number {times}",
        )

    def test_an_unknown_guest_has_no_state_and_can_be_destroyed(self, driver: Driver, plant: Plant) -> None:
        instance = plant.instance()
        assert driver.power_state(instance) is PowerState.NOSTATE
        driver.shut_down(instance, timeout_s=1)
        driver.destroy(instance)
        driver.delete_disks(instance)
        assert instance.uuid not in driver.power_states()

    def test_the_console_of_an_unknown_guest_is_not_found(self, driver: Driver, plant: Plant) -> None:
        with pytest.raises(errors.NotFound):
            driver.console_output(plant.instance().name, max_bytes=100)

    def test_the_life_of_a_guest(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        instance = guest.instance
        driver.start(guest)
        assert driver.power_state(instance) is PowerState.RUNNING
        assert driver.power_states()[instance.uuid] is PowerState.RUNNING
        driver.start(guest)
        self.boot(driver, guest)
        tail = driver.console_output(instance.name, max_bytes=10)
        assert len(tail) <= 10

        driver.reboot(guest, timeout_s=60)
        self.boot(driver, guest, times=2)

        driver.shut_down(instance, timeout_s=60)
        assert driver.power_state(instance) is PowerState.SHUTDOWN
        driver.shut_down(instance, timeout_s=60)
        driver.create_disks(instance, image=plant.root, kernel=plant.kernel, ramdisk=plant.ramdisk)
        driver.start(Guest(instance=instance, nics=guest.nics))
        self.boot(driver, guest, times=3)

        driver.shut_down(instance, timeout_s=0)
        assert driver.power_state(instance) is PowerState.SHUTDOWN
        driver.destroy(instance)
        driver.destroy(instance)
        assert driver.power_state(instance) is PowerState.NOSTATE
        driver.delete_disks(instance)
        driver.delete_disks(instance)

    def test_a_guest_is_paused_and_goes_on(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        driver.start(guest)
        for _twice in range(2):
            driver.pause(guest.instance)
        assert driver.power_state(guest.instance) is PowerState.PAUSED
        driver.start(guest)
        assert driver.power_state(guest.instance) is PowerState.PAUSED
        for _twice in range(2):
            driver.unpause(guest.instance)
        assert driver.power_state(guest.instance) is PowerState.RUNNING
        self.boot(driver, guest)
        counters = driver.diagnostics(guest.instance)
        assert {"cpu0_time", "memory", "vda_read", "vda_write"} <= counters.keys()
        assert counters["cpu0_time"] > 0
        driver.interrupt(guest.instance)
        driver.replug(guest)
        with pytest.raises(errors.NotSupported, match="hw_qemu_guest_agent"):
            driver.check_agent(guest.instance)
        driver.pause(guest.instance)  # so it cannot obey
        driver.reboot(guest, timeout_s=0.5)
        assert driver.power_state(guest.instance) is PowerState.RUNNING
        self.boot(driver, guest, times=2)

    def test_a_suspended_guest_goes_on_without_a_boot(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        instance = guest.instance
        driver.start(guest)
        self.boot(driver, guest)
        for _twice in range(2):
            driver.suspend(instance)
        assert driver.power_state(instance) is PowerState.SHUTDOWN
        driver.start(guest)
        assert driver.power_state(instance) is PowerState.RUNNING
        driver.shut_down(instance, timeout_s=60)
        assert driver.console_output(instance.name, max_bytes=10**6).count(self.READY) == 1
        driver.start(guest)
        self.boot(driver, guest, times=2)
        driver.suspend(instance)
        driver.destroy(instance)
        driver.start(guest)
        self.boot(driver, guest, times=3)

    def test_a_guest_that_is_off_is_not_paused_or_suspended(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        for change in (driver.pause, driver.unpause, driver.suspend):
            with pytest.raises(errors.NotFound):
                change(guest.instance)
        driver.define(guest)
        driver.replug(guest)
        for change in (driver.pause, driver.unpause, driver.suspend, driver.interrupt, driver.diagnostics):
            with pytest.raises(errors.InvalidState, match="off"):
                change(guest.instance)

    def test_a_guest_is_rescued_and_comes_back_with_its_own_disks(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        instance, rescued = guest.instance, replace(guest, rescued=True)
        driver.start(guest)
        with pytest.raises(errors.HypervisorError, match="rescue disk"):
            driver.start(rescued)
        for _twice in range(2):
            driver.create_rescue_disk(instance, image=plant.root, kernel=plant.kernel, ramdisk=plant.ramdisk)
        driver.shut_down(instance, timeout_s=0)
        driver.start(rescued)
        assert driver.power_state(instance) is PowerState.RUNNING
        self.boot(driver, guest)
        driver.destroy(instance)
        for _twice in range(2):
            driver.delete_rescue_disk(instance)
        with pytest.raises(errors.HypervisorError, match="rescue disk"):
            driver.start(rescued)
        driver.start(guest)
        self.boot(driver, guest, times=1)
        driver.create_rescue_disk(instance, image=plant.root, kernel=None, ramdisk=None)
        driver.destroy(instance)
        driver.delete_disks(instance)
        assert instance.uuid not in driver.stored_instances()

    def test_a_guest_is_defined_and_left_off(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        for _twice in range(2):
            driver.define(guest)
        assert driver.power_state(guest.instance) is PowerState.SHUTDOWN
        driver.start(guest)
        driver.define(guest)
        assert driver.power_state(guest.instance) is PowerState.RUNNING

    def test_a_volume_comes_and_goes_while_the_guest_runs(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        driver.start(guest)
        self.boot(driver, guest)
        volume = plant.volume()
        driver.attach_volume(guest, volume)
        driver.attach_volume(guest, volume)
        driver.detach_volume(guest, volume.device)
        driver.detach_volume(guest, volume.device)
        assert driver.power_state(guest.instance) is PowerState.RUNNING

    def test_a_volume_comes_and_goes_while_the_guest_is_off(self, driver: Driver, plant: Plant) -> None:
        guest = self.build(driver, plant)
        driver.start(guest)
        driver.shut_down(guest.instance, timeout_s=0)
        volume = plant.volume()
        driver.attach_volume(guest, volume)
        driver.detach_volume(guest, volume.device)
        assert driver.power_state(guest.instance) is PowerState.SHUTDOWN

    def test_a_volume_for_an_unknown_guest_is_refused(self, driver: Driver, plant: Plant) -> None:
        with pytest.raises(errors.NotFound):
            driver.attach_volume(Guest(instance=plant.instance()), plant.volume())

    def test_cards_for_a_guest_that_is_off_wait_for_its_start_and_an_unknown_one_has_none(
        self, driver: Driver, plant: Plant
    ) -> None:
        guest = self.build(driver, plant)
        driver.define(guest)
        driver.set_cards(replace(guest, nics=(CARD,)))
        assert driver.power_state(guest.instance) is PowerState.SHUTDOWN
        with pytest.raises(errors.NotFound):
            driver.set_cards(Guest(instance=plant.instance(), nics=(CARD,)))

    def test_an_image_that_unpacks_to_more_than_the_flavor_gives_is_refused(self, driver: Driver, plant: Plant) -> None:
        with pytest.raises(errors.InvalidImage, match="flavor"):
            driver.fetch_images(CONTEXT, (plant.huge,), plant.reader, limit_gb=1)

    def test_disks_of_an_image_that_was_not_fetched_are_refused(self, driver: Driver, plant: Plant) -> None:
        with pytest.raises(errors.HypervisorError):
            driver.create_disks(plant.instance(), image=plant.huge, kernel=None, ramdisk=None)

    def test_the_host_describes_itself(self, driver: Driver) -> None:
        driver.check()
        found = driver.resources()
        assert found.vcpus > 0
        assert found.memory_mb > 0
        assert found.disk_gb >= found.disk_available_gb
        assert found.supported
        assert found.hypervisor_version > 0
        assert driver.connector().host == found.host
