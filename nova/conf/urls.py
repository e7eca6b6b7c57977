# SPDX-License-Identifier: Apache-2.0
"""Addresses that older files give in pieces or in older forms: broker, EC2, image service, Keystone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from oslo_config import cfg

from nova import errors

_BROKER_SCHEMES = {
    "amqp": "amqp",
    "amqps": "amqps",
    "rabbit": "amqp",
    "kombu": "amqp",
    "pyamqp": "amqp",
    "rabbits": "amqps",
    "memory": "memory",
    "fake": "memory",
}


def transport_url(conf: cfg.ConfigOpts) -> str:
    """The broker's URL: as given, or put together from the older options.

    The scheme of the result is ``amqp``, ``amqps`` or ``memory``.

    :raises errors.InvalidConfiguration: a transport that is not supported
    """
    if conf.transport_url:
        return broker_url(conf.transport_url)
    if conf.fake_rabbit or conf.rpc_backend == "fake":
        return "memory://"
    if conf.rpc_backend != "rabbit":
        raise errors.InvalidConfiguration(
            f"rpc_backend = {conf.rpc_backend} is not supported; use RabbitMQ (transport_url = amqp://…) or memory://."
        )
    rabbit = conf.oslo_messaging_rabbit
    scheme = "amqps" if rabbit.rabbit_use_ssl else "amqp"
    user = f"{quote(rabbit.rabbit_userid, safe='')}:{quote(rabbit.rabbit_password, safe='')}"
    hosts = rabbit.rabbit_hosts or [_with_port(rabbit.rabbit_host, rabbit.rabbit_port)]
    places = ",".join(f"{user}@{_with_port(host, rabbit.rabbit_port)}" for host in hosts)
    return f"{scheme}://{places}/{quote(rabbit.rabbit_virtual_host, safe='/')}"


def broker_url(text: str) -> str:
    """A transport URL with one of our own schemes.

    :raises errors.InvalidConfiguration: it is no URL, or of an unknown scheme
    """
    scheme, sign, rest = text.partition("://")
    known = _BROKER_SCHEMES.get(scheme.lower())
    if not sign or known is None:
        raise errors.InvalidConfiguration(
            "transport_url must be amqp://user:password@host:port/vhost, amqps://… with TLS, or memory://."
        )
    return f"{known}://{rest}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL in pieces."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The whole."""
        return f"{self.scheme}://{_with_port(self.host, self.port)}{self.path}"


def ec2_endpoint(conf: cfg.ConfigOpts) -> Endpoint:
    """The EC2 API as answers and credential files show it; a part that somebody set wins over ``ec2_url``."""
    whole = urlsplit(conf.ec2_url or "")

    def part(name: str, of_whole: str | int | None) -> Any:
        return of_whole if of_whole and not is_set(conf, name) else conf[name]

    return _host_may_be_url(
        Endpoint(
            part("ec2_scheme", whole.scheme),
            part("ec2_host", whole.hostname),
            part("ec2_port", whole.port),
            part("ec2_path", whole.path),
        )
    )


def is_set(conf: cfg.ConfigOpts, name: str, group: str | None = None) -> bool:
    """Whether somebody gave the option a value."""
    location = conf.get_location(name, group)
    return location is not None and location.location is cfg.Locations.set_override


def compute_endpoint(conf: cfg.ConfigOpts) -> Endpoint:
    """The compute API as credential files show it."""
    return _host_may_be_url(Endpoint(conf.osapi_scheme, conf.osapi_host, conf.osapi_port, conf.osapi_path))


def glance_servers(conf: cfg.ConfigOpts) -> list[str]:
    """The image service's servers as URLs; bare hosts get the protocol and port of the other options."""
    glance = conf.glance
    return [
        server.rstrip("/") if "://" in server else f"{glance.protocol}://{_with_port(server, glance.port)}"
        for server in (glance.api_servers or [_with_port(glance.host, glance.port)])
    ]


def keystone_url(conf: cfg.ConfigOpts) -> str:
    """Where Keystone is: ``auth_url``, or what the older pieces make, without a version at the end."""
    group = conf.keystone_authtoken
    url = group.auth_url or f"{group.auth_protocol}://{_with_port(group.auth_host, group.auth_port)}"
    return re.sub(r"/v[23](\.0)?/?$", "", url.rstrip("/"))


def _host_may_be_url(endpoint: Endpoint) -> Endpoint:
    """Documents write ``http://address`` where an address is meant."""
    if "://" not in endpoint.host:
        return endpoint
    whole = urlsplit(endpoint.host)
    return Endpoint(whole.scheme or endpoint.scheme, whole.hostname or "", whole.port or endpoint.port, endpoint.path)


def _with_port(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address; a port that is there stays."""
    if host.startswith("["):
        return host if "]:" in host else f"{host}:{port}"
    if host.count(":") > 1:
        return f"[{host}]:{port}"
    return host if ":" in host else f"{host}:{port}"
