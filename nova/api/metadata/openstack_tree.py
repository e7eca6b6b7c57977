# SPDX-License-Identifier: Apache-2.0
"""The files below ``/openstack``, as each version had them.  Passwords and injected files are never among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from nova.api.metadata.facts import Facts
from nova.api.metadata.network_data import network_data

VERSIONS = (
    *("2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30"),
    *("2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14"),
)
LATEST = "latest"
PASSWORD = "password"  # noqa: S105
PASSWORD_SINCE = "2013-04-04"  # noqa: S105

_ENCODER = msgspec.json.Encoder()


def versions() -> str:
    """What stands at ``/openstack``."""
    return "\n".join((*VERSIONS, LATEST))


def version_of(name: str) -> str | None:
    """The version that *name* means, or None."""
    if name == LATEST:
        return VERSIONS[-1]
    return name if name in VERSIONS else None


def listing(facts: Facts, version: str) -> bytes:
    """The names of the files that *version* has for this server."""
    names = [name for name, (since, file) in FILES.items() if since <= version and file(facts, version) is not None]
    names += [PASSWORD] if version >= PASSWORD_SINCE else []
    return "\n".join(sorted(names)).encode()


def find(facts: Facts, version: str, name: str) -> bytes | None:
    """The content of one file; None where there is none."""
    if name not in FILES:
        return None
    since, file = FILES[name]
    return file(facts, version) if since <= version else None


def content_type(name: str) -> str:
    """For the answer's header."""
    return "application/json" if name.endswith(".json") else "application/octet-stream"


def _meta_data(facts: Facts, version: str) -> bytes:
    instance = facts.instance
    found: dict[str, Any] = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": facts.hostname,
        "launch_index": instance.launch_index,
        "availability_zone": facts.zone,
    }
    if instance.metadata:
        found["meta"] = instance.metadata
    if instance.key_name:
        found["public_keys"] = {instance.key_name: instance.key_data}
        found["keys"] = [{"name": instance.key_name, "type": "ssh", "data": instance.key_data}]
    if version >= "2013-04-04":
        found["random_seed"] = facts.random_seed
    if version >= "2015-10-15":
        found["project_id"] = instance.project_id
    if version >= "2016-06-30":
        found["devices"] = []
    if version >= "2020-10-14":
        found["dedicated_cpus"] = []
    return _ENCODER.encode(found)


def _network_data(facts: Facts, _version: str) -> bytes:
    return _ENCODER.encode(network_data(facts.nics))


def _user_data(facts: Facts, _version: str) -> bytes | None:
    return facts.user_data


def _nothing(_facts: Facts, _version: str) -> bytes:
    return b"{}"


FILES: dict[str, tuple[str, Callable[[Facts, str], bytes | None]]] = {
    "meta_data.json": ("2012-08-10", _meta_data),
    "user_data": ("2012-08-10", _user_data),
    "vendor_data.json": ("2013-10-17", _nothing),
    "network_data.json": ("2015-10-15", _network_data),
    "vendor_data2.json": ("2016-10-06", _nothing),
}
"""Each file with the version that brought it."""
