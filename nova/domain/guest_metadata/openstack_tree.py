# SPDX-License-Identifier: Apache-2.0
"""The files below ``/openstack``, as each version had them.  Only a drive holds passwords and its owner's files."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from nova.domain.guest_metadata.facts import Facts
from nova.domain.guest_metadata.interfaces_file import interfaces_file
from nova.domain.guest_metadata.network_data import network_data
from nova.domain.instance import InjectedFile

VERSIONS = (
    *("2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30"),
    *("2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14"),
)
LATEST = "latest"
PASSWORD = "password"  # noqa: S105
PASSWORD_SINCE = "2013-04-04"  # noqa: S105

CONTENT = "content"
"""The directory of file bodies; it has no listing"""

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Content:
    """One file body: where the guest is to put it (empty: its network's settings), and under which name it is told."""

    path: str
    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What only the guest itself is told."""

    contents: tuple[Content, ...] = ()
    admin_password: str = ""


def contents_of(facts: Facts, files: Sequence[InjectedFile] = ()) -> tuple[Content, ...]:
    """The file bodies, numbered from 0000 on: the network's settings where there are some, then *files*."""
    network = interfaces_file(facts.nics)
    bodies = [("", network)] if network else []
    bodies += [(file.path, base64.b64decode("".join(file.contents.split()))) for file in files]
    return tuple(Content(path, f"/{CONTENT}/{index:04d}", data) for index, (path, data) in enumerate(bodies))


def content(facts: Facts, name: str) -> bytes | None:
    """The file body that the service serves under *name*; None where there is none."""
    return next((each.data for each in contents_of(facts) if each.name == f"/{CONTENT}/{name}"), None)


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
    names = [name for name in FILES if find(facts, version, name) is not None]
    names += [PASSWORD] if version >= PASSWORD_SINCE else []
    return "\n".join(sorted(names)).encode()


def find(facts: Facts, version: str, name: str, *, told: Private | None = None) -> bytes | None:
    """The content of one file; None where there is none.

    :param told: for a drive; the service tells only what may be overheard
    """
    if name not in FILES:
        return None
    since, file = FILES[name]
    return file(facts, version, told or Private(contents=contents_of(facts))) if since <= version else None


def content_type(name: str) -> str:
    """For the answer's header."""
    return "application/json" if name.endswith(".json") else "application/octet-stream"


def _meta_data(facts: Facts, version: str, told: Private) -> bytes:
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
    found |= _bodies(told.contents)
    if told.admin_password:
        found["admin_pass"] = told.admin_password
    if version >= "2013-04-04":
        found["random_seed"] = facts.random_seed
    if version >= "2015-10-15":
        found["project_id"] = instance.project_id
    if version >= "2016-06-30":
        found["devices"] = []
    if version >= "2020-10-14":
        found["dedicated_cpus"] = []
    return _ENCODER.encode(found)


def _bodies(contents: Sequence[Content]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if files := [{"path": each.path, "content_path": each.name} for each in contents if each.path]:
        found["files"] = files
    for each in contents:
        if not each.path:
            found["network_config"] = {"name": "network_config", "content_path": each.name}
    return found


def _network_data(facts: Facts, _version: str, _told: Private) -> bytes:
    return _ENCODER.encode(network_data(facts.nics))


def _user_data(facts: Facts, _version: str, _told: Private) -> bytes | None:
    return facts.user_data


def _nothing(_facts: Facts, _version: str, _told: Private) -> bytes:
    return b"{}"


FILES: dict[str, tuple[str, Callable[[Facts, str, Private], bytes | None]]] = {
    "meta_data.json": ("2012-08-10", _meta_data),
    "user_data": ("2012-08-10", _user_data),
    "vendor_data.json": ("2013-10-17", _nothing),
    "network_data.json": ("2015-10-15", _network_data),
    "vendor_data2.json": ("2016-10-06", _nothing),
}
"""Each file with the version that brought it."""
