# SPDX-License-Identifier: Apache-2.0
"""Signature version 4 (AWS General Reference, "Signing AWS API requests"), in a header or in the query of a GET.

The hash of the body is computed from the bytes that came, whatever a header says about them.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote

from nova.api.ec2 import moments
from nova.api.ec2.reading import Ec2Call
from nova.secret import Secret

ALGORITHM = "AWS4-HMAC-SHA256"
QUERY_ALGORITHM = "X-Amz-Algorithm"
QUERY_SIGNATURE = "X-Amz-Signature"
MAX_HEADER = 4096

_HEADER = re.compile(
    rf"{ALGORITHM} Credential=(?P<credential>[^\s,]{{1,512}}), ?SignedHeaders=(?P<headers>[a-z0-9;_-]{{1,1024}}), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_HEADER_NAMES = re.compile(r"[a-z0-9_-]+(;[a-z0-9_-]+)*")
_CREDENTIAL = re.compile(
    r"(?P<access>[^/]{1,400})/(?P<date>[0-9]{8})/(?P<region>[A-Za-z0-9_.-]{1,64})/(?P<service>[A-Za-z0-9_.-]{1,64})/aws4_request"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a request says of its own signature."""

    access: str
    date: str
    scope: str
    signed_headers: tuple[str, ...]
    signature: str
    signed_at: str
    """As it was written: it is part of what is signed"""
    in_query: bool
    lifetime_s: str = ""
    """X-Amz-Expires"""


def claim_of(call: Ec2Call) -> Claim | None:
    """The claim of a well-formed request whose host and date are signed; None for any other."""
    claim = _from_query(call) if QUERY_ALGORITHM in call.parameters else _from_header(call)
    if claim is None or list(claim.signed_headers) != sorted(set(claim.signed_headers)):
        return None
    must = {"host"} if claim.in_query else {"host", "x-amz-date"}
    must |= {name for name in call.headers if name.startswith("x-amz-")}
    if not must <= set(claim.signed_headers) <= call.headers.keys():
        return None
    return claim if claim.signed_at.startswith(claim.date) else None


def check_time(claim: Claim, now: datetime.datetime, *, window_s: float) -> None:
    """The date must be near *now*, and a presigned request must not live longer than any other."""
    signed_at = moments.parse_basic(claim.signed_at)
    moments.check_signed_at(signed_at, now, window_s=window_s)
    if claim.in_query:
        if not re.fullmatch(r"[0-9]{1,7}", claim.lifetime_s):
            raise moments.expired()
        if now > signed_at + datetime.timedelta(seconds=int(claim.lifetime_s)):
            raise moments.expired()


def expected(call: Ec2Call, claim: Claim, secret: Secret, *, host: str) -> str:
    """The signature that *call* must have."""
    digest = hashlib.sha256(_canonical(call, claim, host=host).encode()).hexdigest()
    text = "\n".join((ALGORITHM, claim.signed_at, claim.scope, digest))
    key = f"AWS4{secret.reveal()}".encode()
    for part in claim.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(call: Ec2Call, claim: Claim, *, host: str) -> str:
    headers = {**call.headers, "host": host}
    lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in claim.signed_headers]
    parameters = call.parameters.items() if call.method == "GET" else ()
    pairs = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in parameters
        if not (claim.in_query and name == QUERY_SIGNATURE)
    )
    query = "&".join(f"{name}={value}" for name, value in pairs)
    path = quote(call.path, safe="/~")
    return "\n".join((call.method, path, query, "".join(lines), ";".join(claim.signed_headers), call.body_sha256))


def _from_header(call: Ec2Call) -> Claim | None:
    text = call.headers.get("authorization", "")
    match = _HEADER.fullmatch(text) if len(text) <= MAX_HEADER else None
    if match is None:
        return None
    return _claim(
        match["credential"], match["headers"], match["signature"], call.headers.get("x-amz-date", ""), in_query=False
    )


def _from_query(call: Ec2Call) -> Claim | None:
    given = call.parameters
    signature = given.get(QUERY_SIGNATURE, "")
    if "authorization" in call.headers or given[QUERY_ALGORITHM] != ALGORITHM or not _SIGNATURE.fullmatch(signature):
        return None
    return _claim(
        given.get("X-Amz-Credential", ""),
        given.get("X-Amz-SignedHeaders", ""),
        signature,
        given.get("X-Amz-Date", ""),
        in_query=True,
        lifetime_s=given.get("X-Amz-Expires", ""),
    )


def _claim(
    credential: str, headers: str, signature: str, signed_at: str, *, in_query: bool, lifetime_s: str = ""
) -> Claim | None:
    match = _CREDENTIAL.fullmatch(credential)
    if match is None or not _HEADER_NAMES.fullmatch(headers):
        return None
    return Claim(
        access=match["access"],
        date=match["date"],
        scope=credential.partition("/")[2],
        signed_headers=tuple(headers.split(";")),
        signature=signature,
        signed_at=signed_at,
        in_query=in_query,
        lifetime_s=lifetime_s,
    )
