# SPDX-License-Identifier: Apache-2.0
"""A request as it is signed: method, path, headers, body, and its parameters, each there once and from one place only.

What is read here is what the signature is checked against and what the action gets; nobody reads the request again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from nova.api.dispatch import Environ
from nova.api.ec2.faults import Ec2Refusal

MAX_PARAMETERS = 1000
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Call:
    """One request, decoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Lower-case names"""
    parameters: Mapping[str, str]
    """Of the query string for GET, of the form for POST"""
    body_sha256: str
    source: str = ""
    """The caller's address"""

    @property
    def host(self) -> str:
        """As the client wrote it."""
        return self.headers.get("host", "")


def read(environ: Environ, *, source: str) -> Ec2Call:
    """The call; refused when anything in it can be read in two ways."""
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "POST"):
        raise Ec2Refusal("InvalidRequest", "Calls are made with GET or POST.", status=405)
    body: bytes = environ["wsgi.input"].read()
    query = environ.get("QUERY_STRING", "")
    if (query and method == "POST") or (body and method == "GET"):
        raise Ec2Refusal("InvalidRequest", "Parameters are either in the query of a GET or in the body of a POST.")
    if method == "POST" and environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() not in (FORM, ""):
        raise Ec2Refusal("InvalidRequest", f"The body of a POST is {FORM}.")
    return Ec2Call(
        method=method,
        path=(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")) or "/",
        headers=_headers(environ),
        parameters=_parameters(query if method == "GET" else _ascii(body)),
        body_sha256=hashlib.sha256(body).hexdigest(),
        source=source,
    )


def _ascii(body: bytes) -> str:
    try:
        return body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise Ec2Refusal("InvalidRequest", "The body is not form-encoded text.") from None


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    found = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        found["content-type"] = environ["CONTENT_TYPE"]
    if environ.get("CONTENT_LENGTH"):
        found["content-length"] = environ["CONTENT_LENGTH"]
    return found


def _parameters(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=False, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except (UnicodeDecodeError, ValueError):
        raise Ec2Refusal(
            "InvalidRequest", f"The parameters are not UTF-8 text, or are more than {MAX_PARAMETERS}."
        ) from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Ec2Refusal("InvalidParameterCombination", "A parameter is there twice.")
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Ec2Refusal("InvalidParameterValue", "A parameter has a zero byte.")
    return found
