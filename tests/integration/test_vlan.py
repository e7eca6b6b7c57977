# SPDX-License-Identifier: Apache-2.0
"""VLAN networks with real tagged frames, under a kernel that has 802.1Q."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration import uml

INSIDE = Path(__file__).with_name("vlan_inside.py")
MODULES = (
    *(
        "8021q",
        "bridge",
        "veth",
        "af_packet",
        "ip_tables",
        "iptable_filter",
        "iptable_nat",
        "ip6_tables",
        "ip6table_filter",
    ),
    *("nf_conntrack_netlink", "xt_conntrack", "xt_nat", "xt_REDIRECT", "xt_tcpudp"),
)
"""What the kernel would load by itself if it found its modules"""


def test_two_projects_on_two_vlans_over_two_hosts_get_leases_and_reach_their_own_only(tmp_path: Path) -> None:
    program = [sys.executable, str(INSIDE)]
    code, output = uml.run(program, directory=tmp_path, needs=MODULES, timeout_s=240)
    assert (code, output.split()[-1:]) == (0, ["ok"]), output
