# SPDX-License-Identifier: Apache-2.0
"""Callers of the EC2 API: by signature over the built-in identity store, or, for tests, by name.

Whatever is wrong with a signature, the answer is the same.  Failures are counted for the access key and the address
that they come from, in a bounded table; a locked pair is refused before the store is asked.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Iterable
from typing import Any

from nova.api.cloud import Cloud, deployed
from nova.api.dispatch import CONTEXT, REQUEST_ID, Environ, StartResponse
from nova.api.ec2 import reading, signature_query, signature_v4
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.reading import Ec2Call
from nova.api.middleware.auth_noauth import ADMIN
from nova.api.middleware.identity_headers import strip
from nova.api.source_address import SourceAddress
from nova.context import RequestContext, new_request_id
from nova.identity.caller import context_of
from nova.identity.lockout import Lockout
from nova.identity.protocol import SigningKey
from nova.secret import Secret, same_secret
from nova.system import clock

LOG = logging.getLogger(__name__)

CALL = "nova.ec2.call"
"""The environ key under which the executor finds the call whose signature was checked."""
TOKEN = "nova.ec2.token"  # noqa: S105
"""The environ key of a function that makes a token for the caller"""
REFUSED = "AWS was not able to validate the provided access credentials."
MAX_ACCESS_KEY = 512
_NOBODY = Secret("no secret of anybody")


def signature_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    cloud = deployed()
    return lambda app: SignatureAuth(app, cloud=cloud)


def noauth_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    cloud = deployed()
    return lambda app: NamedAuth(app, cloud=cloud)


def refused() -> Ec2Refusal:
    """The one answer to everybody who did not prove who he is."""
    return Ec2Refusal("AuthFailure", REFUSED, status=403)


class SignatureAuth:
    """See the module."""

    def __init__(self, app: Any, *, cloud: Cloud, now: Callable[[], datetime.datetime] = clock.utc_now) -> None:
        self._app = app
        self._identity = cloud.identity
        self._settings = cloud.settings.ec2
        self._source = SourceAddress(cloud.settings.trusted_proxies)
        self._lockout = Lockout(self._settings.lockout)
        self._now = now
        if {"0", "1"} & set(self._settings.signature_versions):
            LOG.warning("EC2 signature versions 0 and 1 are on: whoever listens can change requests.")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        strip(environ)
        call = environ[CALL] = reading.read(environ, source=self._source.of(environ))
        key = self._signer(call)
        environ[CONTEXT] = context_of(
            key.caller, request_id=environ.get(REQUEST_ID), remote_address=environ.get("REMOTE_ADDR", "")
        )
        environ[TOKEN] = lambda: self._identity.token_for(key.caller).value
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _signer(self, call: Ec2Call) -> SigningKey:
        if signature_v4.QUERY_ALGORITHM in call.parameters or "authorization" in call.headers:
            return self._signer_v4(call)
        return self._signer_by_query(call)

    def _signer_v4(self, call: Ec2Call) -> SigningKey:
        claim = signature_v4.claim_of(call)
        mixed = signature_query.SIGNATURE in call.parameters or signature_query.ACCESS_KEY in call.parameters
        if claim is None or mixed or "4" not in self._settings.signature_versions:
            raise refused()
        signature_v4.check_time(claim, self._now(), window_s=self._settings.timestamp_expiry_s)
        return self._proven(
            call,
            claim.access,
            claim.signature,
            lambda secret, host: signature_v4.expected(call, claim, secret, host=host),
        )

    def _signer_by_query(self, call: Ec2Call) -> SigningKey:
        version = call.parameters.get("SignatureVersion", "")
        access = call.parameters.get(signature_query.ACCESS_KEY, "")
        signature = call.parameters.get(signature_query.SIGNATURE, "")
        known = version in ("0", "1", "2") and version in self._settings.signature_versions
        if not known or not access or len(access) > MAX_ACCESS_KEY or not signature:
            raise refused()
        signature_query.check_time(call, self._now(), window_s=self._settings.timestamp_expiry_s)
        return self._proven(
            call,
            access,
            signature,
            lambda secret, host: signature_query.expected(call, secret, version=version, host=host),
        )

    def _proven(self, call: Ec2Call, access: str, signature: str, expected: Callable[[Secret, str], str]) -> SigningKey:
        """The key that signed; the same work is done for a key that nobody has."""
        account = access.partition(":")[0]
        if self._lockout.is_locked(account, call.source):
            raise refused()
        key = self._identity.signing_key(access)
        secret = key.secret if key else _NOBODY
        matches = [_same(expected(secret, host), signature) for host in _hosts(call.host)]
        if key is None or not any(matches):
            self._lockout.failed(account, call.source)
            LOG.warning("An EC2 signature was refused: key %.64r from %.64s.", access, call.source or "nowhere")
            raise refused()
        self._lockout.succeeded(account, call.source)
        return key


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


def _same(expected: str, given: str) -> bool:
    return bool(expected) and same_secret(expected, given.encode("utf-8", "surrogatepass"))


def _hosts(host: str) -> list[str]:
    """As it was sent, and without its port, which some old clients leave out of what they sign."""
    bare, colon, port = host.rpartition(":")
    return [host, bare] if colon and port.isdigit() else [host]
