# SPDX-License-Identifier: Apache-2.0
"""multi_host for real: two hosts on one cable, each gateway, DHCP server and translator of its own guests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from nova.db import floating_claims, floating_ips
from nova.domain.network import Nic
from tests.integration.network_cloud import BRIDGE, CONTEXT, Cloud
from tests.integration.network_lab import OUTSIDE_HOST, OUTSIDE_WORLD, Guest, NetworkLab, wait_until

pytestmark = [pytest.mark.root]

BESIDE, WORLD_BESIDE = "198.51.100.1", "198.51.100.2"
FLOATING = "198.51.100.50"
PAGE = f"http://{OUTSIDE_WORLD}:8000/"


class Pair(Cloud):
    """The hosts ``one`` and ``two``; each has an uplink of its own."""

    def __init__(self, lab: NetworkLab) -> None:
        super().__init__(lab)
        self.beside = lab.host_beside("eth1")
        lab.ip(self.beside.namespace, "link", "add", "ext0", "type", "veth", "peer", "name", "eth1", "netns", lab.world)
        for namespace, address, device in ((self.beside.namespace, BESIDE, "ext0"), (lab.world, WORLD_BESIDE, "eth1")):
            lab.ip(namespace, "addr", "add", f"{address}/24", "dev", device)
            lab.ip(namespace, "link", "set", device, "up")
        lab.ip(self.beside.namespace, "route", "add", "default", "via", WORLD_BESIDE)
        self.interface = "eth1"
        self.create_network(multi_host=True)
        self.services.clear()
        self.service = self.new_service("one")
        self.new_service("two", runner=self.beside, source=BESIDE)
        for service in self.services.values():
            service.start()

    def guest(self, nic: Nic, host: str) -> Guest:
        return self.lab.guest(BRIDGE, nic.mac_address, on=self.beside.namespace if host == "two" else "")

    def kill(self, name: str) -> None:
        """The host is gone: its daemon, its processes, and its end of the cable."""
        del self.services[name]
        for pid in self.lab.processes("dnsmasq"):
            os.kill(pid, signal.SIGKILL)
        self.lab.ip(self.lab.host, "link", "set", "eth1", "down")
        self.lab.ip(self.lab.host, "link", "set", "ext0", "down")


@pytest.fixture
def pair() -> Iterator[Pair]:
    lab = NetworkLab()
    try:
        made = Pair(lab.start())
        yield made
        made.database.dispose()
    finally:
        lab.stop()


def test_each_host_serves_its_own_guests_and_goes_on_when_the_other_is_lost(pair: Pair) -> None:
    lab = pair.lab
    for namespace, address in ((lab.host, OUTSIDE_HOST), (pair.beside.namespace, BESIDE)):
        lab.serve_http(namespace, address, 8775, f"metadata of {address}")
    lab.serve_http(lab.world, "0.0.0.0", 8000, "world")
    _, first_nic = pair.allocate("first", on="one")
    second_id, second_nic = pair.allocate("second", on="two")
    first, second = pair.guest(first_nic, "one"), pair.guest(second_nic, "two")

    leases = [first.dhcp(), second.dhcp()]
    assert [lease["ip"] for lease in leases] == [nic.addresses[0].address for nic in (first_nic, second_nic)]
    assert leases[0]["router"] != leases[1]["router"]
    assert first.run("busybox", "ping", "-c", "1", "-W", "2", leases[1]["ip"]).returncode == 0
    assert first.get(PAGE) == f"world for {OUTSIDE_HOST}"
    assert second.get(f"http://{WORLD_BESIDE}:8000/") == f"world for {BESIDE}"
    assert second.get("http://169.254.169.254/") == f"metadata of {BESIDE} for {leases[1]['ip']}"

    with pair.database.transaction() as tx:
        floating_ips.create(tx, [FLOATING], pool="nova", interface="")
        floating = floating_claims.allocate(tx, project_id="p1", pool="nova")
        host = floating_claims.associate(tx, floating, fixed_address=leases[1]["ip"], instance_uuid=second_id)
    assert host == "two"
    for service in pair.services.values():
        service.refresh_floating_ips(CONTEXT)
    lab.serve_http(second.namespace, "0.0.0.0", 80, "second")
    assert lab.get(lab.world, f"http://{FLOATING}/") == f"second for {WORLD_BESIDE}"

    pair.kill("one")
    assert second.dhcp()["router"] == leases[1]["router"]
    assert second.get(f"http://{WORLD_BESIDE}:8000/") == f"world for {FLOATING}"
    assert lab.get(lab.world, f"http://{FLOATING}/") == f"second for {WORLD_BESIDE}"
    pair.service = pair.services["two"]
    _, third = pair.allocate("third", on="two")
    assert pair.guest(third, "two").dhcp()["router"] == leases[1]["router"]


def test_a_moved_server_keeps_its_address_and_gets_the_other_host_as_its_gateway(pair: Pair) -> None:
    uuid, nic = pair.allocate("roamer", on="one")
    before = pair.guest(nic, "one")
    here = before.dhcp()
    wait_until(lambda: pair.fixed_ip(here["ip"]).leased, why="lease recorded")
    pair.service.move(CONTEXT, instance_uuid=uuid, host="two")
    pair.service.move(CONTEXT, instance_uuid=uuid, host="two")
    assert before.dhcp()["router"] != here["router"]
    pair.lab.ip(before.namespace, "link", "del", "eth0")
    there = pair.guest(nic, "two").dhcp()
    assert (there["ip"], there["router"] != here["router"]) == (here["ip"], True)
    assert pair.fixed_ip(here["ip"]).instance_uuid == uuid
