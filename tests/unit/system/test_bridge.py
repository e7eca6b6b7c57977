# SPDX-License-Identifier: Apache-2.0
"""Which changes lead to a wanted bridge, and what is refused; the kernel is a list of devices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nova import errors
from nova.system.bridge import Bridge, Bridges
from nova.system.commands import CommandRunner, Completed
from nova.system.devices import Address
from nova.system.vlan import Vlan

GATEWAY = Address(cidr="10.0.0.1/24", broadcast="10.0.0.255")
WANTED = Bridge(name="br100", addresses=(GATEWAY,))


def device(name: str, kind: str = "", **words: Any) -> dict[str, Any]:
    addresses = [
        {"local": cidr.split("/")[0], "prefixlen": int(cidr.split("/")[1]), "scope": "global"}
        for cidr in words.pop("addresses", ())
    ]
    info = {"linkinfo": {"info_kind": kind}} if kind else {}
    base = {"ifname": name, "flags": ["UP"], "mtu": 1500, "address": "52:54:00:00:00:01", "addr_info": addresses}
    return base | info | words


class Kernel(CommandRunner):
    """Shows devices and routes, and remembers what it was told."""

    def __init__(self, *devices: dict[str, Any], routes: tuple[dict[str, Any], ...] = ()) -> None:
        super().__init__()
        self.devices, self.routes = devices, routes
        self.lines: list[str] = []

    def run(self, argv: Any, *, stdin: bytes | None = None, **_: Any) -> Completed:  # type: ignore[override]
        if "-batch" in argv:
            self.lines += (stdin or b"").decode().splitlines()
        elif argv[0] == "sysctl":
            self.lines.append(" ".join(argv))
        shown = self.routes if "route" in argv else self.devices
        return Completed(json.dumps(shown).encode(), b"", 0)


def test_a_new_bridge_is_off_ipv6_before_it_is_up() -> None:
    kernel = Kernel()
    assert Bridges(kernel).ensure([WANTED]) == {"br100"}
    made, _, switches, address, up = kernel.lines
    assert made.startswith("link add name br100 address 02:")
    assert made.endswith("type bridge forward_delay 0 stp_state 0")
    assert "net.ipv6.conf.br100.disable_ipv6=1" in switches
    assert address == "addr add 10.0.0.1/24 broadcast 10.0.0.255 scope global dev br100"
    assert up == "link set dev br100 up"


def test_a_bridge_that_is_right_is_left_alone() -> None:
    kernel = Kernel(device("br100", "bridge", addresses=["10.0.0.1/24", "192.0.2.9/24"]))
    assert Bridges(kernel).ensure([WANTED]) == frozenset()
    assert [line for line in kernel.lines if not line.startswith("sysctl")] == []


def test_an_interface_goes_in_with_its_addresses_and_routes() -> None:
    route = {"dst": "172.16.0.0/12", "gateway": "192.0.2.254", "dev": "eth1", "protocol": "static", "metric": 5}
    own = {"dst": "192.0.2.0/24", "dev": "eth1", "protocol": "kernel", "scope": "link"}
    kernel = Kernel(device("eth1", addresses=["192.0.2.9/24"]), routes=(route, own))
    Bridges(kernel).ensure([Bridge(name="br100", interface="eth1")])
    assert kernel.lines[0] == "link add name br100 address 52:54:00:00:00:01 type bridge forward_delay 0 stp_state 0"
    assert kernel.lines[-4:] == [
        "link set dev eth1 master br100 up",
        "addr del 192.0.2.9/24 dev eth1",
        "addr add 192.0.2.9/24 dev br100",
        "route replace 172.16.0.0/12 via 192.0.2.254 dev br100 proto static metric 5",
    ]


def test_the_interface_of_the_default_route_is_kept_out_unless_the_operator_wants_it() -> None:
    default = {"dst": "default", "gateway": "192.0.2.254", "dev": "eth0"}
    kernel = Kernel(device("eth0", addresses=["192.0.2.9/24"]), routes=(default,))
    wanted = [Bridge(name="br100", interface="eth0")]
    with pytest.raises(errors.InvalidConfiguration, match="carries the default route"):
        Bridges(kernel).ensure(wanted)
    assert kernel.lines == []
    Bridges(kernel, may_move_default_route=True).ensure(wanted)
    assert kernel.lines[-1].strip() == "route replace default via 192.0.2.254 dev br100"


@pytest.mark.parametrize(
    ("devices", "wanted", "why"),
    [
        ([device("br100", "dummy")], WANTED, "is no bridge"),
        ([], Bridge(name="br100", interface="eth9"), "does not exist"),
        ([device("eth1", master="br7")], Bridge(name="br100", interface="eth1"), "is in the bridge br7"),
        ([], Bridge(name="br100; reboot"), "not the name of a network device"),
        ([], Bridge(name="a" * 16), "not the name of a network device"),
        ([], Bridge(name="br100\nlink del eth0"), "not the name of a network device"),
    ],
)
def test_a_wrong_set_up_is_refused_with_its_reason_and_changes_nothing(devices: Any, wanted: Bridge, why: str) -> None:
    kernel = Kernel(*devices)
    with pytest.raises(errors.InvalidConfiguration, match=why):
        Bridges(kernel).ensure([wanted])
    assert kernel.lines == []


def test_removal_gives_the_interface_its_addresses_back_and_spares_what_others_made() -> None:
    mine = device("br100", "bridge", ifalias="nova", addresses=["10.0.0.1/24", "192.0.2.9/24"])
    theirs = device("br0", "bridge", addresses=["10.1.0.1/24", "198.51.100.1/24"])
    kernel = Kernel(mine, theirs, device("eth1", master="br100"))
    Bridges(kernel).remove({"10.0.0.1/24", "10.1.0.1/24"})
    assert kernel.lines == [
        "link set dev eth1 nomaster",
        "addr del 192.0.2.9/24 dev br100",
        "addr add 192.0.2.9/24 dev eth1",
        "link del dev br100",
        "addr del 10.1.0.1/24 dev br0",
    ]


def test_a_bridge_with_guests_stays() -> None:
    kernel = Kernel(device("br100", "bridge", ifalias="nova"), device("tap1", "tun", master="br100"))
    Bridges(kernel).remove(set())
    assert kernel.lines == []


VLAN = Bridge(name="br100", vlan=Vlan(tag=100, parent="eth1"))


def vlan_device(tag: int = 100, parent: str = "eth1", **words: Any) -> dict[str, Any]:
    info = {"linkinfo": {"info_kind": "vlan", "info_data": {"id": tag}}, "link": parent}
    return device("vlan100") | info | words


def test_a_vlan_is_made_off_ipv6_and_put_into_its_bridge() -> None:
    kernel = Kernel(device("eth1"), vlan_device())
    Bridges(kernel).ensure([VLAN])
    assert "link set dev vlan100 master br100 up" in kernel.lines
    assert not any(line.startswith("link add link") for line in kernel.lines)
    kernel = Kernel(device("eth1", flags=[]))
    with pytest.raises(errors.InvalidConfiguration):
        Bridges(kernel).ensure([VLAN])  # this kernel makes nothing
    assert kernel.lines == [
        "link set dev eth1 up",
        "link add link eth1 name vlan100 type vlan id 100",
        "link set dev vlan100 alias nova",
        "sysctl -q -e -w net.ipv6.conf.vlan100.accept_ra=0 net.ipv6.conf.vlan100.disable_ipv6=1",
        "link set dev vlan100 up",
    ]


@pytest.mark.parametrize(
    "present",
    [[], [device("eth1"), vlan_device(101)], [device("eth1"), vlan_device(100, "eth2")], [device("vlan100")]],
    ids=["no parent", "other tag", "other parent", "no vlan"],
)
def test_a_vlan_that_cannot_be_is_refused_and_nothing_is_changed(present: list[dict[str, Any]]) -> None:
    kernel = Kernel(*present)
    with pytest.raises(errors.InvalidConfiguration):
        Bridges(kernel).ensure([VLAN])
    assert kernel.lines == []


def test_a_removed_bridge_takes_its_vlan_along_but_for_bridges_to_keep_and_of_others() -> None:
    mine = device("br100", "bridge", ifalias="nova")
    port = vlan_device(master="br100", ifalias="nova")
    kernel = Kernel(mine, port)
    Bridges(kernel).remove((), keep={"br100"})
    Bridges(kernel, alias="other").remove(())
    assert kernel.lines == []
    Bridges(kernel).remove(())
    assert kernel.lines == ["link set dev vlan100 nomaster", "link del dev br100", "link del dev vlan100"]
