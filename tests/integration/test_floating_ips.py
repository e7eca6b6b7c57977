# SPDX-License-Identifier: Apache-2.0
"""Floating addresses for real: what a client outside receives, and under which address a guest is seen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from nova.db import floating_claims, floating_ips
from tests.integration.network_cloud import BRIDGE, CONTEXT, Cloud
from tests.integration.network_lab import OUTSIDE_HOST, OUTSIDE_WORLD, Guest, NetworkLab, wait_until

pytestmark = [pytest.mark.root]

FLOATING, OTHER = "192.0.2.50", "192.0.2.51"

ECHO = """
import socket, threading
def serve(there):
    while data := there.recv(100):
        there.sendall(data)
listening = socket.create_server(("0.0.0.0", 7))
while True:
    threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()
"""
TALK = """
import socket, sys
there = socket.create_connection((sys.argv[1], 7), timeout=3)
for line in sys.stdin:
    there.sendall(line.encode())
    try:
        print(there.recv(100).decode().strip() or "closed", flush=True)
    except (TimeoutError, ConnectionError):
        print("silence", flush=True)
"""


class Talk:
    """A TCP connection from outside to a server that says everything again."""

    def __init__(self, lab: NetworkLab, address: str) -> None:
        argv = ["ip", "netns", "exec", lab.world, sys.executable, "-u", "-c", TALK, address]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, word: str) -> str:
        """What comes back."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Public(Cloud):
    """Two guests, and the addresses that lead to them."""

    def __init__(self, lab: NetworkLab) -> None:
        super().__init__(lab)
        self.create_network()
        self.service.start()
        with self.database.transaction() as tx:
            floating_ips.create(tx, [FLOATING, OTHER], pool="nova", interface="")
            for _ in range(2):
                floating_claims.allocate(tx, project_id="p1", pool="nova")
        self.alpha, self.beta = self._guest("alpha"), self._guest("beta")

    def _guest(self, name: str) -> tuple[str, Guest]:
        instance, nic = self.allocate(name)
        guest = self.lab.guest(BRIDGE, nic.mac_address)
        address = guest.dhcp()["ip"]
        self.lab.serve_http(guest.namespace, "0.0.0.0", 80, name)
        self.lab.background(guest.namespace, sys.executable, "-c", ECHO)
        wait_until(lambda: ":7 " in guest.run("ss", "-ltn").stdout, why="an echo server")
        self.addresses = getattr(self, "addresses", {}) | {instance: address}
        return instance, guest

    def point(self, address: str, instance: str) -> None:
        with self.database.transaction() as tx:
            floating = floating_ips.get(tx, address)
            floating_claims.associate(tx, floating, fixed_address=self.addresses[instance], instance_uuid=instance)
        self.service.refresh_floating_ips(CONTEXT)

    def let_go(self, address: str) -> None:
        with self.database.transaction() as tx:
            assert floating_claims.disassociate(tx, floating_ips.get(tx, address))
        self.service.refresh_floating_ips(CONTEXT)

    def page(self, namespace: str, address: str) -> str:
        """What a web client there receives from the address."""
        return self.lab.get(namespace, f"http://{address}/")

    def carried(self) -> list[str]:
        shown = self.lab.run(self.lab.host, "ip", "-o", "-4", "addr", "show", "ext0").stdout
        return [line.split()[3] for line in shown.splitlines()]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Public]:
    lab = NetworkLab()
    try:
        made = Public(lab.start())
        yield made
        made.database.dispose()
    finally:
        lab.stop()


def test_a_floating_address_leads_to_its_guest_from_everywhere_and_the_guest_is_seen_under_it(cloud: Public) -> None:
    lab, (instance, guest) = cloud.lab, cloud.alpha
    lab.serve_http(lab.world, OUTSIDE_WORLD, 8000, "world")
    assert guest.get(f"http://{OUTSIDE_WORLD}:8000/") == f"world for {OUTSIDE_HOST}"
    cloud.point(FLOATING, instance)
    assert cloud.page(lab.world, FLOATING) == f"alpha for {OUTSIDE_WORLD}"
    assert lab.run(lab.world, "busybox", "ping", "-c", "1", "-W", "2", FLOATING).returncode == 0
    assert guest.get(f"http://{OUTSIDE_WORLD}:8000/") == f"world for {FLOATING}"
    assert cloud.page(lab.host, FLOATING).startswith("alpha for ")
    assert cloud.page(cloud.beta[1].namespace, FLOATING).startswith("alpha for ")
    assert cloud.carried() == [f"{OUTSIDE_HOST}/24", f"{FLOATING}/32"]
    saved = lab.run(lab.host, "iptables-save", "-t", "nat").stdout
    for rule in (
        f"-A nova-network-OUTPUT -d {FLOATING}/32 -j DNAT --to-destination 10.20.0.2",
        f"-A nova-network-PREROUTING -d {FLOATING}/32 -j DNAT --to-destination 10.20.0.2",
        f"-A nova-network-floating-snat -s 10.20.0.2/32 -j SNAT --to-source {FLOATING}",
    ):
        assert rule in saved


def test_open_connections_outlive_a_restart_and_end_when_the_address_is_taken_away(cloud: Public) -> None:
    cloud.point(FLOATING, cloud.alpha[0])
    talk = Talk(cloud.lab, FLOATING)
    try:
        assert talk.say("one") == "one"
        cloud.lab.runner.commands.clear()
        cloud.service = cloud.new_service()
        cloud.service.start()
        assert not any(command[0] in ("iptables-restore", "conntrack") for command in cloud.lab.runner.commands)
        assert talk.say("two") == "two"
        cloud.let_go(FLOATING)
        assert talk.say("three") == "silence"
        assert cloud.page(cloud.lab.world, FLOATING) == ""
        assert cloud.carried() == [f"{OUTSIDE_HOST}/24"]
    finally:
        talk.close()


def test_a_moved_address_leads_to_the_other_guest_and_no_old_connection_stays(cloud: Public) -> None:
    cloud.point(FLOATING, cloud.alpha[0])
    talk = Talk(cloud.lab, FLOATING)
    try:
        assert talk.say("one") == "one"
        cloud.point(FLOATING, cloud.beta[0])
        assert cloud.page(cloud.lab.world, FLOATING) == f"beta for {OUTSIDE_WORLD}"
        assert talk.say("two") != "two"
        cloud.point(OTHER, cloud.alpha[0])
        assert cloud.page(cloud.lab.world, OTHER) == f"alpha for {OUTSIDE_WORLD}"
        assert cloud.page(cloud.lab.world, FLOATING) == f"beta for {OUTSIDE_WORLD}"
    finally:
        talk.close()


def test_a_killed_daemons_changes_are_made_up_for_at_the_next_start(cloud: Public) -> None:
    cloud.point(FLOATING, cloud.alpha[0])
    talk = Talk(cloud.lab, FLOATING)
    try:
        assert talk.say("one") == "one"
        with cloud.database.transaction() as tx:
            floating_claims.disassociate(tx, floating_ips.get(tx, FLOATING))
        cloud.service = cloud.new_service()
        cloud.service.start()
        assert f"{FLOATING}/32" not in cloud.carried()
        assert talk.say("two") != "two"
    finally:
        talk.close()


def test_flushed_rules_and_a_lost_address_come_back(cloud: Public) -> None:
    lab = cloud.lab
    cloud.point(FLOATING, cloud.alpha[0])
    lab.run(lab.host, "iptables", "-t", "nat", "-F")
    lab.ip(lab.host, "addr", "del", f"{FLOATING}/32", "dev", "ext0")
    assert cloud.page(lab.world, FLOATING) == ""
    cloud.service.periodic()
    assert cloud.page(lab.world, FLOATING) == f"alpha for {OUTSIDE_WORLD}"


def test_a_deleted_server_takes_its_floating_addresses_off_the_host(cloud: Public) -> None:
    cloud.point(FLOATING, cloud.alpha[0])
    cloud.service.release(CONTEXT, instance_uuid=cloud.alpha[0])
    assert f"{FLOATING}/32" not in cloud.carried()
    assert FLOATING not in cloud.lab.run(cloud.lab.host, "iptables-save").stdout


def test_everything_of_ours_goes_at_the_end(cloud: Public) -> None:
    cloud.point(FLOATING, cloud.beta[0])
    cloud.service.remove_all()
    assert cloud.carried() == [f"{OUTSIDE_HOST}/24"]
    assert "nova-network" not in cloud.lab.run(cloud.lab.host, "iptables-save").stdout
