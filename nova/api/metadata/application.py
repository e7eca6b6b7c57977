# SPDX-License-Identifier: Apache-2.0
"""From a guest's request to what it is told.

Each request begins with one statement: which living instance holds this address now.  So a server that is gone, or an
address that has a new holder, is seen at once by any number of these processes, whatever they remember.
"""

from __future__ import annotations

import http
from collections.abc import Iterable

from nova.api.actions import server_password
from nova.api.cloud import Cloud
from nova.api.dispatch import Environ, StartResponse
from nova.api.metadata.known import Known
from nova.api.refusal import Refusal
from nova.api.source_address import SourceAddress
from nova.db import guest_metadata
from nova.domain.guest_metadata import ec2_tree, openstack_tree
from nova.domain.guest_metadata.facts import Facts
from nova.errors import InvalidInput, NotFound

TEXT = "text/plain; charset=UTF-8"
BYTES = "application/octet-stream"
MAX_PATH_PARTS = 16


class MetadataApplication:
    """The whole service over one cloud."""

    def __init__(self, cloud: Cloud, *, known: Known | None = None) -> None:
        self._db = cloud.db
        self._domain = cloud.settings.dhcp_domain
        self._source = SourceAddress(cloud.settings.trusted_proxies)
        self._known = known or Known(cloud.settings.metadata_cache_s)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        parts = _parts(environ)
        address = self._source.of(environ)
        uuid = self._db.run(lambda tx: guest_metadata.at(tx, address), write=False)
        if parts[:1] == ["openstack"] and parts[2:] == [openstack_tree.PASSWORD]:
            content, kind = self._password(environ, parts[1], uuid), TEXT
        else:
            content, kind = self._read(environ, parts, address, uuid)
        headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
        start_response("200 OK", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]

    def _read(self, environ: Environ, parts: list[str], address: str, uuid: str) -> tuple[bytes, str]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise Refusal(405, http.HTTPStatus(405).phrase)
        if parts[:1] == ["openstack"]:
            return self._openstack(parts[1:], address, uuid)
        parts = parts[1:] if parts[:1] == ["ec2"] else parts
        if not parts:
            return ec2_tree.versions().encode(), TEXT
        content = _there(ec2_tree.find(self._facts(address, uuid), parts[0], parts[1:]))
        return content, BYTES if parts[-1] == "user-data" else TEXT

    def _openstack(self, parts: list[str], address: str, uuid: str) -> tuple[bytes, str]:
        if not parts:
            return openstack_tree.versions().encode(), TEXT
        version = openstack_tree.version_of(parts[0])
        told = self._facts(address, uuid)
        if parts[0] == openstack_tree.CONTENT and len(parts) == 2:
            return _there(openstack_tree.content(told, parts[1])), BYTES
        if version is None or len(parts) > 2:
            raise NotFound
        if len(parts) == 1:
            return openstack_tree.listing(told, version), TEXT
        return _there(openstack_tree.find(told, version, parts[1])), openstack_tree.content_type(parts[1])

    def _password(self, environ: Environ, name: str, uuid: str) -> bytes:
        version = openstack_tree.version_of(name)
        if version is None or version < openstack_tree.PASSWORD_SINCE:
            raise NotFound
        method = environ["REQUEST_METHOD"]
        if method in ("GET", "HEAD"):
            return self._db.run(lambda tx: server_password.read(tx, uuid), write=False)
        if method != "POST":
            raise InvalidInput("A password is read with GET and set with POST.")
        blob = environ["wsgi.input"].read(server_password.MAX_BYTES + 1)
        self._db.run(lambda tx: server_password.store(tx, uuid, blob))
        return b""

    def _facts(self, address: str, uuid: str) -> Facts:
        told = self._known.get(address, uuid)
        if told is None:
            told = guest_metadata.load(self._db, uuid, domain=self._domain)
            self._known.keep(address, told)
        return told


def _there(content: bytes | None) -> bytes:
    if content is None:
        raise NotFound
    return content


def _parts(environ: Environ) -> list[str]:
    """The words of the path; doubled and trailing slashes do not count, and nothing leads upwards."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    parts = [part for part in str(path).split("/") if part]
    if len(parts) > MAX_PATH_PARTS:
        raise NotFound
    return parts
