# SPDX-License-Identifier: Apache-2.0
"""The one microversion of the volume API, 3.0: asked for in a header, echoed, anything else refused.

A filter around the application of ``/v3``; clients ask for what the version document promises them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from nova.api.dispatch import EXTRA_HEADERS, Environ, StartResponse
from nova.api.refusal import Refusal

VERSION = "3.0"
HEADER = "OpenStack-API-Version"
_SERVICE = "volume"
_FORM = re.compile(r"[1-9][0-9]{0,2}\.(0|[1-9][0-9]{0,3})", re.ASCII)


class VolumeMicroversion:
    """See the module."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ[EXTRA_HEADERS] = [(HEADER, f"{_SERVICE} {VERSION}"), ("Vary", HEADER)]
        asked = _asked_for(environ.get("HTTP_OPENSTACK_API_VERSION", ""))
        if asked not in ("", "latest", VERSION):
            if not _FORM.fullmatch(asked):
                raise Refusal(400, "A microversion is written as major.minor, for example 3.0, or as latest.")
            raise Refusal(406, f"Version {asked} is not served here. Lowest and highest: {VERSION}.")
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


def _asked_for(header: str) -> str:
    items = (item.strip().partition(" ") for item in header.split(","))
    return next((version.strip().lower() for service, _, version in items if service.lower() == _SERVICE), "")
