# SPDX-License-Identifier: Apache-2.0
"""Callers of the built-in identity store, by ``X-Auth-Token`` or by the login of API 1.0.

A request without a token goes on without a context: the dispatcher lets it reach public routes only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nova.api.cloud import Cloud, deployed
from nova.api.dispatch import CONTEXT, REQUEST_ID, Environ, StartResponse
from nova.api.middleware import login
from nova.api.middleware.identity_headers import strip
from nova.errors import Unauthenticated
from nova.identity.caller import context_of
from nova.secret import Secret

MAX_TOKEN = 1024


def filter_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini."""
    cloud = deployed()
    return lambda app: BuiltinAuth(app, cloud=cloud)


class BuiltinAuth:
    """See the module."""

    def __init__(self, app: Any, *, cloud: Cloud) -> None:
        self._app = app
        self._identity = cloud.identity
        self._settings = cloud.settings

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        strip(environ)
        if login.is_login(environ):
            return self._login(environ, start_response)
        token = environ.get("HTTP_X_AUTH_TOKEN", "")
        if token:
            self._identify(environ, token)
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _identify(self, environ: Environ, token: str) -> None:
        if len(token) > MAX_TOKEN:
            raise Unauthenticated
        secret = Secret(token)
        environ[CONTEXT] = context_of(
            self._identity.validate(secret),
            token=secret,
            request_id=environ.get(REQUEST_ID),
            remote_address=environ.get("REMOTE_ADDR", ""),
        )

    def _login(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        token = self._identity.token_by_access_key(
            environ[login.USER],
            Secret(environ[login.KEY]),
            project=environ.get(login.PROJECT, ""),
            source=environ.get("REMOTE_ADDR", ""),
        )
        return login.answer_login(
            environ,
            start_response,
            token=token.value.reveal(),
            project_id=token.project.id if token.project else "",
            settings=self._settings,
        )
