# SPDX-License-Identifier: Apache-2.0
"""/os-fixed-ips: whose a fixed address is, and keeping one from servers."""

from __future__ import annotations

import ipaddress
from typing import Any

from nova.api.microversion import v
from nova.api.parameter_types import NULL, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.db import addresses
from nova.errors import InvalidInput

POLICY = PREFIX + "os-fixed-ips:"
ONE = "/os-fixed-ips/{ip}"


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-fixed-ips/{ip}"""
    found = addresses.holder(request.tx, _address(request))
    shown: dict[str, Any] = {
        "address": found.address,
        "cidr": found.cidr,
        "host": found.host or None,
        "hostname": found.hostname or None,
    }
    if request.version >= v(4):
        shown["reserved"] = found.reserved
    return {"fixed_ip": shown}


def reserve(request: ApiRequest) -> None:
    """reserve"""
    addresses.set_reserved(request.tx, _address(request), reserved=True)


def unreserve(request: ApiRequest) -> None:
    """unreserve"""
    addresses.set_reserved(request.tx, _address(request), reserved=False)


def _address(request: ApiRequest) -> str:
    text = request.path["ip"]
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise InvalidInput(f"{text[:64]!r} is no IPv4 address.", field="ip") from None


ROUTES = (
    Route(method="GET", path=ONE, handler=show, policy=POLICY + "view"),
    *(
        Route(
            method="POST",
            path=ONE + "/action",
            action=name,
            handler=handler,
            policy=POLICY + "manage",
            bodies=body(envelope(name, NULL)),
            success=202,
            tx=Tx.WRITE,
        )
        for name, handler in (("reserve", reserve), ("unreserve", unreserve))
    ),
)
