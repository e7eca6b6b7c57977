# SPDX-License-Identifier: Apache-2.0
"""The interfaces file of guests whose networks want one."""

from __future__ import annotations

from nova.domain.guest_metadata.interfaces_file import interfaces_file
from nova.domain.network import FixedAddress, Nic

CARD = Nic(
    vif_uuid="0f0e0d0c-0b0a-4908-8706-050403020100",
    mac_address="02:16:3e:00:00:07",
    network_uuid="n",
    label="private",
    bridge="br100",
    gateway="10.0.0.1",
    broadcast="10.0.0.255",
    dns=("10.0.0.1", "9.9.9.9"),
    cidr_v6="fd00::/64",
    gateway_v6="fd00::1",
    addresses=(
        FixedAddress(address="10.0.0.7", version=4, netmask="255.255.255.0"),
        FixedAddress(address="fd00::7", version=6, netmask="64"),
    ),
    injected=True,
)


def test_a_card_has_its_addresses_of_both_kinds() -> None:
    assert interfaces_file([CARD]).decode() == (
        "auto lo\n"
        "iface lo inet loopback\n"
        "\n"
        "auto eth0\n"
        "iface eth0 inet static\n"
        "    address 10.0.0.7\n"
        "    netmask 255.255.255.0\n"
        "    broadcast 10.0.0.255\n"
        "    gateway 10.0.0.1\n"
        "    dns-nameservers 10.0.0.1 9.9.9.9\n"
        "iface eth0 inet6 static\n"
        "    address fd00::7\n"
        "    netmask 64\n"
        "    gateway fd00::1\n"
    )


def test_networks_that_serve_dhcp_have_no_file() -> None:
    assert interfaces_file([]) == b""
