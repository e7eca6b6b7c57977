# SPDX-License-Identifier: Apache-2.0
"""What a security group rule may say."""

from __future__ import annotations

from typing import Any

import pytest

from nova import errors
from nova.domain.security_group import SecurityGroupRule
from nova.domain.security_rules import canonical, key


def rule(
    protocol: str, first: int | None, last: int | None, cidr: str = "0.0.0.0/0", **words: Any
) -> SecurityGroupRule:
    return SecurityGroupRule(protocol=protocol, from_port=first, to_port=last, cidr=cidr, **words)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (rule("TCP", 22, 22, "10.1.2.3/8"), ("tcp", 22, 22, "10.0.0.0/8")),
        (rule("udp", None, None), ("udp", 1, 65535, "0.0.0.0/0")),
        (rule("tcp", -1, -1), ("tcp", 1, 65535, "0.0.0.0/0")),
        (rule("icmp", -1, -1, "::/0"), ("icmp", -1, -1, "::/0")),
        (rule("icmp", 8, None, "255.255.255.255"), ("icmp", 8, -1, "255.255.255.255/32")),
        (rule("-1", None, None), ("", None, None, "0.0.0.0/0")),
        (rule("", -1, -1), ("", None, None, "0.0.0.0/0")),
    ],
)
def test_a_rule_has_one_form(given: SecurityGroupRule, kept: tuple[Any, ...]) -> None:
    made = canonical(given)
    assert (made.protocol, made.from_port, made.to_port, made.cidr) == kept
    assert canonical(made) == made
    assert key(made) == key(canonical(given))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (rule("sctp", 1, 2), "ip_protocol"),
        (rule("tcp\n", 1, 2), "ip_protocol"),
        (rule("", 22, 22), "from_port"),
        (rule("-1", 22, None), "from_port"),
        (rule("tcp", 22, None), "from_port"),
        (rule("tcp", 0, 5), "from_port"),
        (rule("tcp", 5, 4), "from_port"),
        (rule("tcp", 1, 65536), "from_port"),
        (rule("icmp", 256, 0), "from_port"),
        (rule("icmp", -1, 3), "from_port"),
        (rule("tcp", 1, 2, ""), "cidr"),
        (rule("tcp", 1, 2, "10.0.0.0/33"), "cidr"),
        (rule("tcp", 1, 2, "1.2.3.4,5.6.7.8"), "cidr"),
        (rule("tcp", 1, 2, "x" * 10**6), "cidr"),
        (rule("tcp", 1, 2, "10.0.0.0/8", group_id=3), "cidr"),
    ],
)
def test_what_no_filter_can_express_is_refused(wrong: SecurityGroupRule, field: str) -> None:
    with pytest.raises(errors.InvalidInput) as refusal:
        canonical(wrong)
    assert refusal.value.data["field"] == field
