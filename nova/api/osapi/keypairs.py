# SPDX-License-Identifier: Apache-2.0
"""/os-keypairs: a user's public keys."""

from __future__ import annotations

from typing import Any

from nova.api.actions import key_pairs as actions
from nova.api.microversion import HIGHEST, LOWEST, v
from nova.api.osapi.paging import marker_page, next_link
from nova.api.osapi.times import plain
from nova.api.parameter_types import PROJECT_ID, closed, envelope
from nova.api.policies.compute import PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema
from nova.db import key_pairs
from nova.domain.instance import KeyPair
from nova.errors import InvalidInput

POLICY = PREFIX + "os-keypairs:"
X509 = "x509"
_NAME: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^(?! )[a-zA-Z0-9_ \-]+(?<! )$(?!\n)",
}
_PUBLIC_KEY: Schema = {"type": ["string", "null"], "maxLength": actions.MAX_PUBLIC_KEY}
_BASE: dict[str, Schema] = {"name": _NAME, "public_key": _PUBLIC_KEY}
_TYPED: dict[str, Schema] = {**_BASE, "type": {"enum": ["ssh", X509]}}
CREATE = envelope("keypair", closed(_BASE, "name"))
CREATE_V2 = envelope("keypair", closed(_TYPED, "name"))
CREATE_V10 = envelope("keypair", closed({**_TYPED, "user_id": PROJECT_ID}, "name"))


def _owner(request: ApiRequest, user_id: str | None) -> str:
    """The user whose keys are meant; another one than the caller takes the right to it."""
    if request.version < v(10) or not user_id or user_id == request.context.user_id:
        return request.context.user_id
    request.cloud.policy.authorize(request.context, POLICY + "others")
    return user_id


def _view(request: ApiRequest, pair: KeyPair) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": pair.name, "public_key": pair.public_key, "fingerprint": pair.fingerprint}
    if request.version >= v(2):
        shown["type"] = pair.type
    return shown


def index(request: ApiRequest) -> dict[str, Any]:
    """GET /os-keypairs"""
    owner = _owner(request, request.query.get("user_id"))
    if request.version < v(35):
        found = key_pairs.find(request.tx, owner)
        return {"keypairs": [{"keypair": _view(request, pair)} for pair in found]}
    page = marker_page(request)
    found = key_pairs.find(request.tx, owner, marker=page.marker, limit=page.limit)
    answer: dict[str, Any] = {"keypairs": [{"keypair": _view(request, pair)} for pair in found]}
    if links := next_link(request, "os-keypairs", page, count=len(found), last=found[-1].name if found else ""):
        answer["keypairs_links"] = links
    return answer


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /os-keypairs/{name}"""
    pair = key_pairs.get(request.tx, _owner(request, request.query.get("user_id")), request.path["name"])
    more = {
        "id": pair.id,
        "user_id": pair.user_id,
        "created_at": plain(pair.created_at),
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }
    return {"keypair": {**_view(request, pair), **more}}


def create(request: ApiRequest) -> dict[str, Any]:
    """POST /os-keypairs"""
    wanted = request.body["keypair"]
    if wanted.get("type") == X509:
        raise InvalidInput("Invalid input for type: this cloud keeps ssh keys only.", field="type")
    owner = _owner(request, wanted.get("user_id"))
    public_key, private_key = wanted.get("public_key"), None
    if public_key is None:
        public_key, private_key = request.cloud.run_blocking(actions.generate)
    with request.cloud.db.transaction() as tx:
        pair = actions.create(
            request.cloud, tx, request.context, name=wanted["name"].strip(), user_id=owner, public_key=public_key
        )
    shown = {**_view(request, pair), "user_id": pair.user_id}
    if private_key is not None:
        shown["private_key"] = private_key.reveal()
    return {"keypair": shown}


def delete(request: ApiRequest) -> Answer:
    """DELETE /os-keypairs/{name}"""
    owner = _owner(request, request.query.get("user_id"))
    actions.delete(request.cloud, request.tx, request.context, name=request.path["name"], user_id=owner)
    return Answer()


ROUTES = (
    Route(method="GET", path="/os-keypairs", handler=index, policy=POLICY + "index"),
    Route(method="GET", path="/os-keypairs/{name}", handler=show, policy=POLICY + "show"),
    *(
        Route(
            method="POST",
            path="/os-keypairs",
            handler=create,
            policy=POLICY + "create",
            bodies=body(CREATE, (v(2), CREATE_V2), (v(10), CREATE_V10)),
            success=success,
            tx=Tx.NONE,
            since=since,
            until=until,
        )
        for since, until, success in ((LOWEST, LOWEST, 200), (v(2), HIGHEST, 201))
    ),
    *(
        Route(
            method="DELETE",
            path="/os-keypairs/{name}",
            handler=delete,
            policy=POLICY + "delete",
            success=success,
            tx=Tx.WRITE,
            since=since,
            until=until,
        )
        for since, until, success in ((LOWEST, LOWEST, 202), (v(2), HIGHEST, 204))
    ),
)
