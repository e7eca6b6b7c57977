# SPDX-License-Identifier: Apache-2.0
"""Where the broker is and how patient we are with it, as plain values.  Passwords never show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from nova.errors import InvalidConfiguration
from nova.rpc.codec import MAX_MESSAGE_BYTES
from nova.secret import Secret

SCHEMES = {"amqp": 5672, "rabbit": 5672, "amqps": 5671, "memory": 0}


@dataclass(frozen=True, slots=True)
class Broker:
    """One node of the broker."""

    host: str = "localhost"
    port: int = 5672
    user: str = "guest"
    password: Secret = field(default_factory=lambda: Secret("guest"))
    virtual_host: str = "/"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """TLS that is asked for is verified, the host's name too, or there is no connection."""

    ca_file: str = ""
    """Certificates to trust, PEM; empty for those of the system."""
    cert_file: str = ""
    key_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """Everything a transport is built from; :func:`from_url` makes one from ``transport_url``."""

    scheme: str = "memory"
    brokers: tuple[Broker, ...] = ()
    """Nodes of one cluster; the next is tried when one does not answer."""
    control_exchange: str = "nova"
    topics: Mapping[str, str] = field(default_factory=dict)
    """Other queue names for topics (the ``*_topic`` options)."""
    heartbeat_s: int = 60
    connect_timeout_s: float = 5.0
    retry_interval_s: float = 1.0
    retry_backoff_s: float = 2.0
    """Added to the pause after each failure."""
    retry_interval_max_s: float = 30.0
    max_retries: int = 0
    """Attempts before a daemon gives up; 0 for ever."""
    publish_timeout_s: float = 15.0
    """How long a sender waits for a broker that is away."""
    tls: TlsSettings | None = None
    durable_queues: bool = True
    ha_queues: bool = False
    """Keep the queues on several nodes (quorum queues)."""
    max_message_bytes: int = MAX_MESSAGE_BYTES


def from_url(url: str, **values: object) -> TransportSettings:
    """Settings from ``scheme://user:password@host:port[,user:password@host:port…]/virtual_host``, and *values*.

    User, password and virtual host are percent-encoded.  An ``amqps`` scheme or ``?ssl=1`` asks for TLS.
    InvalidConfiguration, without the password, for a URL that cannot be read.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        raise InvalidConfiguration(f"transport_url must begin with one of {', '.join(f'{s}://' for s in SCHEMES)}.")
    rest, _, query = rest.partition("?")
    hosts, _, virtual_host = rest.partition("/")
    if scheme == "memory":
        return TransportSettings(scheme="memory", **values)  # type: ignore[arg-type]
    asks_tls = scheme == "amqps" or dict(parse_qsl(query)).get("ssl", "0").lower() in ("1", "true", "yes")
    if asks_tls and values.get("tls") is None:
        values["tls"] = TlsSettings()
    brokers = tuple(_broker(each, unquote(virtual_host) or "/", SCHEMES[scheme]) for each in hosts.split(","))
    return TransportSettings(scheme="amqp", brokers=brokers, **values)  # type: ignore[arg-type]


def _broker(text: str, virtual_host: str, default_port: int) -> Broker:
    credentials, _, place = text.rpartition("@")
    user, _, password = credentials.partition(":")
    host, port = _host_and_port(place)
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise InvalidConfiguration(f"transport_url: {port[:20]} is not a port number.")
    return Broker(
        host=host or "localhost",
        port=int(port) if port else default_port,
        user=unquote(user) or "guest",
        password=Secret(unquote(password) if user else "guest"),
        virtual_host=virtual_host,
    )


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def url_of(broker: Broker) -> str:
    """The URL of *broker* with its password, for the library that connects; never for a log."""
    host = f"[{broker.host}]" if ":" in broker.host else broker.host
    credentials = f"{quote(broker.user, safe='')}:{quote(broker.password.reveal(), safe='')}"
    return f"amqp://{credentials}@{host}:{broker.port}/{quote(broker.virtual_host, safe='')}"
