# SPDX-License-Identifier: Apache-2.0
"""Whose request it is."""

from __future__ import annotations

import pytest

from nova.api.source_address import SourceAddress
from nova.errors import InvalidConfiguration


def source(remote: str, forwarded: str = "", *, trusted: tuple[str, ...] = ("192.0.2.0/24", "2001:db8::1")) -> str:
    return SourceAddress(trusted).of({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded})


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.3", "10.0.0.2"),
        ("::ffff:10.0.0.2", "", "10.0.0.2"),
        ("192.0.2.1", "10.0.0.3", "10.0.0.3"),
        ("192.0.2.1", "10.0.0.4, 10.0.0.3", "10.0.0.3"),
        ("192.0.2.1", "10.0.0.3, 192.0.2.9", "10.0.0.3"),
        ("2001:db8::1", "10.0.0.3", "10.0.0.3"),
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "unknown", "192.0.2.1"),
        ("192.0.2.1", "10.0.0.3, junk", "192.0.2.1"),
        ("", "", ""),
        ("@/run/socket", "10.0.0.3", ""),
    ],
)
def test_the_last_hop_that_is_no_proxy_counts(remote: str, forwarded: str, expected: str) -> None:
    assert source(remote, forwarded) == expected


def test_without_proxies_the_header_is_nothing() -> None:
    assert source("192.0.2.1", "10.0.0.3", trusted=()) == "192.0.2.1"


def test_a_proxy_must_be_an_address() -> None:
    with pytest.raises(InvalidConfiguration, match="trusted_proxies"):
        SourceAddress(["proxy.example.org"])
