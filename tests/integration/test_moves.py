# SPDX-License-Identifier: Apache-2.0
"""Real guests that move between real hosts: live with their counter going on, resized, back again, and evacuated.

One guest does all of it.  It counts on its console, which shows that it never stopped and never ran twice.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.boots import Boots
from tests.integration.compute_hosts import HostsCloud, assert_nothing_left
from tests.integration.databases import MariaDb
from tests.integration.production import shown_on_failure, wait_until
from tools import guest_image, private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

BOOT_S = 180.0
COUNT = """#!/bin/sh
[ -f /state/born ] || cat /proc/sys/kernel/random/uuid >/state/born
sync
echo "born $(cat /state/born)" >/dev/console
n=0
(while true; do echo "tick $n" >/dev/console; n=$((n+1)); usleep 100000; done) </dev/null >/dev/null 2>&1 &
"""
TICK = re.compile(rb"tick (\d+)\r?\n")
SMALL, LARGE = "move-small", "move-large"


@pytest.fixture(scope="module")
def cloud() -> Iterator[HostsCloud]:
    with HostsCloud(MariaDb.create, grace_s=20, options="shutdown_timeout = 5") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def boots(cloud: HostsCloud) -> Boots:
    boots = Boots(cloud, guest_image.build().disk)
    for name, disk in ((SMALL, 1), (LARGE, 2)):
        flavor = {"name": name, "id": name, "ram": 128, "vcpus": 1, "disk": disk}
        boots.http.compute("POST", "/flavors", {"flavor": flavor})
    group = boots.http.compute("GET", "/os-security-groups")["security_groups"][0]["id"]
    rule = {"parent_group_id": group, "ip_protocol": "icmp", "from_port": -1, "to_port": -1, "cidr": "0.0.0.0/0"}
    boots.http.compute("POST", "/os-security-group-rules", {"security_group_rule": rule})
    return boots


class Guest:
    """The server that moves, as its users and its hosts see it."""

    def __init__(self, cloud: HostsCloud, boots: Boots, name: str, *, host: str) -> None:
        self.cloud, self.boots = cloud, boots
        self.born = b""
        """What it wrote on its disk at its first boot"""
        server = {
            "name": name,
            "imageRef": boots.image,
            "flavorRef": SMALL,
            "availability_zone": f"nova:{host}",
            "user_data": base64.b64encode(COUNT.encode()).decode(),
        }
        self.id = boots.http.compute("POST", "/servers", {"server": server})["server"]["id"]
        boots.assert_active(self.id, timeout_s=BOOT_S)

    def show(self) -> dict[str, Any]:
        return self.boots.show(self.id)

    @property
    def host(self) -> str:
        return str(self.show()["OS-EXT-SRV-ATTR:host"])

    @property
    def address(self) -> str:
        return str(self.show()["addresses"]["private"][0]["addr"])

    def console_path(self, host: str) -> Path:
        return self.cloud.instances_path(host) / self.id / "console.log"

    def said(self, host: str) -> bytes:
        """All that the guest has written on that host."""
        path = self.console_path(host)
        return path.read_bytes() if path.exists() else b""

    def said_before_the_resize(self, host: str) -> bytes:
        """What is kept of its console with the disk that was set aside."""
        [kept] = self.cloud.instances_path(host).glob(f"{self.id}_resize_*/console.log")
        return kept.read_bytes()

    def act(self, action: str, argument: Any = None, *, version: str = "2.1") -> None:
        self.boots.http.session.headers["OpenStack-API-Version"] = f"compute {version}"
        self.boots.http.compute("POST", f"/servers/{self.id}/action", {action: argument})

    def becomes(self, status: str, *, timeout_s: float = 120) -> dict[str, Any]:
        """The server, once it has that status and does nothing."""

        def look() -> dict[str, Any]:
            found = self.show()
            return found if found["status"] == status and not found["OS-EXT-STS:task_state"] else {}

        return wait_until(look, f"{status}: {self.show()}", timeout_s=timeout_s)

    def counts(self, host: str, *, beyond: int = -1) -> int:
        """Wait until it counts there; how far it is."""

        def look() -> list[int]:
            return [int(number) for number in TICK.findall(self.said(host)) if int(number) > beyond]

        return wait_until(look, f"ticks of the guest on {host}: {self.said(host)[-500:]!r}", timeout_s=BOOT_S)[-1]

    def migrations(self) -> list[dict[str, Any]]:
        self.boots.http.session.headers["OpenStack-API-Version"] = "compute 2.23"
        found = self.boots.http.compute("GET", f"/os-migrations?instance_uuid={self.id}")["migrations"]
        return list(found)


@pytest.fixture(scope="module")
def guest(cloud: HostsCloud, boots: Boots) -> Guest:
    with shown_on_failure(cloud):
        made = Guest(cloud, boots, "traveller", host="host1")
        made.counts("host1")
        made.born = _disk_of(made.said("host1"))
        return made


class Pinger:
    """Asks an address ten times a second, from the controller, and notes when it answered."""

    def __init__(self, cloud: HostsCloud, address: str) -> None:
        words = cloud.words("ping", "-D", "-O", "-i", "0.1", "-W", "1", address)
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.answers: list[float] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "bytes from" in line:
                self.answers.append(time.monotonic())

    def wait_for_answers(self, count: int = 5) -> None:
        before = len(self.answers)
        wait_until(lambda: len(self.answers) >= before + count, "answers to pings")

    def stop(self) -> float:
        """The longest time without an answer."""
        self._process.terminate()
        self._process.wait(10)
        self._thread.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return max(later - earlier for earlier, later in zip(self.answers, self.answers[1:], strict=False))


def assert_no_gap(before: bytes, after: bytes) -> None:
    """The guest counted on without leaving out or repeating a number, over both consoles."""
    numbers = [int(number) for number in TICK.findall(before + after)]
    assert len(numbers) > 20
    missing = set(range(numbers[0], numbers[-1] + 1)) - set(numbers)
    assert not missing, f"left out: {sorted(missing)}"
    assert len(numbers) == len(set(numbers)), "counted twice"


def test_a_running_guest_moves_with_its_disk_and_never_stops(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        pinger = Pinger(cloud, guest.address)
        pinger.wait_for_answers()
        before = guest.counts("host1")
        with guest.console_path("host1").open("rb") as old_console:
            guest.act("os-migrateLive", {"host": "host2", "block_migration": "auto"}, version="2.30")
            guest.becomes("ACTIVE")
            assert guest.host == "host2"
            guest.counts("host2", beyond=before + 20)
            old = old_console.read()
        pinger.wait_for_answers()
        silent_s = pinger.stop()
        print(f"longest silence: {silent_s:.2f} s")
        assert_no_gap(old, guest.said("host2"))
        assert silent_s <= 1.0
        assert cloud.running_on("host2") == [guest.id]
        wait_until(lambda: cloud.domains_on("host1") == cloud.stored_on("host1") == [], "host1 to be empty")
        [move] = guest.migrations()
        assert (move["status"], move["migration_type"]) == ("completed", "live-migration")
        assert (move["source_compute"], move["dest_compute"]) == ("host1", "host2")


def test_a_guest_whose_destination_is_broken_stays_where_it_is(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        private_libvirt.stop(cloud.files.home / "libvirt" / "host1")
        before = guest.counts("host2")
        guest.act("os-migrateLive", {"host": "host1", "block_migration": "auto", "force": True}, version="2.30")
        guest.becomes("ACTIVE")
        assert guest.host == "host2"
        assert guest.migrations()[0]["status"] == "error"
        guest.counts("host2", beyond=before + 5)
        cloud.start_hypervisor("host1")
        wait_until(lambda: cloud.stored_on("host1") == [], "host1 to be empty")


def test_the_operator_moves_it_back_with_nova_manage(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        said = cloud.manage("vm", "live_migration", guest.id, "host1")
        assert "initiated" in said
        wait_until(lambda: guest.host == "host1", "the guest on host1")
        guest.becomes("ACTIVE")
        before = guest.counts("host1")
        guest.counts("host1", beyond=before + 5)
        assert cloud.running_on("host1") == [guest.id]


def test_a_resize_goes_to_the_other_host_with_all_that_was_on_the_disk(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        guest.act("resize", {"flavorRef": LARGE})
        found = guest.becomes("VERIFY_RESIZE")
        assert found["flavor"]["id"] == LARGE
        assert guest.host == "host2"
        guest.counts("host2")
        assert _disk_of(guest.said("host2")) == guest.born
        assert cloud.domains_on("host1") == []
        assert len(cloud.stored_on("host1")) == 1
        assert _disk_gb(cloud, guest, "host2") == 2


def test_the_resize_is_reverted_and_the_old_disk_is_there(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        boots_before = guest.said_before_the_resize("host1").count(b"born ")
        guest.act("revertResize")
        found = guest.becomes("ACTIVE")
        assert (found["flavor"]["id"], guest.host) == (SMALL, "host1")
        wait_until(lambda: guest.said("host1").count(b"born ") > boots_before, "one more boot", timeout_s=BOOT_S)
        assert _disk_of(guest.said("host1")) == guest.born
        assert cloud.domains_on("host2") == cloud.stored_on("host2") == []
        assert _disk_gb(cloud, guest, "host1") == 1


def test_a_migration_is_confirmed_with_the_clients(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        cloud.client("nova", "migrate", guest.id)
        guest.becomes("VERIFY_RESIZE")
        cloud.client("openstack", "server", "migration", "confirm", guest.id)
        guest.becomes("ACTIVE")
        assert guest.host == "host2"
        wait_until(lambda: cloud.stored_on("host1") == [], "the old disk to be gone")
        assert "confirmed" in cloud.client("nova", "--os-compute-api-version", "2.23", "migration-list")


def test_a_guest_of_a_dead_host_is_made_again_and_never_runs_twice(cloud: HostsCloud, guest: Guest) -> None:
    with shown_on_failure(cloud):
        cloud.crash("host2")
        wait_until(lambda: _state(guest, "host2") == "down", "host2 to be down")
        guest.act("evacuate", {}, version="2.14")
        guest.becomes("ACTIVE", timeout_s=BOOT_S)
        assert guest.host == "host1"
        guest.counts("host1")
        cloud.power_on("host2")
        wait_until(lambda: cloud.domains_on("host2") == cloud.stored_on("host2") == [], "host2 to be empty")
        assert cloud.running_on("host1") == [guest.id]
        assert guest.migrations()[0]["status"] == "done"


def test_nothing_is_left_on_any_host(cloud: HostsCloud, boots: Boots, guest: Guest) -> None:
    with shown_on_failure(cloud):
        boots.http.compute("DELETE", f"/servers/{guest.id}")
        wait_until(lambda: not guest.show(), "the end of the server")
        assert_nothing_left(cloud)


def _disk_of(console: bytes) -> bytes:
    """What the guest wrote on its disk at its first boot."""
    return re.findall(rb"born ([0-9a-f-]{36})", console)[-1]


def _disk_gb(cloud: HostsCloud, guest: Guest, host: str) -> int:
    path = cloud.instances_path(host) / guest.id / "root"
    words = ["qemu-img", "info", "-U", "--output=json", str(path)]
    done = subprocess.run(words, check=True, capture_output=True)
    return int(json.loads(done.stdout)["virtual-size"]) >> 30


def _state(guest: Guest, host: str) -> str:
    daemons = guest.boots.http.compute("GET", f"/os-services?host={host}&binary=nova-compute")["services"]
    return str(daemons[0]["state"])
