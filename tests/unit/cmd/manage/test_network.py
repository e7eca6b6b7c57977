# SPDX-License-Identifier: Apache-2.0
"""nova-manage network, fixed and floating: words of all eras, with a real database."""

from __future__ import annotations

import io
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova import errors
from nova.cmd.manage import fixed, floating, network
from nova.cmd.manage.frame import Category, find, read
from nova.db import networks
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.network import Network

CONF = {
    "network_manager": "flat_dhcp",
    "network_host": None,
    "flat_network_bridge": "br100",
    "flat_interface": None,
    "vlan_interface": "eth1",
    "num_networks": 1,
    "network_size": 256,
    "gateway": None,
    "gateway_v6": None,
    "flat_network_dns": "8.8.4.4",
    "vlan_start": 100,
    "vpn_start": 1000,
    "vpn_ip": "192.0.2.1",
    "cnt_vpn_clients": 0,
    "multi_host": False,
    "flat_injected": False,
    "network_device_mtu": None,
    "floating_range": "4.4.4.0/29",
    "default_floating_pool": "nova",
    "public_interface": "eth0",
}


class Shell:
    """An operator at a shell; ``run`` takes the words after nova-manage's category."""

    def __init__(self, database: Database) -> None:
        self.db = database
        self.conf = types.SimpleNamespace(**CONF)
        self.out = io.StringIO()

    def say(self, line: str = "") -> None:
        print(line, file=self.out)

    def run(self, category: Category, words: str) -> str:
        self.out = io.StringIO()
        name, *rest = words.split()
        action = find(name, category.actions, what="actions")
        action.run(self, **read(action, rest))
        return self.out.getvalue()

    def networks(self) -> list[Network]:
        return self.db.run(networks.find_all, write=False)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    database = Database(DatabaseSettings(url=f"sqlite:///{tmp_path}/nova.sqlite"))
    with database.transaction() as tx:
        Base.metadata.create_all(tx.connection)
    yield Shell(database)
    database.dispose()


def facts(one: Network) -> tuple[Any, ...]:
    return one.label, one.cidr, one.vlan, one.bridge


@pytest.mark.parametrize(
    ("manager", "words", "expected"),
    [
        ("flat_dhcp", "novanet 192.168.0.0/24 1 256", [("novanet", "192.168.0.0/24", None, "br100")]),
        ("flat_dhcp", "public 192.168.3.0/12 1 256", [("public", "192.160.0.0/24", None, "br100")]),
        (
            "flat_dhcp",
            "--fixed_range_v4 10.99.0.0/22 --num_networks 1 --network_size 1022 --bridge br7 net1",
            [("net1", "10.99.0.0/22", None, "br7")],
        ),
        (
            "vlan",
            "public 10.0.1.0/24 3 32 100 1000 fd00:1::/48",
            [
                ("public_0", "10.0.1.0/27", 100, "br100"),
                ("public_1", "10.0.1.32/27", 101, "br101"),
                ("public_2", "10.0.1.64/27", 102, "br102"),
            ],
        ),
        ("vlan", "10.0.0.0/24 1 32 200 1000 fd00::/48 old", [("old", "10.0.0.0/27", 200, "br200")]),
        ("vlan", "10.0.0.0/24 1 32", [("public", "10.0.0.0/27", 100, "br100")]),
    ],
)
def test_networks_are_created_by_the_words_of_every_era(
    shell: Shell, manager: str, words: str, expected: list[tuple[Any, ...]]
) -> None:
    shell.conf.network_manager = manager
    assert shell.run(network.CATEGORY, f"create {words}") == ""
    assert [facts(one) for one in shell.networks()] == expected


def test_an_ipv6_gateway_in_the_place_of_the_gateway_is_the_older_order(shell: Shell) -> None:
    shell.run(network.CATEGORY, "create net 10.0.0.0/24 1 256 F 0 0 fd00::/64 fd00::9 br5 eth5 9.9.9.9")
    (one,) = shell.networks()
    assert (one.gateway_v6, one.bridge, one.bridge_interface, one.dns1) == ("fd00::9", "br5", "eth5", "9.9.9.9")


def test_vlans_are_counted_on_when_none_is_named(shell: Shell) -> None:
    shell.conf.network_manager = "vlan"
    for number in range(4):
        shell.run(network.CATEGORY, f"create private 10.1.17{number}.0/24 1 256")
    assert [one.vlan for one in shell.networks()] == [100, 101, 102, 103]


@pytest.mark.parametrize(
    "words", ["net", "net 10.0.0.0/24 x", "net 10.0.0.0/33", "net 10.0.0.0/24 1 256 maybe", "net 10.0.0.0/24 --dns1 x"]
)
def test_wrong_words_are_refused_and_nothing_is_made(shell: Shell, words: str) -> None:
    with pytest.raises(errors.InvalidInput):
        shell.run(network.CATEGORY, f"create {words}")
    assert shell.networks() == []


def test_flat_networks_want_a_bridge(shell: Shell) -> None:
    shell.conf.flat_network_bridge = None
    with pytest.raises(errors.InvalidInput, match="bridge is required"):
        shell.run(network.CATEGORY, "create net 10.0.0.0/24")


def test_the_list_has_the_columns_that_scripts_cut(shell: Shell) -> None:
    assert shell.run(network.CATEGORY, "list") == "No networks found\n"
    shell.run(network.CATEGORY, "create net 10.0.0.0/24 1 256")
    header, row = shell.run(network.CATEGORY, "list").splitlines()
    assert [cell.strip() for cell in header.split("\t")] == list(network.HEADER)
    cells = [cell.strip() for cell in row.split("\t")]
    assert cells[:8] == ["1", "10.0.0.0/24", "None", "10.0.0.2", "8.8.4.4", "None", "None", "None"]


def test_a_network_is_associated_disassociated_and_deleted(shell: Shell) -> None:
    shell.run(network.CATEGORY, "create net 10.0.0.0/24 1 256")
    shell.run(network.CATEGORY, "modify 10.0.0.0/24 --project red --host n1")
    assert [(one.project_id, one.host) for one in shell.networks()] == [("red", "n1")]
    with pytest.raises(errors.Conflict):
        shell.run(network.CATEGORY, "delete 10.0.0.0/24")
    with pytest.raises(errors.InvalidInput):
        shell.run(network.CATEGORY, "modify 10.0.0.0/24 --project red --disassociate-host")
    shell.run(network.CATEGORY, "modify 10.0.0.0/24 --disassociate-project")
    shell.run(network.CATEGORY, "delete 10.0.0.0/24")
    assert shell.networks() == []


def test_reserved_addresses_are_listed(shell: Shell) -> None:
    assert shell.run(fixed.CATEGORY, "list") == "No fixed IP found.\n"
    shell.run(network.CATEGORY, "create net 10.0.0.0/24 1 256")
    shell.run(fixed.CATEGORY, "reserve 10.0.0.7")
    rows = [line.split("\t")[1].strip() for line in shell.run(fixed.CATEGORY, "list").splitlines()]
    assert rows == ["IP address", "10.0.0.0", "10.0.0.1", "10.0.0.7", "10.0.0.255"]
    assert shell.run(fixed.CATEGORY, "get 10.0.0.7").splitlines()[1].split("\t")[1].strip() == "10.0.0.7"
    assert "10.0.0.99" in shell.run(fixed.CATEGORY, "get 10.0.0.99")
    shell.run(fixed.CATEGORY, "unreserve --address 10.0.0.7")
    shell.run(network.CATEGORY, "reserve 10.0.0.7")
    shell.run(network.CATEGORY, "unreserve 10.0.0.7")
    with pytest.raises(errors.NotFound) as unknown:
        shell.run(fixed.CATEGORY, "reserve 172.16.0.1")
    assert unknown.value.data["exit_code"] == 2


def test_floating_addresses_come_and_go_by_range(shell: Shell) -> None:
    assert "No floating IP addresses" in shell.run(floating.CATEGORY, "list")
    shell.run(floating.CATEGORY, "create my-hostname 68.99.26.170/31")
    assert shell.run(floating.CATEGORY, "list").splitlines() == [
        "None\t68.99.26.170\tNone\tnova\teth0",
        "None\t68.99.26.171\tNone\tnova\teth0",
    ]
    with pytest.raises(errors.AlreadyExists):
        shell.run(floating.CATEGORY, "create 68.99.26.168/29")
    shell.run(floating.CATEGORY, "destroy my-hostname 68.99.26.170/31")
    shell.run(floating.CATEGORY, "create --ip_range 172.16.1.0/24 --pool public --interface eth2")
    lines = shell.run(floating.CATEGORY, "list").splitlines()
    assert (len(lines), lines[0]) == (254, "None\t172.16.1.1\tNone\tpublic\teth2")
    shell.run(floating.CATEGORY, "create")
    with pytest.raises(errors.NotFound):
        shell.run(floating.CATEGORY, "delete 192.0.2.0/30")
    with pytest.raises(errors.InvalidInput):
        shell.run(floating.CATEGORY, "create 10.0.0.0/8")
