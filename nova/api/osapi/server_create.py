# SPDX-License-Identifier: Apache-2.0
"""The body of a new server, read into a BootRequest."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nova.api.actions.boot_request import BootRequest
from nova.api.actions.user_data import checked_user_data
from nova.api.microversion import v
from nova.api.osapi import server_block_devices
from nova.api.parameter_types import to_bool, to_int
from nova.api.request import ApiRequest
from nova.domain.instance import InjectedFile
from nova.domain.network import RequestedNetwork
from nova.errors import InvalidInput
from nova.secret import Secret

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
HINT_KEYS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")
Server = Mapping[str, Any]


def read(request: ApiRequest) -> BootRequest:
    """What the checked body asks for; InvalidInput for what its schema cannot say."""
    server: Server = request.body["server"]
    image_id = last_segment(server.get("imageRef") or "")
    minimum, maximum = _counts(server)
    password = server.get("adminPass")
    return BootRequest(
        name=server["name"].strip(),
        flavor_id=last_segment(str(server["flavorRef"])),
        image_id=image_id,
        min_count=minimum,
        max_count=maximum,
        description=_description(request, server),
        metadata=server.get("metadata") or {},
        files=tuple(InjectedFile(path=f["path"], contents=f["contents"]) for f in server.get("personality") or ()),
        networks=_networks(server.get("networks") or ()),
        security_groups=tuple(group["name"] for group in server.get("security_groups") or ()),
        key_name=server.get("key_name") or "",
        user_data=checked_user_data(server.get("user_data") or ""),
        config_drive=to_bool(server.get("config_drive", False)),
        availability_zone=server.get("availability_zone") or "",
        admin_password=Secret(password) if password else None,
        auto_disk_config=disk_config(server),
        access_ip_v4=address(server, "accessIPv4", version=4),
        access_ip_v6=address(server, "accessIPv6", version=6),
        block_devices=server_block_devices.read(
            server, image_id=image_id, max_local=request.cloud.settings.max_local_block_devices
        ),
        hints=_hints(request.body),
    )


def last_segment(reference: str) -> str:
    """The id in an id or a URL that ends in one."""
    return reference.rstrip("/").rpartition("/")[2]


def disk_config(server: Server) -> bool | None:
    """Whether the disk is resized by itself; None where nothing is said."""
    word = server.get("OS-DCF:diskConfig")
    return None if word is None else word == "AUTO"


def address(server: Server, key: str, *, version: int) -> str:
    """An address of the IP *version* in its usual form, or empty."""
    text = server.get(key) or ""
    if not text:
        return ""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        found = None
    if found is None or found.version != version or "%" in text:
        raise InvalidInput(f"Invalid input for {key}: it is not an IPv{version} address.", field=key)
    return str(found)


def _description(request: ApiRequest, server: Server) -> str | None:
    """Before 2.19 the name is the description."""
    return server.get("description") or "" if request.version >= v(19) else None


def _counts(server: Server) -> tuple[int, int]:
    minimum = to_int(server.get("min_count", 1), field="min_count", minimum=1)
    maximum = to_int(server.get("max_count", minimum), field="max_count", minimum=1)
    if minimum > maximum:
        raise InvalidInput("min_count must not be more than max_count.", field="min_count")
    return minimum, maximum


def _networks(items: Sequence[Mapping[str, Any]]) -> tuple[RequestedNetwork, ...]:
    found = []
    for item in items:
        if item.get("port"):
            raise InvalidInput("Ports cannot be named: this cloud gives addresses itself.", field="networks")
        uuid = (item.get("uuid") or "").removeprefix("br-")
        if not _UUID.fullmatch(uuid):
            raise InvalidInput("A network is named by its uuid.", field="networks")
        found.append(RequestedNetwork(network_uuid=uuid.lower(), fixed_ip=address(item, "fixed_ip", version=4)))
    return tuple(found)


def _hints(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for name in HINT_KEYS for key, value in (body.get(name) or {}).items()}
