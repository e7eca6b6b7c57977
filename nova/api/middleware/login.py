# SPDX-License-Identifier: Apache-2.0
"""The login of API 1.0: a GET on the version's root with ``X-Auth-User`` and ``X-Auth-Key`` gets a token."""

from __future__ import annotations

from collections.abc import Iterable

from nova.api.cloud import ApiSettings
from nova.api.dispatch import Environ, StartResponse

USER, KEY, PROJECT = "HTTP_X_AUTH_USER", "HTTP_X_AUTH_KEY", "HTTP_X_AUTH_PROJECT_ID"


def is_login(environ: Environ) -> bool:
    """Whether the request asks for a token in that way."""
    at_root = environ.get("PATH_INFO", "") in ("", "/")
    return at_root and environ["REQUEST_METHOD"] == "GET" and USER in environ and KEY in environ


def answer_login(
    environ: Environ, start_response: StartResponse, *, token: str, project_id: str, settings: ApiSettings
) -> Iterable[bytes]:
    """204 with the token and the URL to go on with."""
    base = settings.compute_link_prefix.rstrip("/") or f"{environ['wsgi.url_scheme']}://{_host(environ)}"
    headers = [
        ("X-Auth-Token", token),
        ("X-Server-Management-Url", f"{base}{environ.get('SCRIPT_NAME', '')}/{project_id}"),
        ("X-Storage-Url", ""),
        ("X-CDN-Management-Url", ""),
        ("Content-Type", "text/plain; charset=UTF-8"),
    ]
    start_response("204 No Content", headers)
    return [b""]


def _host(environ: Environ) -> str:
    return str(environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}")
