# SPDX-License-Identifier: Apache-2.0
"""Packets and frames between guests on one bridge, with the filters of nova-compute in force: what passes."""

from __future__ import annotations

import dataclasses
import socket
import struct
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova import errors
from nova.domain.network import FixedAddress, Nic
from nova.domain.security_group import InstanceFilter, SecurityGroupRule
from nova.system.commands import CommandRunner
from nova.virt.filters.linux import FilterSettings, LinuxFilters
from nova.virt.filters.spoofing import link_local
from tests.integration.netns import Inside, Lan, python_inside, run

pytestmark = pytest.mark.root

MAC_A, MAC_B, MAC_C = "02:16:3e:00:00:0a", "02:16:3e:00:00:0b", "02:16:3e:00:00:0c"
UUID_A, UUID_B = str(uuid.UUID(int=0xA << 120)), str(uuid.UUID(int=0xB << 120))
GATEWAY = "10.0.0.254"

SEND = """
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
    wire.bind(("eth0", 0))
    for frame in sys.argv[1:]:
        wire.send(bytes.fromhex(frame))
"""
SNIFF = """
import socket, sys, time
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as wire:
    wire.bind(("eth0", 3))
    wire.settimeout(5)
    print("listening", flush=True)
    while True:
        frame = wire.recv(2000)
        print(frame.hex(), flush=True)
        if frame.endswith(b"the end"):
            break
"""
LISTEN = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=family) as server:
    print("listening", flush=True)
    while True:
        server.accept()[0].close()
"""
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.7).close()
    print("yes")
except TimeoutError:
    print("no")
"""


def nic(letter: str, mac: str, number: int) -> Nic:
    return Nic(
        vif_uuid=str(uuid.UUID(int=number << 100)),
        mac_address=mac,
        network_uuid="n",
        label="private",
        bridge="br0",
        cidr="10.0.0.0/24",
        cidr_v6="fd00::/64",
        gateway=GATEWAY,
        dhcp_server=GATEWAY,
        addresses=(
            FixedAddress(address=f"10.0.0.{number}", version=4, netmask="255.255.255.0"),
            FixedAddress(address=f"fd00::{number}", version=6, netmask="64"),
        ),
    )


NIC_A, NIC_B = nic("a", MAC_A, 10), nic("b", MAC_B, 11)
OPEN = InstanceFilter(instance_uuid=UUID_A, rules=(SecurityGroupRule(cidr="0.0.0.0/0"), SecurityGroupRule(cidr="::/0")))


def rule(**values: object) -> SecurityGroupRule:
    return SecurityGroupRule(**{"cidr": "0.0.0.0/0", **values})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    lan = Lan()
    try:
        run("ip", "-n", lan.name, "addr", "add", f"{GATEWAY}/24", "dev", "br0")
        lan.plug("a", port=NIC_A.tap, mac=MAC_A, addresses=("10.0.0.10/24", "fd00::10/64"))
        lan.plug("b", port=NIC_B.tap, mac=MAC_B, addresses=("10.0.0.11/24", "fd00::11/64"))
        lan.plug("c", port="port-c", mac=MAC_C, addresses=("10.0.0.12/24", "fd00::12/64"))
        yield lan
    finally:
        lan.remove()


@pytest.fixture
def inside(lan: Lan) -> Inside:
    return Inside(lan.name)


@pytest.fixture
def filters(inside: Inside, tmp_path: Path) -> Iterator[LinuxFilters]:
    made = make(inside, tmp_path)
    yield made
    made.retain(frozenset())


def make(inside: Inside, tmp_path: Path, **settings: object) -> LinuxFilters:
    values = {"lock_path": tmp_path / "lock", "allow_same_net_traffic": False, **settings}
    return LinuxFilters(FilterSettings(**values), runner=CommandRunner(inside))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def listeners(lan: Lan) -> Iterator[None]:
    wanted = [("b", "10.0.0.11", "22"), ("b", "10.0.0.11", "80"), ("b", "fd00::11", "22"), ("a", "10.0.0.10", "22")]
    started = [python_inside(lan.name + machine, LISTEN, *words) for machine, *words in wanted]
    try:
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "listening\n"
        yield
    finally:
        for each in started:
            each.kill()
            each.communicate()


def reaches(netns: str, address: str, port: int) -> bool:
    return python_inside(netns, CONNECT, address, str(port)).communicate()[0] == "yes\n"


def test_only_what_a_rule_allows_reaches_a_guest(lan: Lan, listeners: None, filters: LinuxFilters) -> None:
    assert reaches(f"{lan.name}a", "10.0.0.11", 80)
    wanted = InstanceFilter(instance_uuid=UUID_B, rules=(rule(protocol="tcp", from_port=22, to_port=22),))
    filters.apply(((wanted, (NIC_B,)), (OPEN, (NIC_A,))))
    assert reaches(f"{lan.name}a", "10.0.0.11", 22)
    assert not reaches(f"{lan.name}a", "10.0.0.11", 80)
    assert not reaches(f"{lan.name}a", "fd00::11", 22)
    assert not reaches(f"{lan.name}c", "10.0.0.11", 80)
    assert reaches(f"{lan.name}b", "10.0.0.10", 22)


def test_packets_that_the_host_routes_are_filtered_too(lan: Lan, listeners: None, filters: LinuxFilters) -> None:
    filters.apply(((InstanceFilter(instance_uuid=UUID_B), (NIC_B,)),))
    assert not reaches(lan.name, "10.0.0.11", 22)
    wanted = InstanceFilter(
        instance_uuid=UUID_B, rules=(rule(protocol="TCP", cidr=f"{GATEWAY}/32", from_port=22, to_port=22),)
    )
    filters.apply(((wanted, (NIC_B,)),))
    assert reaches(lan.name, "10.0.0.11", 22)
    assert not reaches(f"{lan.name}c", "10.0.0.11", 22)


def test_ipv6_is_filtered_by_its_own_rules(lan: Lan, listeners: None, filters: LinuxFilters) -> None:
    wanted = InstanceFilter(
        instance_uuid=UUID_B, rules=(rule(protocol="tcp", cidr="fd00::/64", from_port=1, to_port=65535),)
    )
    filters.apply(((wanted, (NIC_B,)),))
    assert reaches(f"{lan.name}c", "fd00::11", 22)
    assert not reaches(f"{lan.name}c", "10.0.0.11", 22)


def test_members_of_a_source_group_come_in_and_leave(lan: Lan, listeners: None, filters: LinuxFilters) -> None:
    by_group = SecurityGroupRule(protocol="tcp", from_port=22, to_port=80, group_id=7)
    wanted = InstanceFilter(instance_uuid=UUID_B, rules=(by_group,), members={"7": ("10.0.0.12", "fd00::12")})
    filters.apply(((wanted, (NIC_B,)),))
    assert reaches(f"{lan.name}c", "10.0.0.11", 22)
    assert reaches(f"{lan.name}c", "fd00::11", 22)
    assert not reaches(f"{lan.name}a", "10.0.0.11", 22)
    filters.apply(((dataclasses.replace(wanted, members={"7": ("10.0.0.10",)}), (NIC_B,)),))
    assert reaches(f"{lan.name}a", "10.0.0.11", 22)
    assert not reaches(f"{lan.name}c", "10.0.0.11", 22)


def test_the_own_network_may_be_let_in(lan: Lan, listeners: None, inside: Inside, tmp_path: Path) -> None:
    filters = make(inside, tmp_path, allow_same_net_traffic=True)
    try:
        filters.apply(((InstanceFilter(instance_uuid=UUID_B), (NIC_B,)),))
        assert reaches(f"{lan.name}c", "10.0.0.11", 80)
        assert reaches(f"{lan.name}c", "fd00::11", 22)
    finally:
        filters.retain(frozenset())


def test_bad_rows_are_skipped_and_the_rest_holds(lan: Lan, listeners: None, filters: LinuxFilters) -> None:
    bad = (
        rule(protocol="tcp", from_port=90, to_port=80),
        rule(protocol="", from_port=22, to_port=22),
        rule(protocol="tcp", cidr="10.0.0.0/99"),
        rule(protocol="tcp", cidr="10.0.0.0/8 -j ACCEPT\\nCOMMIT"),
        rule(protocol="gre\\n"),
        rule(protocol="icmp", from_port=300, to_port=-1),
    )
    good = tuple(
        rule(protocol="tcp", from_port=first, to_port=last, cidr=cidr)
        for first, last, cidr in ((1, 30, "0.0.0.0/0"), (20, 50, "10.0.0.0/24"), (70, 70, "255.255.255.255/32"))
    )
    filters.apply(((InstanceFilter(instance_uuid=UUID_B, rules=(*bad, *good)), (NIC_B,)),))
    assert reaches(f"{lan.name}a", "10.0.0.11", 22)
    assert not reaches(f"{lan.name}a", "10.0.0.11", 80)


def test_a_card_that_cannot_be_filtered_does_not_stop_the_others(
    lan: Lan, listeners: None, filters: LinuxFilters
) -> None:
    broken = dataclasses.replace(NIC_A, mac_address="no mac")
    closed = InstanceFilter(instance_uuid=UUID_B)
    with pytest.raises(errors.HypervisorError, match="card"):
        filters.apply(((OPEN, (broken,)), (closed, (NIC_B,))))
    assert not reaches(f"{lan.name}a", "10.0.0.11", 22)


def test_a_restarted_daemon_knows_the_rules_and_changes_nothing(
    inside: Inside, filters: LinuxFilters, tmp_path: Path
) -> None:
    by_group = SecurityGroupRule(protocol="udp", from_port=1, to_port=100, group_id=7)
    rows = (
        by_group,
        rule(protocol="icmp", from_port=8, to_port=-1),
        rule(protocol="tcp"),
        rule(protocol="icmp", from_port=3, to_port=1),
    )
    wanted = (
        (InstanceFilter(instance_uuid=UUID_B, rules=rows, members={"7": ("10.0.0.12", "fd00::12")}), (NIC_B,)),
        (OPEN, (NIC_A,)),
    )
    filters.apply(wanted)
    before = [
        run("ip", "netns", "exec", inside.netns, f"{tool}-save") for tool in ("iptables", "ip6tables", "ebtables")
    ]
    inside.commands.clear()
    again = make(inside, tmp_path)
    again.apply(wanted[1:])
    again.apply(wanted)
    assert not [argv for argv in inside.commands if "restore" in argv[0]]
    again.remove(UUID_A)
    assert len([argv for argv in inside.commands if "restore" in argv[0]]) == 3
    again.retain(frozenset())
    after = [run("ip", "netns", "exec", inside.netns, f"{tool}-save") for tool in ("iptables", "ip6tables", "ebtables")]
    for kept, gone in zip(before, after, strict=True):
        assert "tap" in kept
        assert "tap" not in gone
        assert "nova-compute-inst-" not in gone
        assert "nova-compute-grp-" not in gone


def ethernet(source: str, kind: int, payload: bytes, target: str = "ff:ff:ff:ff:ff:ff") -> bytes:
    return b"".join(bytes.fromhex(mac.replace(":", "")) for mac in (target, source)) + struct.pack(">H", kind) + payload


def arp(mac: str, sender_mac: str, sender: str, target: str = GATEWAY) -> bytes:
    body = (
        struct.pack(">HHBBH", 1, 0x800, 6, 4, 2) + bytes.fromhex(sender_mac.replace(":", "")) + socket.inet_aton(sender)
    )
    return ethernet(mac, 0x806, (body + bytes(6) + socket.inet_aton(target)).ljust(46, b"\0"))


def ipv4(mac: str, source: str, target: str, payload: bytes, protocol: int = 17) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    head += socket.inet_aton(source) + socket.inet_aton(target)
    total = sum(struct.unpack(">10H", head))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return ethernet(mac, 0x800, head[:10] + struct.pack(">H", checksum) + head[12:] + payload)


def udp(source: int, target: int, payload: bytes) -> bytes:
    return struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload


def bootp(kind: int, chaddr: str) -> bytes:
    hardware = bytes.fromhex(chaddr.replace(":", ""))
    return (struct.pack(">BBBB", kind, 1, 6, 0) + bytes(24) + hardware).ljust(240, b"\0")


def ipv6(mac: str, source: str, target: str, payload: bytes, header: int = 58) -> bytes:
    source_bytes, target_bytes = (socket.inet_pton(socket.AF_INET6, text) for text in (source, target))
    if header == 58:
        pseudo = source_bytes + target_bytes + struct.pack(">IxxxB", len(payload), 58) + payload
        total = sum(struct.unpack(f">{len(pseudo) // 2}H", pseudo))
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        payload = payload[:2] + struct.pack(">H", ~total & 0xFFFF) + payload[4:]
    head = struct.pack(">IHBB", 6 << 28, len(payload), header, 255)
    return ethernet(mac, 0x86DD, head + source_bytes + target_bytes + payload, "33:33:00:00:00:01")


def advertisement(target: str, mac: str | None) -> bytes:
    option = b"" if mac is None else b"\x02\x01" + bytes.fromhex(mac.replace(":", ""))
    return struct.pack(">BBHI", 136, 0, 0, 0x20000000) + socket.inet_pton(socket.AF_INET6, target) + option


OWN_LL, ALL = str(link_local(MAC_A)), "ff02::1"
END = ipv4(MAC_A, "10.0.0.10", "255.255.255.255", udp(9, 9, b"the end"))

GOOD = {
    "own ARP": arp(MAC_A, MAC_A, "10.0.0.10"),
    "ARP probe": arp(MAC_A, MAC_A, "0.0.0.0"),
    "DHCP discover": ipv4(MAC_A, "0.0.0.0", "255.255.255.255", udp(68, 67, bootp(1, MAC_A))),
    "own IPv4": ipv4(MAC_A, "10.0.0.10", "10.0.0.255", udp(1000, 1000, b"hello")),
    "own NA with option": ipv6(MAC_A, "fd00::10", ALL, advertisement("fd00::10", MAC_A)),
    "own NA without option": ipv6(MAC_A, OWN_LL, ALL, advertisement(OWN_LL, None)),
}
BAD = {
    "ARP for the gateway": arp(MAC_A, MAC_A, GATEWAY),
    "ARP with a foreign sender MAC": arp(MAC_A, MAC_C, "10.0.0.10"),
    "ARP from a foreign MAC": arp(MAC_C, MAC_C, "10.0.0.10"),
    "IPv4 from a neighbour's address": ipv4(MAC_A, "10.0.0.11", "10.0.0.255", udp(1000, 1000, b"forged")),
    "IPv4 from a foreign MAC": ipv4(MAC_C, "10.0.0.10", "10.0.0.255", udp(1000, 1000, b"forged")),
    "DHCP offer": ipv4(MAC_A, "10.0.0.10", "255.255.255.255", udp(67, 68, bootp(2, MAC_B))),
    "DHCP discover for a foreign card": ipv4(MAC_A, "0.0.0.0", "255.255.255.255", udp(68, 67, bootp(1, MAC_B))),
    "unknown ethertype": ethernet(MAC_A, 0x88B5, b"experiment".ljust(46, b"\0")),
    "unknown ethertype from a foreign MAC": ethernet(MAC_C, 0x88B5, b"experiment".ljust(46, b"\0")),
    "RA": ipv6(MAC_A, OWN_LL, ALL, struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)),
    "NA for a neighbour": ipv6(MAC_A, "fd00::10", ALL, advertisement("fd00::11", MAC_A)),
    "NA for a neighbour without option": ipv6(MAC_A, "fd00::10", ALL, advertisement("fd00::11", None)),
    "NA with a foreign MAC": ipv6(MAC_A, "fd00::10", ALL, advertisement("fd00::10", MAC_C)),
    "NA behind an extension header": ipv6(
        MAC_A, "fd00::10", ALL, b"\x3a\x00" + bytes(6) + advertisement("fd00::11", MAC_A), header=60
    ),
    "IPv6 from a neighbour's address": ipv6(MAC_A, "fd00::11", ALL, b"\x80\x00\x00\x00ping"),
    "DHCPv6 server": ipv6(MAC_A, OWN_LL, ALL, udp(547, 546, b"advertise"), header=17),
}


def heard(lan: Lan, frames: dict[str, bytes]) -> set[str]:
    """Which of the frames that guest A sends arrive at C, whose port has no filter."""
    sniffer = python_inside(f"{lan.name}c", SNIFF)
    assert sniffer.stdout is not None
    try:
        assert sniffer.stdout.readline() == "listening\n"
        python_inside(f"{lan.name}a", SEND, *(frame.hex() for frame in (*frames.values(), END))).communicate()
        seen = set(sniffer.communicate(timeout=10)[0].split())
    finally:
        sniffer.kill()
        sniffer.communicate()
    assert END.hex() in seen
    return {name for name, frame in frames.items() if frame.hex() in seen}


def test_without_filters_every_frame_arrives(lan: Lan, filters: LinuxFilters) -> None:
    assert heard(lan, GOOD | BAD) == set(GOOD | BAD)


def test_with_filters_a_guest_speaks_only_for_itself(lan: Lan, filters: LinuxFilters) -> None:
    filters.apply(((OPEN, (NIC_A,)),))
    assert heard(lan, GOOD | BAD) == set(GOOD)


def test_a_forged_frame_teaches_the_bridge_nothing(lan: Lan, filters: LinuxFilters) -> None:
    filters.apply(((OPEN, (NIC_A,)),))
    stranger = "02:16:3e:00:00:0d"
    heard(lan, {"forged": ethernet(stranger, 0x88B5, b"x".ljust(46, b"\0"))})
    assert stranger not in run("ip", "netns", "exec", lan.name, "bridge", "fdb", "show", "dev", NIC_A.tap)


def test_the_host_can_filter_bridged_packets(inside: Inside, tmp_path: Path) -> None:
    make(inside, tmp_path).check()
