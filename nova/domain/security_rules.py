# SPDX-License-Identifier: Apache-2.0
"""What a security group rule may say, and the one form in which it is kept.

Only what a packet filter can express is accepted: no stored rule can stop the filters of others from being applied.
"""

from __future__ import annotations

import dataclasses
import ipaddress

from nova import errors
from nova.domain.security_group import SecurityGroupRule

_PROTOCOLS = frozenset({"tcp", "udp", "icmp"})
_MOST = {"tcp": 65535, "udp": 65535, "icmp": 255}


def canonical(rule: SecurityGroupRule) -> SecurityGroupRule:
    """The rule in its one form: lower-case protocol, the range's own network address, all ports where none are named.

    :raises errors.InvalidInput: unknown protocol, ports that no packet can have, ports without a protocol, a malformed
        range, or neither a range nor a group as the source; ``field`` names the part
    """
    protocol = _protocol(rule.protocol)
    first, last = _ports(protocol, rule.from_port, rule.to_port)
    if (rule.group_id is None) == (not rule.cidr):
        raise errors.InvalidInput("A rule has either an address range or a group as its source.", field="cidr")
    cidr = _range(rule.cidr) if rule.cidr else ""
    return dataclasses.replace(rule, protocol=protocol, from_port=first, to_port=last, cidr=cidr)


def key(rule: SecurityGroupRule) -> str:
    """All that a canonical rule says, as one text: two rules with the same key are the same rule."""
    source = rule.cidr if rule.group_id is None else f"group {rule.group_id}"
    return f"{rule.protocol or 'any'} {rule.from_port} {rule.to_port} {source}"


def _protocol(text: str) -> str:
    protocol = text.lower()
    if protocol in ("", "-1", "any"):
        return ""
    if protocol not in _PROTOCOLS:
        raise errors.InvalidInput("The protocol of a rule is tcp, udp or icmp.", field="ip_protocol")
    return protocol


def _ports(protocol: str, first: int | None, last: int | None) -> tuple[int | None, int | None]:
    named = [port for port in (first, last) if port is not None and port != -1]
    if not protocol:
        if named:
            raise errors.InvalidInput("Ports can be named only together with a protocol.", field="from_port")
        return None, None
    if protocol == "icmp":
        return _icmp(first, last)
    if not named:
        return 1, 65535
    if len(named) == 1 or not 1 <= named[0] <= named[1] <= _MOST[protocol]:
        raise errors.InvalidInput("Ports are numbers from 1 to 65535, the first not above the last.", field="from_port")
    return named[0], named[1]


def _icmp(kind: int | None, code: int | None) -> tuple[int, int]:
    kind, code = -1 if kind is None else kind, -1 if code is None else code
    if not (-1 <= kind <= _MOST["icmp"] and -1 <= code <= _MOST["icmp"]) or (kind == -1 and code != -1):
        raise errors.InvalidInput("ICMP type and code are numbers up to 255, or -1 for all.", field="from_port")
    return kind, code


def _range(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text[:64].strip(), strict=False))
    except ValueError:
        raise errors.InvalidInput(
            "The source of a rule is not an address range such as 10.0.0.0/8.", field="cidr"
        ) from None
