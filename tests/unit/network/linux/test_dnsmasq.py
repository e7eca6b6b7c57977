# SPDX-License-Identifier: Apache-2.0
"""Lines and command lines for dnsmasq, whatever the database holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova import errors
from nova.domain.network import DhcpHost, Network
from nova.network.linux.dnsmasq import Dnsmasq, host_line
from nova.network.settings import DhcpSettings
from nova.network.topology import GuestBridge
from nova.system.commands import CommandRunner

HOST = DhcpHost(network_id=1, mac_address="FA:16:3e:00:00:01", address="10.0.0.2", hostname="web")


def line(**changes: object) -> str:
    words = {"network_id": 1, "mac_address": "fa:16:3e:00:00:01", "address": "10.0.0.2", "hostname": "web"} | changes
    return host_line(DhcpHost(**words), domain="novalocal", single_gateway=True)  # type: ignore[arg-type]


def test_a_card_is_one_line() -> None:
    assert host_line(HOST, domain="novalocal", single_gateway=False) == "fa:16:3e:00:00:01,web.novalocal,10.0.0.2"


def test_further_cards_get_no_default_route_where_one_is_wanted() -> None:
    assert line(first=False) == "fa:16:3e:00:00:01,set:norouter,web.novalocal,10.0.0.2"
    assert line(first=True) == "fa:16:3e:00:00:01,web.novalocal,10.0.0.2"


@given(st.text())
def test_no_host_name_can_add_a_word_or_a_line(name: str) -> None:
    made = line(hostname=name)
    assert made.count(",") == 2
    assert made.isascii()
    assert made.isprintable()


@pytest.mark.parametrize("name", ["a,b", "a\nb", "() { :;}; touch x", "-a", "ü", "", "a" * 64, "a.b", "a\x00"])
def test_a_name_that_is_no_label_is_replaced_by_one_made_from_the_address(name: str) -> None:
    assert line(hostname=name) == "fa:16:3e:00:00:01,host-10-0-0-2.novalocal,10.0.0.2"


@pytest.mark.parametrize(
    "change", [{"mac_address": "fa:16:3e:00:00:01,x"}, {"mac_address": ""}, {"address": "10.0.0.2\n"}]
)
def test_a_malformed_card_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidInput):
        line(**change)


def network(**changes: object) -> Network:
    words: dict[str, object] = {
        "id": 3,
        "uuid": "u",
        "label": "x --conf-file=/etc/shadow",
        "cidr": "10.0.0.0/24",
        "gateway": "10.0.0.1",
        "dhcp_server": "10.0.0.1",
        "dhcp_start": "10.0.0.2",
    }
    return Network(**(words | changes))  # type: ignore[arg-type]


def command_line(*networks: Network, **settings: object) -> list[str]:
    chosen = DhcpSettings(directory=Path("/var/lib/nova/networks"), dhcpbridge="/usr/bin/nova-dhcpbridge", **settings)  # type: ignore[arg-type]
    bridge = GuestBridge(name="br100", interface="", networks=networks)
    return Dnsmasq(CommandRunner(), chosen, bridge)._argv


def test_the_command_line_holds_nothing_that_a_user_chose() -> None:
    words = command_line(network())
    assert not any("shadow" in word for word in words)
    assert "--dhcp-range=set:net3,10.0.0.2,static,255.255.255.0,86400s" in words
    assert "--listen-address=10.0.0.1" in words
    assert "--dhcp-lease-max=256" in words
    assert "--dhcp-ignore=tag:!known" in words
    assert {"--bind-interfaces", "--except-interface=lo", "--leasefile-ro"} <= set(words)


def test_several_networks_on_one_bridge_share_a_server() -> None:
    words = command_line(network(), network(id=4, cidr="10.1.0.0/25", dhcp_server="10.1.0.1", dhcp_start="10.1.0.2"))
    assert [word for word in words if word.startswith("--listen")] == [
        "--listen-address=10.0.0.1",
        "--listen-address=10.1.0.1",
    ]
    assert "--dhcp-lease-max=384" in words


def test_gateway_mtu_and_name_servers_are_told_where_they_are_not_the_usual_ones() -> None:
    words = command_line(
        network(gateway="10.0.0.254", mtu=1400, dns1="192.0.2.53"),
        dns_servers=("198.51.100.53",),
        use_network_dns_servers=True,
    )
    assert "--dhcp-option=tag:net3,tag:!norouter,option:router,10.0.0.254" in words
    assert "--dhcp-option-force=tag:net3,option:mtu,1400" in words
    assert words[words.index("--no-resolv") + 1 :][:2] == ["--server=198.51.100.53", "--server=192.0.2.53"]


def test_a_domain_that_is_none_stops_the_start() -> None:
    with pytest.raises(errors.InvalidConfiguration):
        command_line(network(), domain="nova local\n")
