# SPDX-License-Identifier: Apache-2.0
"""Callers of the EC2 API: by signature over the built-in identity store, or, for tests, by name.

Failures are counted for the access key and the address that they come from, in a bounded table; a locked pair is
refused before the store is asked.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable
from typing import Any

from nova.api.cloud import Cloud, deployed
from nova.api.dispatch import CONTEXT, REQUEST_ID, Environ, StartResponse
from nova.api.ec2 import reading, signature_query, signature_v4
from nova.api.ec2.signer import Signer, refused
from nova.api.middleware.auth_noauth import ADMIN
from nova.api.middleware.identity_headers import strip
from nova.api.source_address import SourceAddress
from nova.context import RequestContext, new_request_id
from nova.identity.caller import context_of
from nova.identity.lockout import Lockout
from nova.system import clock

LOG = logging.getLogger(__name__)

CALL = "nova.ec2.call"
"""The environ key under which the executor finds the call whose signature was checked."""
TOKEN = "nova.ec2.token"  # noqa: S105
"""The environ key of a function that makes a token for the caller"""


def signature_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    cloud = deployed()
    return lambda app: SignatureAuth(app, cloud=cloud)


def noauth_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    cloud = deployed()
    return lambda app: NamedAuth(app, cloud=cloud)


class SignatureAuth:
    """See the module."""

    def __init__(self, app: Any, *, cloud: Cloud, now: Callable[[], datetime.datetime] = clock.utc_now) -> None:
        self._app = app
        self._identity = cloud.identity
        settings = cloud.settings.ec2
        self._source = SourceAddress(cloud.settings.trusted_proxies)
        self._signer = Signer(cloud.identity, settings, now=now, failures=Lockout(settings.lockout))
        if {"0", "1"} & set(settings.signature_versions):
            LOG.warning("EC2 signature versions 0 and 1 are on: whoever listens can change requests.")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        strip(environ)
        call = environ[CALL] = reading.read(environ, source=self._source.of(environ))
        key = self._signer.of(call)
        environ[CONTEXT] = context_of(
            key.caller, request_id=environ.get(REQUEST_ID), remote_address=environ.get("REMOTE_ADDR", "")
        )
        environ[TOKEN] = lambda: self._identity.token_for(key.caller).value
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


class NamedAuth:
    """No authentication, for tests: the access key is ``user:project``, and ``admin`` administers."""

    def __init__(self, app: Any, *, cloud: Cloud) -> None:
        self._app = app
        self._source = SourceAddress(cloud.settings.trusted_proxies)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        strip(environ)
        call = environ[CALL] = reading.read(environ, source=self._source.of(environ))
        access = call.parameters.get(signature_query.ACCESS_KEY, "")
        claim = None if access else signature_v4.claim_of(call)
        user, _, project = (claim.access if claim else access).partition(":")
        if not user:
            raise refused()
        environ[CONTEXT] = RequestContext(
            request_id=environ.get(REQUEST_ID) or new_request_id(),
            user_id=user,
            user_name=user,
            project_id=project or user,
            project_name=project or user,
            roles=("admin",) if user == ADMIN else ("member",),
            is_admin=user == ADMIN,
            remote_address=environ.get("REMOTE_ADDR", ""),
        )
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer
