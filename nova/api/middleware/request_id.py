# SPDX-License-Identifier: Apache-2.0
"""The outermost filter: a request id made here, the headers that every answer has, and one line in the log.

A client's own request id is not taken over: ids name instance actions, and a chosen one could be somebody else's.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from nova.api.dispatch import CONTEXT, REQUEST_ID, Environ, StartResponse
from nova.context import new_request_id

LOG = logging.getLogger(__name__)
MAX_LOGGED = 200
_TOKEN_IN_PATH = re.compile(r"(/tokens/)[^/]+")
COMMON_HEADERS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]


def filter_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    return RequestId


class RequestId:
    """See the module."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request_id = environ[REQUEST_ID] = new_request_id()
        started = time.monotonic()

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            _log(environ, status, headers, time.monotonic() - started)
            named = [("X-Compute-Request-Id", request_id), ("X-Openstack-Request-Id", request_id)]
            return start_response(status, [*headers, *named, *COMMON_HEADERS], *rest)

        answer: Iterable[bytes] = self._app(environ, start)
        return answer


def _log(environ: Environ, status: str, headers: list[tuple[str, str]], taken_s: float) -> None:
    """The audit line.  The query string is left out: it may hold a token; bytes that could fake a line are escaped."""
    context = environ.get(CONTEXT)
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))[:MAX_LOGGED]
    LOG.info(
        "%s %s from %s by user %s of project %s: %s, %s bytes, %.4f s [%s]",
        environ["REQUEST_METHOD"][:20],
        _TOKEN_IN_PATH.sub(r"\1***", path).encode("unicode_escape").decode("ascii"),
        environ.get("REMOTE_ADDR", "-"),
        context.user_id if context else "-",
        context.project_id if context else "-",
        status[:3],
        next((value for name, value in headers if name == "Content-Length"), "-"),
        taken_s,
        environ[REQUEST_ID],
    )
