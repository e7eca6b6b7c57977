# SPDX-License-Identifier: Apache-2.0
"""Two projects on two VLANs over a network host and a compute host; run by test_vlan.py under a kernel of its own.

Says ``ok`` and ends with 0.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from nova.db import floating_claims, floating_ips, networks
from nova.system.bridge import Bridges
from nova.virt.bridges import ALIAS, GuestBridges
from tests.integration.network_cloud import CONTEXT, Cloud
from tests.integration.network_lab import OUTSIDE_WORLD, Guest, NetworkLab, wait_until

FLOATING = "192.0.2.50"
TAGGED = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("eth0", 0))
own = link.getsockname()[4]
for tag in (int(word) for word in sys.argv[1:]):
    link.send(b"\\xff" * 6 + own + b"\\x81\\x00" + tag.to_bytes(2, "big") + b"\\x88\\xb5" + b"hop" * 20)
"""
LISTEN = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind(("eth0", 0))
print("listening", flush=True)
while True:
    if b"hophop" in link.recv(2000):
        print("heard", flush=True)
"""


class Trunk:
    """A network host and a compute host, on a cable that carries VLANs, and guests on both."""

    def __init__(self, lab: NetworkLab) -> None:
        self.lab = lab
        self.there = lab.host_beside("eth1")
        lab.ip(lab.host, "link", "add", "link", "eth1", "name", "vlan100", "type", "vlan", "id", "100")
        self.cloud = Cloud(lab, mode="vlan")
        for number in range(3):
            self.cloud.create_network(f"10.20.{number}.0/24", bridge="", vlan_start=100 + number, label=f"v{number}")
        self.cloud.service.start()
        self.bridges = GuestBridges(Bridges(self.there, alias=ALIAS), vlan_interface="eth1", devices="/nowhere")

    def guest(self, name: str, project: str, *, far: bool) -> tuple[str, Guest, str]:
        """A server's UUID, the guest, and the address that it got by DHCP."""
        instance, nic = self.cloud.allocate(name, project=project)
        if far:
            self.bridges.ensure([nic])
        guest = self.lab.guest(nic.bridge, nic.mac_address, on=self.there.namespace if far else "")
        lease = guest.dhcp()
        assert lease.get("ip") == nic.addresses[0].address, (name, lease, nic)
        return instance, guest, lease["ip"]

    def devices(self) -> set[str]:
        shown = self.lab.run(self.lab.host, "ip", "-j", "link").stdout
        return {each["ifname"] for each in json.loads(shown)}

    def point(self, instance: str, fixed: str) -> None:
        with self.cloud.database.transaction() as tx:
            floating_ips.create(tx, [FLOATING], pool="nova", interface="")
            floating = floating_claims.allocate(tx, project_id="blue", pool="nova")
            floating_claims.associate(tx, floating, fixed_address=fixed, instance_uuid=instance)
        self.cloud.service.refresh_floating_ips(CONTEXT)


def pings(guest: Guest, address: str) -> bool:
    return guest.run("busybox", "ping", "-c", "2", "-W", "2", address).returncode == 0


def heard(lab: NetworkLab, guest: Guest, sender: Guest) -> int:
    """How many of the frames with tags that *sender* makes itself arrive at *guest*."""
    log = lab.directory / "heard"
    lab.background(guest.namespace, "sh", "-c", f'exec "$0" -u -c "$1" > {log}', sys.executable, LISTEN)
    wait_until(lambda: log.exists() and "listening" in log.read_text(), why="a listener")
    sender.run(sys.executable, "-c", TAGGED, "100", "101")
    time.sleep(0.5)  # nothing tells that a frame does not come
    return log.read_text().count("heard")


def main() -> None:
    lab = NetworkLab().start()
    try:
        trunk = Trunk(lab)
        _, near, near_address = trunk.guest("near", "red", far=False)
        _, far, far_address = trunk.guest("far", "red", far=True)
        blue, other, other_address = trunk.guest("other", "blue", far=True)
        print("leases:", near_address, far_address, other_address, flush=True)
        assert pings(near, far_address), "a project's servers do not reach each other over the trunk"
        assert pings(far, "10.20.0.1"), "the gateway is not reached over the trunk"
        assert not pings(far, other_address), "one project reaches another"
        assert not pings(other, near_address), "one project reaches another"
        assert heard(lab, other, far) == 0, "a guest's own tag leads into another project's VLAN"
        lab.serve_http(other.namespace, "0.0.0.0", 80, "other")
        trunk.point(blue, other_address)
        assert lab.get(lab.world, f"http://{FLOATING}/") == f"other for {OUTSIDE_WORLD}"
        assert far.get(f"http://{FLOATING}/").startswith("other for "), "floating addresses are for everybody"
        print("packets are where they belong", flush=True)

        assert {"vlan100", "br100", "vlan101", "br101"} <= trunk.devices()
        assert not {"vlan102", "br102"} & trunk.devices()
        trunk.cloud.service.release(CONTEXT, instance_uuid=blue)
        with trunk.cloud.database.transaction() as tx:
            networks.associate(tx, networks.get_by_cidr(tx, "10.20.1.0/24").id, project_id="")
        trunk.cloud.service.refresh(CONTEXT)
        assert not {"vlan101", "br101"} & trunk.devices()
        assert pings(far, near_address)
        trunk.guest("green", "green", far=True)
        assert {"vlan101", "br101"} <= trunk.devices()
        trunk.cloud.service.remove_all()
        print("ok", flush=True)
    finally:
        lab.stop()


if __name__ == "__main__":
    main()
