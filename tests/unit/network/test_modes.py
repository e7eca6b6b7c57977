# SPDX-License-Identifier: Apache-2.0
"""Which bridges each mode needs for which networks."""

from __future__ import annotations

import dataclasses

import pytest

from nova import errors
from nova.conf.network import MANAGERS
from nova.domain.network import Network
from nova.network.modes import MODES
from nova.network.topology import ModeSettings

NETWORK = Network(id=1, uuid="u1", label="one", cidr="10.0.0.0/24", dhcp_server="10.0.0.1", bridge="br7")


def test_every_word_of_the_option_is_a_mode() -> None:
    assert set(MODES) == set(MANAGERS)


@pytest.mark.parametrize("mode", ["flat", "flat_dhcp"])
def test_flat_networks_that_name_the_same_bridge_share_it(mode: str) -> None:
    unnamed = dataclasses.replace(NETWORK, id=2, bridge="")
    topology = MODES[mode](ModeSettings(bridge="br7", flat_interface="eth2", mtu=1450))
    (bridge,) = topology.bridges([NETWORK, unnamed])
    assert (bridge.name, bridge.interface, bridge.vlan, bridge.mtu) == ("br7", "eth2", None, 1450)
    assert bridge.dhcp is (mode == "flat_dhcp")


def test_a_flat_network_without_any_bridge_is_a_mistake() -> None:
    with pytest.raises(errors.InvalidConfiguration, match="flat_network_bridge"):
        MODES["flat_dhcp"](ModeSettings()).bridges([dataclasses.replace(NETWORK, bridge="")])


def test_a_vlan_is_wired_once_a_project_has_it() -> None:
    free = dataclasses.replace(NETWORK, vlan=100, bridge="")
    mine = dataclasses.replace(free, project_id="red")
    topology = MODES["vlan"](ModeSettings(vlan_interface="eth1"))
    assert topology.bridges([free]) == []
    (bridge,) = topology.bridges([mine])
    assert (bridge.name, bridge.interface, bridge.vlan) == ("br100", "eth1", 100)
    (other,) = topology.bridges([dataclasses.replace(mine, bridge_interface="bond0", bridge="br_100")])
    assert (other.name, other.interface) == ("br_100", "bond0")
    for bad, word in ((dataclasses.replace(mine, vlan=None), "tag"), (mine, "vlan_interface")):
        with pytest.raises(errors.InvalidConfiguration, match=word):
            MODES["vlan"](ModeSettings()).bridges([bad])
