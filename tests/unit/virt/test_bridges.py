# SPDX-License-Identifier: Apache-2.0
"""Which bridges a compute host makes for cards, and which it leaves alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from nova.domain.network import Nic
from nova.system.bridge import Bridge
from nova.system.vlan import Vlan
from nova.virt.bridges import GuestBridges

NIC = Nic(vif_uuid="v", mac_address="fa:16:3e:00:00:01", network_uuid="n", label="net", bridge="br100")


class Made:
    """Remembers what it was to make."""

    def __init__(self) -> None:
        self.bridges: list[Bridge] = []

    def ensure(self, wanted: Sequence[Bridge]) -> frozenset[str]:
        self.bridges += wanted
        return frozenset()


def made(nic: Nic, tmp_path: Path, **interfaces: str) -> list[Bridge]:
    kernel = Made()
    GuestBridges(kernel, devices=str(tmp_path), **interfaces).ensure([nic, nic])  # type: ignore[arg-type]
    return kernel.bridges


def test_a_missing_bridge_is_made_with_the_way_out_that_network_or_option_names(tmp_path: Path) -> None:
    assert made(NIC, tmp_path, flat_interface="eth2") == [Bridge(name="br100", interface="eth2")]
    named = dataclasses.replace(NIC, bridge_interface="bond0", mtu=1400)
    assert made(named, tmp_path, flat_interface="eth2") == [Bridge(name="br100", interface="bond0", mtu=1400)]
    tagged = dataclasses.replace(NIC, vlan=100)
    assert made(tagged, tmp_path, vlan_interface="eth1") == [Bridge(name="br100", vlan=Vlan(tag=100, parent="eth1"))]


def test_a_bridge_without_a_way_out_is_not_made(tmp_path: Path) -> None:
    assert made(NIC, tmp_path) == []
    assert made(dataclasses.replace(NIC, vlan=100), tmp_path, flat_interface="eth2") == []


def test_a_bridge_that_is_there_with_its_port_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "br100" / "brif" / "eth2").mkdir(parents=True)
    assert made(NIC, tmp_path, flat_interface="eth2") == []
