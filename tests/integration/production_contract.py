# SPDX-License-Identifier: Apache-2.0
"""What a cloud of separate daemons does for its users and its operator, whatever its database is.

One server is booted and watched until its guest is ready; the tests look at it from all sides.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.leaks import assert_nothing_held
from tests.integration.netns import run
from tests.integration.production import (
    ADMIN_PASSWORD,
    COMPUTE,
    CONTROLLER,
    ProductionCloud,
    shown_on_failure,
    wait_until,
)
from tools import guest_image
from tools.quickstart.client import Client

GUEST_TIMEOUT_S = 120.0
IMAGE, KEY, SERVER = "tiny", "key", "web"
SSH = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "ConnectTimeout=5")


class User:
    """Somebody at a terminal of the cloud's own machine."""

    def __init__(self, cloud: ProductionCloud) -> None:
        self.cloud = cloud
        self.key = cloud.files.home / "key"

    def openstack(self, *words: str) -> Any:
        """The answer of a command that shows something."""
        return json.loads(self.cloud.client("openstack", *words, "-f", "json"))

    def prepare(self) -> None:
        """An image, a key pair, and rules that let ping and SSH in."""
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        self.cloud.client("openstack", "keypair", "create", "--public-key", f"{self.key}.pub", KEY)
        disk = str(guest_image.build().disk)
        words = ("--disk-format", "qcow2", "--container-format", "bare", "--public", "--file", disk)
        self.openstack("image", "create", IMAGE, *words)
        self._open_ports()

    def _open_ports(self) -> None:
        """No current client program has words for security groups of nova itself."""
        http = Client(user="admin", password=ADMIN_PASSWORD, project="admin")
        [group] = http.compute("GET", "/os-security-groups")["security_groups"]
        for protocol, low, high in (("icmp", -1, -1), ("tcp", 22, 22)):
            rule = {"ip_protocol": protocol, "from_port": low, "to_port": high, "cidr": "0.0.0.0/0"}
            body = {"security_group_rule": rule | {"parent_group_id": group["id"]}}
            http.compute("POST", "/os-security-group-rules", body)

    def boot(self, name: str) -> dict[str, Any]:
        """A server that is ACTIVE."""
        words = ("--flavor", "m1.tiny", "--image", IMAGE, "--key-name", KEY)
        made = self.openstack("server", "create", name, *words)
        found: dict[str, Any] = wait_until(lambda: self.ended(made["id"]), f"the boot of {name}")
        assert found["status"] == "ACTIVE", found
        return found

    def ended(self, server_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] = self.openstack("server", "show", server_id)
        return None if found["status"] == "BUILD" else found

    def console(self, server_id: str) -> str:
        return self.cloud.client("nova", "console-log", server_id)

    def wait_ready(self, server_id: str) -> None:
        """Until the guest says on its console that it has come up."""
        wait_until(lambda: "ready after" in self.console(server_id), "a guest that is up", timeout_s=GUEST_TIMEOUT_S)

    def ssh(self, address: str, command: str) -> str:
        """What a command in the guest says."""
        options = [word for option in SSH for word in ("-o", option)]
        done = subprocess.run(
            ["ssh", "-i", str(self.key), *options, f"root@{address}", command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def address_of(server: dict[str, Any]) -> str:
    [[address]] = server["addresses"].values()
    return str(address)


class ProductionContract:
    """Inherited once for each database, by a class with a ``cloud`` of its own."""

    @pytest.fixture(scope="class")
    @classmethod
    def user(cls, cloud: ProductionCloud) -> User:
        user = User(cloud)
        with shown_on_failure(cloud):
            user.prepare()
        return user

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, cloud: ProductionCloud, user: User) -> Iterator[dict[str, Any]]:
        with shown_on_failure(cloud):
            server = user.boot(SERVER)
            user.wait_ready(server["id"])
            yield server
            cloud.client("openstack", "server", "delete", "--wait", server["id"])
            assert_nothing_held(cloud)

    def test_every_daemon_shows_a_smile(self, cloud: ProductionCloud) -> None:
        shown = {line.split()[0]: line.split()[4] for line in cloud.manage("service", "list").splitlines()[1:]}
        names = {"nova-scheduler", "nova-conductor", "nova-network", "nova-volume", "nova-compute"}
        assert shown == dict.fromkeys(names, ":-)")

    def test_the_compute_host_has_no_database(self, cloud: ProductionCloud) -> None:
        assert cloud.database_url not in cloud.files.config(COMPUTE).read_text()
        assert cloud.database.password not in cloud.files.log("nova-compute").read_text()

    def test_the_server_answers_on_its_address(
        self, cloud: ProductionCloud, user: User, server: dict[str, Any]
    ) -> None:
        with shown_on_failure(cloud):
            run("ping", "-c", "1", "-W", "5", address_of(server))
            assert user.ssh(address_of(server), "hostname").strip() == SERVER

    def test_its_image_came_over_http(self, cloud: ProductionCloud, server: dict[str, Any]) -> None:
        assert len(list(cloud.files.state(CONTROLLER).glob("images/**/*"))) > 0
        assert list(cloud.files.state(COMPUTE).glob("images/*")) == []
        assert len([path for path in cloud.files.state(COMPUTE).glob("instances/_base/*") if path.is_file()]) > 0

    def test_both_clients_show_it(self, cloud: ProductionCloud, user: User, server: dict[str, Any]) -> None:
        with shown_on_failure(cloud):
            [listed] = user.openstack("server", "list")
            assert (listed["Name"], listed["Status"]) == (SERVER, "ACTIVE")
            assert SERVER in cloud.client("nova", "list")
            assert address_of(server) in cloud.client("nova", "show", server["id"])
            assert f"nova-guest: address {address_of(server)}" in user.console(server["id"])

    def test_a_volume_is_attached_written_and_read_back(
        self, cloud: ProductionCloud, user: User, server: dict[str, Any]
    ) -> None:
        with shown_on_failure(cloud):
            volume = user.openstack("volume", "create", "--size", "1", "data")["id"]
            wait_until(lambda: self._status(user, volume) == "available", "a volume")
            cloud.client("nova", "volume-attach", server["id"], volume)
            wait_until(lambda: self._status(user, volume) == "in-use", "the attachment")
            device = user.openstack("volume", "show", volume)["attachments"][0]["device"]
            words = (
                f"for i in 1 2 3 4 5 6 7 8 9; do [ -b {device} ] && break; sleep 1; done; "
                f"echo kept | dd of={device} bs=512 conv=sync 2>/dev/null && sync && "
                f"echo 3 > /proc/sys/vm/drop_caches && dd if={device} bs=512 count=1 2>/dev/null | head -n 1"
            )
            assert user.ssh(address_of(server), words).strip() == "kept"
            cloud.client("nova", "volume-detach", server["id"], volume)
            wait_until(lambda: self._status(user, volume) == "available", "the end of the attachment")
            cloud.client("openstack", "volume", "delete", volume)
            wait_until(lambda: user.openstack("volume", "list") == [], "the volume to be gone")
            assert [path for path in (cloud.files.state(CONTROLLER) / "volumes").iterdir() if path.is_file()] == []

    def test_a_daemon_that_was_killed_shows_a_cross_until_it_is_back(self, cloud: ProductionCloud) -> None:
        def state() -> str:
            return cloud.manage("service", "list", "--service", "nova-volume").splitlines()[1].split()[4]

        with shown_on_failure(cloud):
            cloud.kill("nova-volume")
            wait_until(lambda: state() == "XXX", "a cross")
            cloud.restart("nova-volume")
            wait_until(lambda: state() == ":-)", "a smile")

    @staticmethod
    def _status(user: User, volume: str) -> str:
        return str(user.openstack("volume", "show", volume)["status"])
