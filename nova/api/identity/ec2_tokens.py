# SPDX-License-Identifier: Apache-2.0
"""A token for whoever signed a request, for services that take EC2 signatures and ask here whose they are.

Only services and administrators may ask: who has seen a signed request once could otherwise trade it for a token.  A
signature counts here for as long as at the EC2 API, and its token makes no further keys and holds for one project.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nova import errors
from nova.api.ec2 import signature_query, signature_v4
from nova.api.ec2.reading import MAX_PARAMETERS, Ec2Call
from nova.api.ec2.signer import Signer
from nova.api.identity import tokens_v2
from nova.api.identity.tokens_v3 import SUBJECT, token_view
from nova.api.parameter_types import closed
from nova.api.refusal import Refusal
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.domain.identity import Token
from nova.identity import Caller
from nova.system import clock

MAX_HEADERS = 100
OUTER = ("credentials", "credential", "ec2Credentials")
"""What clients of different ages put the credentials under"""


def _text(most: int) -> Schema:
    return {"type": "string", "maxLength": most, "pattern": r"^[^\x00]*$"}


def _texts(most: int) -> Schema:
    return {"type": "object", "maxProperties": most, "additionalProperties": _text(65536)}


_CREDENTIALS = closed(
    {
        "access": _text(512),
        "signature": _text(1024),
        "host": _text(255),
        "verb": {"enum": ["GET", "POST"]},
        "path": _text(2048),
        "params": _texts(MAX_PARAMETERS),
        "headers": _texts(MAX_HEADERS),
        "body_hash": {"type": ["string", "null"], "maxLength": 64},
    },
    *("access", "signature", "host", "verb", "path"),
)
_BODY: Schema = {**closed(dict.fromkeys(OUTER, _CREDENTIALS), at_least=1), "maxProperties": 1}
_RULE = "identity:ec2_tokens"


def create_v3(request: ApiRequest) -> Answer:
    """POST /v3/ec2tokens"""
    token, caller = _exchange(request)
    shown = token_view(request, caller, catalog=True)
    return Answer(body=shown, headers=((SUBJECT, token.value.reveal()), ("Vary", "X-Auth-Token")))


def create_v2(request: ApiRequest) -> dict[str, Any]:
    """POST /v2.0/ec2tokens"""
    token, caller = _exchange(request)
    return tokens_v2.access_view(request, caller, token.value.reveal())


def _exchange(request: ApiRequest) -> tuple[Token, Caller]:
    """The new token; Unauthenticated, always the same, for a signature that does not hold."""
    (given,) = request.body.values()
    cloud = request.cloud
    try:
        call = _call(given)
        key = Signer(cloud.identity, cloud.settings.ec2, now=clock.utc_now, failures=None).of(call)
    except Refusal:
        raise errors.Unauthenticated from None
    token = cloud.identity.token_for(key.caller)
    return token, cloud.identity.validate(token.value)


def _call(given: Mapping[str, Any]) -> Ec2Call:
    """The request that was signed, as the service describes it; Unauthenticated where it contradicts itself."""
    headers = {name.lower(): value for name, value in given.get("headers", {}).items()}
    parameters = dict(given.get("params", {}))
    if len(headers) != len(given.get("headers", {})):
        raise errors.Unauthenticated
    if signature_v4.QUERY_ALGORITHM in parameters:
        parameters[signature_v4.QUERY_SIGNATURE] = given["signature"]
    elif "authorization" not in headers:
        parameters[signature_query.SIGNATURE] = given["signature"]
    call = Ec2Call(
        method=given["verb"],
        path=given["path"] or "/",
        headers={**headers, "host": given["host"]},
        parameters=parameters,
        body_sha256=given.get("body_hash") or "",
    )
    if _named(call) != (given["access"], given["signature"]):
        raise errors.Unauthenticated
    return call


def _named(call: Ec2Call) -> tuple[str, str]:
    """The access key and the signature that the request itself bears."""
    if signature_v4.QUERY_ALGORITHM in call.parameters or "authorization" in call.headers:
        claim = signature_v4.claim_of(call)
        return (claim.access, claim.signature) if claim else ("", "")
    return call.parameters.get(signature_query.ACCESS_KEY, ""), call.parameters[signature_query.SIGNATURE]


ROUTES = tuple(
    Route(method="POST", path=path, handler=handler, policy=_RULE, bodies=body(_BODY), tx=Tx.NONE)
    for path, handler in (("/v3/ec2tokens", create_v3), ("/v2.0/ec2tokens", create_v2))
)
