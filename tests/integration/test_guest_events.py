# SPDX-License-Identifier: Apache-2.0
"""Guests of a libvirtd of their own that start, stop, are killed and paused by other hands: nova-compute hears of it.

Also: suspended guests come back where they were after their host was down, the console log is kept and bounded, the
link of a card goes down and up, live counters.  One guest for all of it, since booting costs most.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest

from nova.context import RequestContext
from nova.domain.flavor import Flavor
from nova.domain.instance import Instance
from nova.domain.network import Nic
from nova.domain.states import PowerState, VmState
from nova.errors import InvalidState, Unavailable
from nova.secret import Secret
from nova.system.commands import CommandRunner
from nova.virt.driver import Guest
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.settings import LibvirtSettings
from tests.integration.test_libvirt_driver import libvirtd_of
from tests.unit.virt.contract import wait_for
from tests.unit.virt.images.images import Store, described
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

CONTEXT = RequestContext(request_id="req-events")
INSTANCE = Instance(
    id=0xE7E7,
    uuid="e7e70e00-0000-4000-8000-000000000001",
    user_id="u",
    project_id="p",
    display_name="restless",
    hostname="restless",
    flavor=Flavor(flavor_id="1", name="m1.test", memory_mb=128, vcpus=1, root_gb=1),
    vm_state=VmState.ACTIVE,
)
COUNTER = b"""#!/bin/sh
(n=0; while :; do n=$((n+1)); echo "tick $n" >/dev/console; sleep 0.2; done) >/dev/null 2>&1 &
echo counting
"""
"""What the guest does when it is up; a number that goes on after a resume was in its memory"""
AGENT = b"""#!/bin/sh
insmod /lib/virtio_console.ko
sysctl -w kernel.unknown_nmi_panic=1 >/dev/null
mkdir -p /var/run /usr/local/var/run
(while ! ls /dev/vport*p1 >/dev/null 2>&1; do sleep 0.1; done
exec qemu-ga -m virtio-serial -p "$(ls /dev/vport*p1)") >/tmp/agent.log 2>&1 &
(before=1; while :; do now=$(cat /sys/class/net/eth0/carrier 2>/dev/null)
[ "$now" = "$before" ] || echo "carrier $now" >/dev/console; before=$now; sleep 0.1; done) >/dev/null 2>&1 &
echo agent started
"""
"""The same with the agent, and a word about each change of the card's link"""
CHPASSWD = b"""#!/bin/sh
IFS=: read -r user password
echo "set for $user: $(printf %s "$password" | sha256sum | cut -c1-64)" >/dev/console
"""
"""What the agent runs to set a password; the guest has no such program of its own"""
LOG_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("libvirt")
    (path / "etc").mkdir()
    (path / "etc/virtlogd.conf").write_text(f"max_size = {LOG_BYTES}\nmax_backups = 3\n")
    try:
        private_libvirt.start(None, path)
        yield path
    finally:
        private_libvirt.stop(path)


@pytest.fixture(scope="module")
def instances_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("instances")
    yield path
    shutil.rmtree(path)


@pytest.fixture
def driver(home: Path, instances_path: Path) -> Iterator[LibvirtDriver]:
    uri = private_libvirt.uri(home)
    made = LibvirtDriver(
        LibvirtSettings(host="here", instances_path=instances_path, uri=uri, virt_type="qemu"), runner=CommandRunner()
    )
    yield made
    made.destroy(INSTANCE)
    made.delete_disks(INSTANCE)
    made.close()


class Listener:
    """Waits for events in a thread of its own, as nova-compute does."""

    def __init__(self, driver: LibvirtDriver) -> None:
        self.heard: deque[frozenset[str] | Unavailable | None] = deque()
        self._driver = driver
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                heard = self._driver.wait_for_changes(timeout_s=0.5)
            except Unavailable as exc:
                self.heard.append(exc)
                self._over.wait(0.2)
            else:
                if heard is None or heard:
                    self.heard.append(heard)

    def hears(self, what: str) -> None:
        """Wait for an event of the guest, and forget it and all before it."""
        wait_for(lambda: frozenset({INSTANCE.uuid}) in list(self.heard), 20, f"event: {what}")
        self.heard.clear()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def listener(driver: LibvirtDriver) -> Iterator[Listener]:
    made = Listener(driver)
    wait_for(lambda: None in made.heard, 20, "the connection for events")
    made.heard.clear()
    yield made
    made.stop()


@pytest.fixture
def bridge() -> Iterator[str]:
    name = f"brev{os.getpid()}"[:15]
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    yield name
    subprocess.run(["ip", "link", "del", name], check=True)


@pytest.fixture
def handle(home: Path) -> Iterator[libvirt.virConnect]:
    found = libvirt.open(private_libvirt.uri(home))
    yield found
    found.close()


def build(driver: LibvirtDriver, instance: Instance, overlay: dict[str, guest_image.Entry]) -> Guest:
    """A guest with more in its initramfs."""
    built = guest_image.build()
    initramfs = built.initramfs.read_bytes()
    contents = {
        "root": bytes(2 * 1024**2),
        "kernel": built.kernel.read_bytes(),
        "ramdisk": initramfs + bytes(-len(initramfs) % 4) + guest_image.archive(overlay),
    }
    formats = {"root": "ami", "kernel": "aki", "ramdisk": "ari"}
    images = {name: described(data, disk_format=formats[name], image_id=name) for name, data in contents.items()}
    driver.fetch_images(CONTEXT, tuple(images.values()), Store(**contents), limit_gb=1)
    driver.create_disks(instance, image=images["root"], kernel=images["kernel"], ramdisk=images["ramdisk"])
    return Guest(instance=instance, image=images["root"])


@pytest.fixture
def guest(driver: LibvirtDriver) -> Guest:
    return build(driver, INSTANCE, {"tmp/user_data": program(COUNTER)})


def program(content: bytes) -> guest_image.Entry:
    return guest_image.Entry(stat.S_IFREG | 0o755, content)


def agent_files() -> dict[str, guest_image.Entry]:
    """The distribution's agent with its libraries, and the kernel module of its channel."""
    agent = shutil.which("qemu-ga")
    assert agent, "run: apt-get install qemu-guest-agent"
    shown = subprocess.run(["ldd", agent], capture_output=True, text=True, check=True).stdout
    paths = [agent, *re.findall(r"(/[^\s]+\.so[^\s]*)", shown)]
    kernel = guest_image.find_kernel()
    module = next((kernel.root / "lib/modules" / kernel.version).rglob("virtio_console.ko"))
    return {
        **{path.lstrip("/"): program(Path(path).read_bytes()) for path in paths},
        "lib/virtio_console.ko": program(module.read_bytes()),
        "usr/sbin/chpasswd": program(CHPASSWD),
        "tmp/user_data": program(AGENT),
    }


def console(driver: LibvirtDriver) -> str:
    return driver.console_output(INSTANCE.name, max_bytes=10**6).decode(errors="replace")


def last_tick(driver: LibvirtDriver) -> int:
    """The newest number that is wholly on the console; 0 before the first."""
    lines = console(driver).splitlines()[:-1]
    numbers = [int(line.split()[1]) for line in lines if line.startswith("tick ") and line.split()[1].isdigit()]
    return numbers[-1] if numbers else 0


def qemu_of(home: Path) -> int:
    text = (home / "run-libvirt/qemu" / f"{INSTANCE.name}.pid").read_text()
    return int(text)


def test_what_others_do_to_a_guest_is_heard(
    driver: LibvirtDriver, listener: Listener, handle: libvirt.virConnect, guest: Guest, home: Path
) -> None:
    driver.start(guest)
    listener.hears("started")
    domain = handle.lookupByUUIDString(INSTANCE.uuid)
    wait_for(lambda: last_tick(driver) > 2, 90, "the guest's counter")

    domain.suspend()
    listener.hears("paused by hand")
    assert driver.power_state(INSTANCE) is PowerState.PAUSED
    domain.resume()
    listener.hears("went on by hand")

    before = last_tick(driver)
    driver.suspend(INSTANCE)
    listener.hears("suspended")
    assert driver.power_state(INSTANCE) is PowerState.SHUTDOWN
    private_libvirt.stop(home)
    wait_for(lambda: any(isinstance(each, Unavailable) for each in list(listener.heard)), 20, "the loss of libvirtd")
    private_libvirt.start(None, home)
    wait_for(lambda: None in list(listener.heard), 30, "a new connection")
    listener.heard.clear()
    assert driver.power_state(INSTANCE) is PowerState.SHUTDOWN
    driver.start(guest)
    listener.hears("resumed")
    wait_for(lambda: last_tick(driver) > before, 30, "the counter that goes on")
    assert last_tick(driver) < before + 300
    assert console(driver).count("counting") <= 1

    os.kill(qemu_of(home), signal.SIGKILL)
    listener.hears("killed")
    assert driver.power_state(INSTANCE) in (PowerState.SHUTDOWN, PowerState.CRASHED)

    subprocess.run(["virsh", "-q", "-c", private_libvirt.uri(home), "start", INSTANCE.name], check=True)
    listener.hears("started by hand")
    wait_for(lambda: "ready after" in console(driver), 90, "the boot")
    driver.shut_down(INSTANCE, timeout_s=60)
    listener.hears("powered off from inside")

    killed = libvirtd_of(home)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: None in list(listener.heard), 30, "a new connection to the libvirtd that was started again")


def test_the_console_log_is_kept_over_starts_and_bounded(
    driver: LibvirtDriver, guest: Guest, instances_path: Path
) -> None:
    directory = instances_path / INSTANCE.uuid
    for boot in range(1, 3):
        driver.start(guest)
        wait_for(lambda wanted=boot: console(driver).count("ready after") == wanted, 90, f"boot {boot}")  # type: ignore[misc]
        driver.destroy(INSTANCE)
        driver.define(guest)
    (directory / "console.log").write_bytes(b"x" * (LOG_BYTES - 100))
    driver.start(guest)
    wait_for(lambda: (directory / "console.log.0").exists(), 90, "a second piece of the log")
    wait_for(lambda: "ready after" in console(driver), 90, "the boot")
    pieces = sorted(path.name for path in directory.glob("console.log*"))
    assert pieces == ["console.log", "console.log.0"]
    assert all((directory / name).stat().st_size <= LOG_BYTES for name in pieces)


def test_an_agent_sets_the_password_and_an_interrupt_is_seen(driver: LibvirtDriver, bridge: str) -> None:
    instance = dataclasses.replace(INSTANCE, system_metadata={"image_hw_qemu_guest_agent": "yes"})
    card = Nic(
        vif_uuid="0f0e0d0c-0b0a-4908-8706-050403020199",
        mac_address="02:16:3e:00:e7:e7",
        network_uuid="n",
        label="private",
        bridge=bridge,
        addresses=(),
    )
    guest = dataclasses.replace(build(driver, instance, agent_files()), nics=(card,))
    driver.start(guest)
    with pytest.raises(InvalidState, match="agent"):
        driver.check_agent(instance)
    wait_for(lambda: "agent started" in console(driver), 120, "the boot")
    wait_for(lambda: answers(driver, instance), 60, "the agent")

    driver.set_admin_password(instance, Secret("open: sesame"))
    digest = hashlib.sha256(b"open: sesame").hexdigest()
    wait_for(lambda: f"set for root: {digest}" in console(driver), 20, "the new password")

    first = driver.diagnostics(instance)
    assert first[f"{card.tap}_rx"] >= 0
    assert first["memory"] == 128 * 1024
    wait_for(lambda: driver.diagnostics(instance)["cpu0_time"] > first["cpu0_time"], 20, "processor time that goes on")

    driver.replug(guest)
    wait_for(lambda: "carrier 0" in console(driver) and "carrier 1" in console(driver), 20, "the link down and up")

    driver.interrupt(instance)
    wait_for(lambda: "NMI" in console(driver), 30, "the panic")
    driver.shut_down(instance, timeout_s=0)
    with pytest.raises(InvalidState, match="off"):
        driver.set_admin_password(instance, Secret("x"))


def answers(driver: LibvirtDriver, instance: Instance) -> bool:
    try:
        driver.check_agent(instance)
    except InvalidState:
        return False
    return True
