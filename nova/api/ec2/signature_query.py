# SPDX-License-Identifier: Apache-2.0
"""Signatures that travel among the parameters: version 2, and 0 and 1 for operators who still need them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from nova.api.ec2 import moments
from nova.api.ec2.reading import Ec2Call
from nova.secret import Secret

ACCESS_KEY = "AWSAccessKeyId"
SIGNATURE = "Signature"
METHODS = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}


def check_time(call: Ec2Call, now: datetime.datetime, *, window_s: float) -> None:
    """Exactly one of Timestamp and Expires, near enough to *now*."""
    given = [name for name in ("Timestamp", "Expires") if name in call.parameters]
    if len(given) != 1:
        raise moments.expired()
    moment = moments.parse_extended(call.parameters[given[0]])
    check = moments.check_signed_at if given == ["Timestamp"] else moments.check_expires_at
    check(moment, now, window_s=window_s)


def expected(call: Ec2Call, secret: Secret, *, version: str, host: str) -> str:
    """The signature that *call* must have; empty for a way of signing that is not known."""
    parameters = {name: value for name, value in call.parameters.items() if name != SIGNATURE}
    if version == "0":
        text = parameters.get("Action", "") + parameters.get("Timestamp", "")
        return _mac(text, secret, "HmacSHA1")
    if version == "1":
        ordered = sorted(parameters.items(), key=lambda pair: pair[0].lower())
        return _mac("".join(name + value for name, value in ordered), secret, "HmacSHA1")
    method = parameters.get("SignatureMethod", "HmacSHA256")
    if method not in METHODS:
        return ""
    return _mac(_text_of_version_2(call, parameters, host=host), secret, method)


def _text_of_version_2(call: Ec2Call, parameters: Mapping[str, str], *, host: str) -> str:
    pairs = sorted((quote(name, safe=""), quote(value, safe="-_~")) for name, value in parameters.items())
    query = "&".join(f"{name}={value}" for name, value in pairs)
    return "\n".join((call.method, host.lower(), call.path, query))


def _mac(text: str, secret: Secret, method: str) -> str:
    digest = hmac.new(secret.reveal().encode(), text.encode(), METHODS[method]).digest()
    return base64.b64encode(digest).decode()
