# SPDX-License-Identifier: Apache-2.0
"""A cloud of identity and image services in one process: real database, real files, real filters, no sockets."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, cast

import msgspec
from webob import Request, Response

from nova.api.cloud import ApiSettings, Cloud
from nova.api.dispatch import Application
from nova.api.identity.faults import identity_shape
from nova.api.identity.routes import DIALECT, IDENTITY
from nova.api.image.body_limit import ImageBodyLimit
from nova.api.image.routes import DIALECT as IMAGE_DIALECT
from nova.api.image.routes import IMAGE
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
from nova.identity.catalog import Endpoint, default_endpoints
from nova.identity.passwords import PasswordHasher
from nova.image.files import ImageFiles
from nova.image.local import LocalImages
from nova.image.uploading import StoreSettings
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
    """The users of USERS, and the identity API to talk to; with a directory *store* the image API too."""

    def __init__(
        self,
        *,
        identity: IdentitySettings | None = None,
        db: Database | None = None,
        store: Path | None = None,
        images: StoreSettings | None = None,
        endpoints: tuple[Endpoint, ...] = default_endpoints("192.0.2.1"),
        policy: Policy | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.policy = policy or Policy()
        self.db = db or new_database()
        self.identity = BuiltinIdentity(self.db, hasher=cheap_hasher(), settings=identity)
        made = bootstrap(self.db, hasher=cheap_hasher(), wanted=USERS)
        self.users: dict[str, User] = {user.name: user for user in made}
        self.image_settings = images or StoreSettings()
        self.files = ImageFiles(store) if store else None
        self.images = LocalImages(self.db, self.files, settings=images) if self.files else None
        self.cloud = self._cloud()
        self.identity_api = RequestId(
            Faults(
                SizeLimit(self._known(IDENTITY, DIALECT), limit=self.cloud.settings.max_body_bytes),
                shape=identity_shape,
            )
        )
        self.image_api = RequestId(
            Faults(
                ImageBodyLimit(
                    self._known(IMAGE, IMAGE_DIALECT),
                    limit=self.cloud.settings.max_body_bytes,
                    image_limit=self.image_settings.image_size_cap,
                ),
                shape=identity_shape,
            )
        )

    def _cloud(self) -> Cloud:
        absent = cast(Any, None)
        return Cloud(
            db=self.db,
            conductor=absent,
            compute=absent,
            network=absent,
            volume=absent,
            scheduler=absent,
            images=cast(Any, self.images),
            identity=self.identity,
            policy=self.policy,
            settings=ApiSettings(endpoints=self.endpoints, image_size_cap=self.image_settings.image_size_cap),
        )

    def _known(self, routes: Any, dialect: Any) -> Any:
        return BuiltinAuth(Application(self.cloud, routes, dialect=dialect), cloud=self.cloud)

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

    def image(
        self, method: str, path: str, *, token: str = "", body: Any = None, headers: dict[str, str] | None = None
    ) -> Response:
        """One request to the image API."""
        return send(self.image_api, method, path, token=token, body=body, headers=headers)

    def upload(self, token: str, image_id: str, data: bytes) -> Response:
        """Send the bytes of an image."""
        headers = {"Content-Type": "application/octet-stream"}
        return self.image("PUT", f"/v2/images/{image_id}/file", token=token, body=data, headers=headers)

    def new_image(self, token: str, *, data: bytes | None = b"plain bytes", **attributes: Any) -> str:
        """The id of a raw image that is made for a test, active with *data*, or queued without."""
        body = {"name": "test", "disk_format": "raw", "container_format": "bare", **attributes}
        made = self.image("POST", "/v2/images", token=token, body=body)
        assert made.status_int == 201, made.text
        if data is not None:
            sent = self.upload(token, made.json["id"], data)
            assert sent.status_int == 204, sent.text
        return str(made.json["id"])


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
