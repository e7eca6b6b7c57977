# SPDX-License-Identifier: Apache-2.0
"""Security group rules as text: only valid ones, never wider than what was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova.domain.security_group import InstanceFilter, SecurityGroupRule
from nova.virt.filters import ingress
from nova.virt.filters.ingress import BadRule, rule_text


def rule(**values: object) -> SecurityGroupRule:
    return SecurityGroupRule(**{"cidr": "0.0.0.0/0", **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (rule(), "-j ACCEPT"),
        (rule(cidr="10.1.2.3/8"), "-s 10.0.0.0/8 -j ACCEPT"),
        (rule(cidr="10.0.0.1"), "-s 10.0.0.1/32 -j ACCEPT"),
        (rule(protocol="TCP", from_port=22, to_port=22), "-p tcp -m tcp --dport 22 -j ACCEPT"),
        (rule(protocol="udp", from_port=1, to_port=65535), "-p udp -m udp --dport 1:65535 -j ACCEPT"),
        (rule(protocol="tcp", from_port=-1, to_port=-1), "-p tcp -j ACCEPT"),
        (rule(protocol="tcp", from_port=0, to_port=65535), "-p tcp -j ACCEPT"),
        (rule(protocol="icmp", from_port=-1, to_port=-1), "-p icmp -j ACCEPT"),
        (rule(protocol="icmp", from_port=8, to_port=-1), "-p icmp -m icmp --icmp-type 8 -j ACCEPT"),
        (rule(protocol="icmp", from_port=0, to_port=0), "-p icmp -m icmp --icmp-type 0/0 -j ACCEPT"),
        (rule(group_id=5, cidr="", protocol="tcp"), "-p tcp -j nova-compute-grp-5"),
    ],
)
def test_valid_rows_become_rules(row: SecurityGroupRule, text: str) -> None:
    assert rule_text(row, version=4) == text


@pytest.mark.parametrize(
    "row",
    [
        rule(from_port=22, to_port=22),
        rule(protocol="-1", from_port=22),
        rule(protocol="tcp", from_port=23, to_port=22),
        rule(protocol="tcp", from_port=1, to_port=65536),
        rule(protocol="icmp", from_port=-1, to_port=3),
        rule(protocol="icmp", from_port=256, to_port=-1),
        rule(protocol="sctp\n"),
        rule(cidr=""),
        rule(cidr="10.0.0.0/33"),
        rule(cidr="10.0.0.0/8 -j ACCEPT"),
        rule(cidr="::/129"),
    ],
)
def test_rows_that_say_nothing_valid_are_refused(row: SecurityGroupRule) -> None:
    with pytest.raises(BadRule):
        rule_text(row, version=4)


def test_a_row_speaks_for_the_family_of_its_source() -> None:
    assert rule_text(rule(cidr="fd00::/8"), version=4) is None
    assert rule_text(rule(cidr="fd00::/8"), version=6) == "-s fd00::/8 -j ACCEPT"
    assert rule_text(rule(protocol="icmp", cidr="::/0", from_port=128, to_port=-1), version=6) == (
        "-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT"
    )


def test_a_bad_row_leaves_the_others() -> None:
    wanted = InstanceFilter(
        instance_uuid="u", rules=(rule(protocol="nonsense"), rule(protocol="udp"), rule(protocol="udp"))
    )
    rules = ingress.instance_rules(wanted, (), version=4, same_net=False)
    assert rules.count("-p udp -j ACCEPT") == 1
    assert rules[-1] == "-j nova-compute-sg-fallback"


def test_members_are_sorted_and_of_one_family() -> None:
    members = ("10.0.0.10", "10.0.0.9", "fd00::1", "nonsense\n", "")
    assert ingress.member_rules(members, version=4) == ("-s 10.0.0.9/32 -j ACCEPT", "-s 10.0.0.10/32 -j ACCEPT")
    assert ingress.member_rules(members, version=6) == ("-s fd00::1/128 -j ACCEPT",)


@given(
    protocol=st.text(max_size=8),
    from_port=st.one_of(st.none(), st.integers(-3, 70000)),
    to_port=st.one_of(st.none(), st.integers(-3, 70000)),
    cidr=st.text(max_size=20),
    version=st.sampled_from([4, 6]),
)
def test_whatever_is_stored_makes_one_plain_line_or_nothing(
    protocol: str, from_port: int | None, to_port: int | None, cidr: str, version: int
) -> None:
    row = SecurityGroupRule(protocol=protocol, from_port=from_port, to_port=to_port, cidr=cidr)
    try:
        text = rule_text(row, version=version)
    except BadRule:
        return
    assert text is None or (text.isascii() and text.isprintable() and text.endswith("-j ACCEPT"))
