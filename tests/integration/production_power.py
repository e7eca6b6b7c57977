# SPDX-License-Identifier: Apache-2.0
"""Power of a server with a real guest, by the official clients: asked for, and by the guest itself or other hands."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.integration.production import ADMIN_PASSWORD, ProductionCloud, command_line, shown_on_failure, wait_until
from tests.integration.production_contract import User, address_of
from tools.quickstart.client import Client

AT_ONCE_S = 20.0
"""Generous for a loaded machine, and far below the time between two looks at all guests"""


class Power:
    """One server as its owner and its operator treat it."""

    def __init__(self, cloud: ProductionCloud, user: User, server: dict[str, Any]) -> None:
        self.cloud = cloud
        self.user = user
        self.id = str(server["id"])
        self.address = address_of(server)
        self._http = Client(user="admin", password=ADMIN_PASSWORD, project="admin")

    def openstack(self, *words: str) -> None:
        self.cloud.client("openstack", "server", *words, self.id)

    def becomes(self, status: str, *, timeout_s: float = 60.0) -> None:
        def there() -> bool:
            found = self._http.compute("GET", f"/servers/{self.id}")["server"]
            return bool(found["status"] == status and not found["OS-EXT-STS:task_state"])

        wait_until(there, f"status {status}", timeout_s=timeout_s)

    def ssh(self, command: str) -> str:
        return self.user.ssh(self.address, command)

    def is_up(self) -> bool:
        """Whether the guest lets us in."""
        try:
            return "up" in self.ssh("echo up")
        except AssertionError:
            return False

    def boot(self) -> None:
        """Start it and wait until it lets us in."""
        self.openstack("start")
        self.becomes("ACTIVE")
        wait_until(self.is_up, "a guest that is up", timeout_s=120)

    def qemu(self) -> int:
        """The process of the guest."""
        [found] = [pid for pid in self.cloud.pids() if self.id in command_line(pid) and "qemu" in command_line(pid)]
        return found


class PowerContract:
    """Needs the fixtures of the production contract."""

    @pytest.fixture
    def power(self, cloud: ProductionCloud, user: User, server: dict[str, Any]) -> Power:
        return Power(cloud, user, server)

    def test_a_server_rests_in_memory_and_on_the_disk_and_forgets_nothing(self, power: Power) -> None:
        with shown_on_failure(power.cloud):
            power.ssh("echo kept >/tmp/kept")
            power.openstack("pause")
            power.becomes("PAUSED")
            power.openstack("unpause")
            power.becomes("ACTIVE")
            power.cloud.client("nova", "suspend", power.id)
            power.becomes("SUSPENDED")
            power.openstack("resume")
            power.becomes("ACTIVE")
            wait_until(power.is_up, "a guest that went on")
            assert power.ssh("cat /tmp/kept") == "kept\n"

    def test_an_operator_sees_counters_and_says_what_state_it_is(self, power: Power) -> None:
        with shown_on_failure(power.cloud):
            assert "cpu0_time" in power.cloud.client("nova", "diagnostics", power.id)
            power.cloud.client("nova", "reset-state", power.id)
            power.becomes("ERROR")
            power.cloud.client("nova", "reset-state", "--active", power.id)
            power.becomes("ACTIVE")

    def test_a_deleted_server_is_restored_where_the_cloud_keeps_it(self, power: Power) -> None:
        cloud = power.cloud
        with shown_on_failure(cloud):
            cloud.restart("nova-api", "--reclaim_instance_interval=3600")
            power.openstack("delete")
            power.becomes("SOFT_DELETED")
            assert power.id not in cloud.client("openstack", "server", "list")
            assert power.id in cloud.client("openstack", "server", "list", "--deleted")
            power.openstack("restore")
            power.becomes("ACTIVE")
            wait_until(power.is_up, "a guest that is up", timeout_s=120)
            cloud.restart("nova-api")

    def test_a_server_follows_its_guest_at_once(self, power: Power) -> None:
        with shown_on_failure(power.cloud):
            power.ssh("(sleep 1; poweroff) >/dev/null 2>&1 &")
            power.becomes("SHUTOFF", timeout_s=AT_ONCE_S + 20)
            power.boot()
            os.kill(power.qemu(), signal.SIGKILL)
            power.becomes("SHUTOFF", timeout_s=AT_ONCE_S)
            power.boot()
