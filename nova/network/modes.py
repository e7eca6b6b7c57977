# SPDX-License-Identifier: Apache-2.0
"""The modes of networks, by the word of the option ``network_manager``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nova.network.flat import Flat, FlatDhcp
from nova.network.topology import ModeSettings, Topology
from nova.network.vlan import Vlan

MODES: Mapping[str, Callable[[ModeSettings], Topology]] = {"flat": Flat, "flat_dhcp": FlatDhcp, "vlan": Vlan}
