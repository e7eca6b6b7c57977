# SPDX-License-Identifier: Apache-2.0
"""Whose request it is: the address of the connection.  X-Forwarded-For counts only when a listed proxy sends it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from nova.errors import InvalidConfiguration

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_HOPS = 32


class SourceAddress:
    """Reads the address of a caller from a WSGI request.

    :param trusted_proxies: addresses or networks whose X-Forwarded-For is believed
    """

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted = tuple(_network(text) for text in trusted_proxies)

    def of(self, environ: Mapping[str, Any]) -> str:
        """The address in its usual spelling; empty where the connection has none.

        Behind trusted proxies it is the last hop that is not one of them: what stands before it the caller may have
        written himself.
        """
        address = _address(str(environ.get("REMOTE_ADDR", "")))
        if address is None or not self._is_trusted(address):
            return str(address or "")
        for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")[-MAX_HOPS:]):
            further = _address(hop.strip())
            if further is None:
                break
            address = further
            if not self._is_trusted(address):
                break
        return str(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise InvalidConfiguration(f"trusted_proxies: {text[:64]} is no address or network.") from error


def _address(text: str) -> Address | None:
    """IPv4 that comes over an IPv6 socket is IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
