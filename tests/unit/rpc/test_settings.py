# SPDX-License-Identifier: Apache-2.0
"""Addresses of brokers."""

from __future__ import annotations

import pytest

from nova.errors import InvalidConfiguration
from nova.rpc.settings import Broker, TlsSettings, from_url, url_of
from nova.secret import Secret


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("amqp://", Broker()),
        ("rabbit://h", Broker("h")),
        ("amqp://h:1/", Broker("h", 1)),
        ("amqp://u:p@h:1/v", Broker("h", 1, "u", Secret("p"), "v")),
        ("amqp://u:p%40%2F%3A@h/%2Fv", Broker("h", 5672, "u", Secret("p@/:"), "/v")),
        ("amqp://u:p@[fe80::1]:1//", Broker("fe80::1", 1, "u", Secret("p"), "/")),
        ("amqps://h", Broker("h", 5671)),
    ],
)
def test_a_url_is_read(url: str, broker: Broker) -> None:
    assert from_url(url).brokers == (broker,)


def test_a_cluster_has_several_hosts() -> None:
    settings = from_url("rabbit://a:1@h1:1,b:2@[::1],h3:3/v")
    assert [str(broker) for broker in settings.brokers] == ["h1:1", "[::1]:5672", "h3:3"]
    assert {broker.virtual_host for broker in settings.brokers} == {"v"}


def test_what_was_read_can_be_written_again() -> None:
    broker = Broker("::1", 1, "u@x", Secret("p:/@%"), "/v w")
    assert from_url(url_of(broker)).brokers == (broker,)


def test_tls_is_asked_for_by_scheme_or_query() -> None:
    assert from_url("amqps://h").tls == TlsSettings()
    assert from_url("amqp://h/?ssl=1").tls == TlsSettings()
    assert from_url("amqps://h", tls=TlsSettings(ca_file="x")).tls == TlsSettings(ca_file="x")
    assert from_url("amqp://h").tls is None


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in repr(from_url("amqp://u:hunter2@h,u:hunter2@i/"))


@pytest.mark.parametrize("url", ["", "h:1", "qpid://h", "amqp://u:hunter2@h:port/", "amqp://u:hunter2@h:70000"])
def test_a_url_that_cannot_be_read_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        from_url(url)
    assert "transport_url" in str(caught.value)
    assert "hunter2" not in str(caught.value)
