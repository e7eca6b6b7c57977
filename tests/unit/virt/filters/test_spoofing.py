# SPDX-License-Identifier: Apache-2.0
"""What a card may send, as rules."""

from __future__ import annotations

import dataclasses

import pytest

from nova.domain.network import FixedAddress, Nic
from nova.virt.filters import spoofing

NIC = Nic(
    vif_uuid="01234567-89ab-cdef-0123-456789abcdef",
    mac_address="FA:16:3E:01:02:03",
    network_uuid="n",
    label="private",
    bridge="br100",
    addresses=(FixedAddress(address="10.0.0.2", version=4, netmask="255.255.255.0"),),
)


def test_the_link_local_address_follows_from_the_mac() -> None:
    assert str(spoofing.link_local("fa:16:3e:01:02:03")) == "fe80::f816:3eff:fe01:203"


def test_the_first_rule_is_for_foreign_macs_and_the_last_for_all_the_rest() -> None:
    rules = spoofing.frame_rules(NIC)
    assert rules[0] == "-s ! fa:16:3e:01:02:03 -i tap0123456789a -j DROP"
    assert rules[-1] == "-i tap0123456789a -j DROP"
    assert all("-i tap0123456789a" in rule for rule in rules)


def test_a_card_of_an_ipv4_network_sends_no_ipv6() -> None:
    assert not [rule for rule in spoofing.frame_rules(NIC) if "IPv6" in rule]
    assert [rule for rule in spoofing.frame_rules(dataclasses.replace(NIC, cidr_v6="fd00::/64")) if "IPv6" in rule]


def test_a_mac_that_is_none_is_refused() -> None:
    for mac in ("", "fa:16:3e:01:02", "fa:16:3e:01:02:03 -j ACCEPT", "fa:16:3e:01:02:0g"):
        with pytest.raises(ValueError, match="MAC"):
            spoofing.frame_rules(dataclasses.replace(NIC, mac_address=mac))
