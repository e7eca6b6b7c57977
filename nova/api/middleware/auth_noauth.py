# SPDX-License-Identifier: Apache-2.0
"""No authentication, for tests: the token is ``user:project``, and whoever calls himself ``admin`` administers.

A request without a token reaches public routes only; the login of API 1.0 gives one for any user and key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nova.api.cloud import ApiSettings, deployed
from nova.api.dispatch import CONTEXT, REQUEST_ID, Environ, StartResponse
from nova.api.middleware import login
from nova.api.middleware.identity_headers import strip
from nova.context import RequestContext, new_request_id

ADMIN = "admin"


def filter_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    settings = deployed().settings
    return lambda app: NoAuth(app, settings=settings)


class NoAuth:
    """See the module."""

    def __init__(self, app: Any, *, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        strip(environ)
        if login.is_login(environ):
            user, project = environ[login.USER], environ.get(login.PROJECT) or environ[login.USER]
            return login.answer_login(
                environ, start_response, token=f"{user}:{project}", project_id=project, settings=self._settings
            )
        token = environ.get("HTTP_X_AUTH_TOKEN", "")
        if token:
            environ[CONTEXT] = _context(token, environ)
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


def _context(token: str, environ: Environ) -> RequestContext:
    user, _, project = token.partition(":")
    admin = user == ADMIN
    return RequestContext(
        request_id=environ.get(REQUEST_ID) or new_request_id(),
        user_id=user,
        user_name=user,
        project_id=project or user,
        project_name=project or user,
        roles=("admin",) if admin else ("member",),
        is_admin=admin,
        remote_address=environ.get("REMOTE_ADDR", ""),
    )
