# SPDX-License-Identifier: Apache-2.0
"""A cloud of identity and image services in one process: real database, real filters, no sockets."""

from __future__ import annotations

import functools
from typing import Any, cast

import msgspec
from webob import Request, Response

from nova.api.cloud import ApiSettings, Cloud
from nova.api.dispatch import Application
from nova.api.identity.faults import identity_shape
from nova.api.identity.routes import DIALECT, IDENTITY
from nova.api.middleware.auth_builtin import BuiltinAuth
from nova.api.middleware.faults import Faults
from nova.api.middleware.request_id import RequestId
from nova.api.middleware.size_limit import SizeLimit
from nova.api.policy import Policy
from nova.db.engine import Database, DatabaseSettings
from nova.db.models import Base
from nova.domain.identity import User
from nova.identity.bootstrap import FirstUser, bootstrap
from nova.identity.builtin import BuiltinIdentity, IdentitySettings
from nova.identity.catalog import default_endpoints
from nova.identity.passwords import PasswordHasher
from nova.secret import Secret

USERS = (
    FirstUser(name="root", password=Secret("root-pw"), project="operations", is_admin=True),
    FirstUser(name="alice", password=Secret("alice-pw"), project="apples", role="member"),
    FirstUser(name="bob", password=Secret("bob-pw"), project="pears", role="member"),
    FirstUser(name="rita", password=Secret("rita-pw"), project="apples", role="reader"),
    FirstUser(name="nova", password=Secret("nova-pw"), project="service", role="service"),
)


@functools.cache
def cheap_hasher() -> PasswordHasher:
    """Hashes as real ones, at the lowest cost."""
    return PasswordHasher(rounds=4)


def new_database(url: str = "sqlite://") -> Database:
    """A database with all tables and nothing in them."""
    db = Database(DatabaseSettings(url=url))
    Base.metadata.create_all(db.engine)
    return db


class SmallCloud:
    """The users of USERS, and the identity API to talk to."""

    def __init__(self, *, identity: IdentitySettings | None = None, db: Database | None = None) -> None:
        self.db = db or new_database()
        self.identity = BuiltinIdentity(self.db, hasher=cheap_hasher(), settings=identity)
        made = bootstrap(self.db, hasher=cheap_hasher(), wanted=USERS)
        self.users: dict[str, User] = {user.name: user for user in made}
        self.cloud = self._cloud()
        self.identity_api = self._filtered(Application(self.cloud, IDENTITY, dialect=DIALECT), identity_shape)

    def _cloud(self) -> Cloud:
        absent = cast(Any, None)
        return Cloud(
            db=self.db,
            conductor=absent,
            compute=absent,
            network=absent,
            volume=absent,
            scheduler=absent,
            images=absent,
            identity=self.identity,
            policy=Policy(),
            settings=ApiSettings(endpoints=default_endpoints("192.0.2.1")),
        )

    def _filtered(self, app: Any, shape: Any) -> Any:
        limited = SizeLimit(BuiltinAuth(app, cloud=self.cloud), limit=self.cloud.settings.max_body_bytes)
        return RequestId(Faults(limited, shape=shape))

    def project_id(self, user: str) -> str:
        """The project of one of USERS."""
        return self.users[user].default_project_id

    def token(self, user: str) -> str:
        """A fresh token of one of USERS for its own project."""
        answer = self.call("POST", "/v3/auth/tokens", body=password_auth(user))
        assert answer.status_int == 201, answer.text
        return str(answer.headers["X-Subject-Token"])

    def call(
        self, method: str, path: str, *, token: str = "", body: Any = None, headers: dict[str, str] | None = None
    ) -> Response:
        """One request to the identity API."""
        return send(self.identity_api, method, path, token=token, body=body, headers=headers)


def send(
    app: Any,
    method: str,
    path: str,
    *,
    token: str = "",
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """One request to a WSGI application."""
    request = Request.blank(path, method=method, headers=headers or {})
    request.remote_addr = "198.51.100.7"
    if token:
        request.headers["X-Auth-Token"] = token
    if body is not None:
        request.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
        request.headers.setdefault("Content-Type", "application/json")
    return request.get_response(app)


def password_auth(user: str, *, password: str = "", project: str = "") -> dict[str, Any]:
    """The body that asks for a token; with the password of USERS, for the default project."""
    asked: dict[str, Any] = {
        "identity": {
            "methods": ["password"],
            "password": {
                "user": {"name": user, "domain": {"id": "default"}, "password": password or f"{user}-pw"},
            },
        }
    }
    if project:
        asked["scope"] = {"project": {"name": project, "domain": {"id": "default"}}}
    return {"auth": asked}


def token_auth(token: str, *, scope: Any = None) -> dict[str, Any]:
    """The body that asks for a token in exchange for another."""
    asked: dict[str, Any] = {"identity": {"methods": ["token"], "token": {"id": token}}}
    if scope is not None:
        asked["scope"] = scope
    return {"auth": asked}
