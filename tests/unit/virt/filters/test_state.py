# SPDX-License-Identifier: Apache-2.0
"""The wanted rules as sets, and what the kernel's rules say after a restart."""

from __future__ import annotations

from nova.system.iptables import parse
from nova.virt.filters.noop import NoFilters
from nova.virt.filters.state import Part, Place, State, read_back

PART = Part(("-d 10.0.0.2/32 -j nova-compute-inst-0123456789",), ("-p tcp -j nova-compute-grp-3", "-j DROP"))
SAVED = """\
*filter
:FORWARD ACCEPT [0:0]
:nova-compute-inst-0123456789 - [0:0]
:nova-compute-local - [0:0]
:nova-compute-grp-3 - [0:0]
-A nova-compute-grp-3 -s 10.0.0.9/32 -j ACCEPT
-A nova-compute-inst-0123456789 -p tcp -j nova-compute-grp-3
-A nova-compute-inst-0123456789 -j DROP
-A nova-compute-local -d 10.0.0.2/32 -j nova-compute-inst-0123456789
-A FORWARD -s 192.0.2.1/32 -j ACCEPT
COMMIT
"""


def test_the_kernels_rules_are_read_back_as_the_state_that_made_them() -> None:
    state = read_back({4: parse(SAVED)})
    assert state.instances == {"0123456789": {Place.INGRESS_4: PART}}
    assert state.groups == {(4, "nova-compute-grp-3"): ("-s 10.0.0.9/32 -j ACCEPT",)}


def test_a_chain_stands_before_those_that_lead_to_it() -> None:
    state = read_back({4: parse(SAVED)})
    names = [name for _table, name in state.rule_set(4).chains]
    order = ["nova-compute-grp-3", "nova-compute-inst-0123456789", "nova-compute-local"]
    assert [name for name in names if name in order] == order
    assert names.index("nova-compute-sg-fallback") < names.index("nova-compute-inst-0123456789")


def test_a_group_that_no_rule_names_has_no_chain() -> None:
    state = State(groups={(4, "nova-compute-grp-3"): ()})
    assert ("filter", "nova-compute-grp-3") not in state.rule_set(4).chains


def test_no_filters_do_nothing() -> None:
    NoFilters().apply(())
    NoFilters().retain(frozenset())
    NoFilters().remove("x")
