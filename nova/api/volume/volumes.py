# SPDX-License-Identifier: Apache-2.0
"""/volumes: made, listed, shown, renamed and deleted, as the first version and as the later ones show them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova.api.actions import volumes as rules
from nova.api.actions.create_volume import create
from nova.api.actions.delete_volume import delete as delete_volume
from nova.api.osapi.paging import Page, marker_page, next_link, offset_of
from nova.api.parameter_types import query_bool
from nova.api.policies.volume import EXTENSION, PREFIX
from nova.api.request import Answer, ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.volume import views
from nova.api.volume.requests import CREATE, UPDATE, read_create, words
from nova.db import volumes
from nova.db.volumes import VolumeQuery
from nova.domain.volume import Volume

ALL_RULE = PREFIX + "get_all:all_tenants"
FORCE_RULE = EXTENSION + "volume_admin_actions:force_delete"
View = Callable[[ApiRequest, Volume], dict[str, Any]]
MAX_WORD = 255


def find(request: ApiRequest, page: Page) -> list[Volume]:
    """The page of the caller's volumes; of all projects' when an administrator asks for that."""
    query = request.query
    project: str | None = request.context.project_id
    if query_bool(query.get("all_tenants"), field="all_tenants"):
        request.cloud.policy.authorize(request.context, ALL_RULE)
        project = query.get("project_id") or None
    wanted = VolumeQuery(
        project_id=project,
        display_name=(query.get("name") or query.get("display_name") or "")[:MAX_WORD],
        status=query.get("status", "")[:MAX_WORD].lower(),
        marker=page.marker,
        limit=page.limit,
        offset=offset_of(request),
    )
    return volumes.find(request.tx, wanted)


def lister(view: View, path: str) -> Callable[[ApiRequest], dict[str, Any]]:
    """GET /volumes and GET /volumes/detail"""

    def index(request: ApiRequest) -> dict[str, Any]:
        page = marker_page(request)
        found = find(request, page)
        answer: dict[str, Any] = {"volumes": [view(request, volume) for volume in found]}
        links = next_link(request, path, page, count=len(found), last=found[-1].id if found else "")
        return {**answer, "volumes_links": links} if links else answer

    return index


def shower(view: View) -> Callable[[ApiRequest], dict[str, Any]]:
    """GET /volumes/{id}"""

    def show(request: ApiRequest) -> dict[str, Any]:
        return {"volume": view(request, rules.load(request.tx, request.context, request.path["id"]))}

    return show


def maker(view: View) -> Callable[[ApiRequest], Answer]:
    """POST /volumes"""

    def make(request: ApiRequest) -> Answer:
        made = create(request.cloud, request.tx, request.context, read_create(request.body))
        location = ("Location", request.links.own("volumes", made.id))
        return Answer(body={"volume": view(request, made)}, headers=(location,))

    return make


def changer(view: View) -> Callable[[ApiRequest], dict[str, Any]]:
    """PUT /volumes/{id}"""

    def update(request: ApiRequest) -> dict[str, Any]:
        wanted, volume_id = request.body["volume"], request.path["id"]
        name, description = words(wanted)
        volume = rules.rename(request.cloud, request.tx, request.context, volume_id, name=name, description=description)
        metadata = wanted.get("metadata")
        if metadata is not None:
            rules.change_metadata(request.cloud, request.tx, request.context, volume_id, lambda _: metadata)
            volume = rules.load(request.tx, request.context, volume_id)
        return {"volume": view(request, volume)}

    return update


def delete(request: ApiRequest) -> None:
    """DELETE /volumes/{id}"""
    force = query_bool(request.query.get("force"), field="force")
    delete_volume(request.cloud, request.tx, request.context, request.path["id"], force=force)


def routes(*, index: View, detail: View, created: int) -> tuple[Route, ...]:
    """The rows of one version.

    :param created: the status of a successful POST
    """
    return (
        Route(method="GET", path="/volumes", handler=lister(index, "volumes"), policy=PREFIX + "get_all"),
        Route(
            method="GET", path="/volumes/detail", handler=lister(detail, "volumes/detail"), policy=PREFIX + "get_all"
        ),
        Route(
            method="POST",
            path="/volumes",
            handler=maker(detail),
            policy=PREFIX + "create",
            bodies=body(CREATE),
            success=created,
            tx=Tx.WRITE,
        ),
        Route(method="GET", path="/volumes/{id}", handler=shower(detail), policy=PREFIX + "get"),
        Route(
            method="PUT",
            path="/volumes/{id}",
            handler=changer(detail),
            policy=PREFIX + "update",
            bodies=body(UPDATE),
            tx=Tx.WRITE,
        ),
        Route(
            method="DELETE", path="/volumes/{id}", handler=delete, policy=PREFIX + "delete", success=202, tx=Tx.WRITE
        ),
    )


V1 = routes(index=views.v1_summary, detail=views.v1_summary, created=200)
LATER = routes(index=views.summary, detail=views.detail, created=202)
