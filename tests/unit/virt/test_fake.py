# SPDX-License-Identifier: Apache-2.0
"""The fake driver keeps the drivers' contract, and fails when it is told to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from nova import errors
from nova.domain.block_device import VolumeConnection
from nova.domain.states import PowerState
from nova.virt.driver import Driver, Guest
from nova.virt.fake import FakeDriver, FakeSettings
from nova.virt.fake_memory import GuestMemory
from tests.unit.virt.contract import CONTEXT, DriverContract, Plant
from tests.unit.virt.images import images
from tests.unit.virt.images.images import Store, described


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver(FakeSettings(host="here", disk_gb=3))


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    huge = images.qcow2(tmp_path / "huge", size="2G").read_bytes()
    contents = {"huge": huge, "kernel": b"kernel", "ramdisk": b"ramdisk", "root": images.bootable()}
    formats = {"huge": "qcow2", "kernel": "aki", "ramdisk": "ari", "root": "raw"}
    return Plant(
        reader=Store(**contents),
        **{name: described(data, disk_format=formats[name], image_id=name) for name, data in contents.items()},
        connection=VolumeConnection(volume_id="volume-1", portal="127.0.0.1:3260", iqn="iqn.2010-10.org:v", lun=1),
    )


class TestFakeDriver(DriverContract):
    @pytest.fixture
    def driver(self, driver: FakeDriver) -> Driver:
        return driver

    @pytest.fixture
    def plant(self, plant: Plant) -> Plant:
        return plant


def test_an_injected_fault_is_raised_once(driver: FakeDriver, plant: Plant) -> None:
    guest = Guest(instance=plant.instance())
    driver.fail("start", errors.HypervisorError("as told"))
    with pytest.raises(errors.HypervisorError, match="as told"):
        driver.start(guest)
    assert driver.power_state(guest.instance) is PowerState.NOSTATE
    driver.start(guest)
    assert driver.power_state(guest.instance) is PowerState.RUNNING


def test_guests_outlive_the_daemon_where_they_are_kept(tmp_path: Path, plant: Plant) -> None:
    directory = tmp_path / "fake-guests"
    running, stopped, gone = (Guest(instance=plant.instance()) for _ in range(3))
    first = FakeDriver(FakeSettings(host="here"), GuestMemory(directory))
    for guest in (running, stopped, gone):
        first.start(guest)
    first.shut_down(stopped.instance, timeout_s=0)
    first.destroy(gone.instance)
    (directory / "torn.guest").write_bytes(b'{"instance')
    second = FakeDriver(FakeSettings(host="here"), GuestMemory(directory))
    assert second.power_states() == {
        running.instance.uuid: PowerState.RUNNING,
        stopped.instance.uuid: PowerState.SHUTDOWN,
    }
    assert second.guests[running.instance.uuid].instance == running.instance
    second.destroy(running.instance)
    assert FakeDriver(FakeSettings(host="here"), GuestMemory(directory)).power_states().keys() == {
        stopped.instance.uuid
    }


def test_a_delay_is_kept(driver: FakeDriver) -> None:
    driver.delay("check", 0.05)
    started = time.monotonic()
    driver.check()
    assert time.monotonic() - started >= 0.05


def test_a_full_host_says_so(driver: FakeDriver, plant: Plant) -> None:
    driver.fetch_images(CONTEXT, (plant.root,), plant.reader)
    for _number in range(3):
        driver.create_disks(plant.instance(), image=plant.root, kernel=None, ramdisk=None)
    with pytest.raises(errors.NoCapacity, match="No space left on device of host here"):
        driver.create_disks(plant.instance(), image=plant.root, kernel=None, ramdisk=None)
    assert driver.resources().disk_available_gb == 0


def test_a_crashed_guest_is_seen(driver: FakeDriver, plant: Plant) -> None:
    guest = Guest(instance=plant.instance())
    driver.start(guest)
    driver.crash(guest.instance)
    assert driver.power_states() == {guest.instance.uuid: PowerState.CRASHED}
