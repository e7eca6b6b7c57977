# SPDX-License-Identifier: Apache-2.0
"""From a WSGI request to a handler and back: the same steps, in the same order, for every operation of every API.

Find the route, know the caller, compare the project in the URL, settle the microversion, ask the policy, read and check
the body, open the transaction, run the handler, commit, encode.  Whatever is wrong is raised: the faults filter around
this application turns it into an answer.  A deadlock runs the handler again, so handlers touch only ``request.tx`` and
send messages with ``request.tx.after_commit``.
"""

from __future__ import annotations

import http
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from webob import Request, Response
from webob.multidict import MultiDict

from nova.api import body as json_body
from nova.api import microversion
from nova.api.cloud import Cloud
from nova.api.microversion import Microversion
from nova.api.policy import check_rules_of
from nova.api.refusal import Refusal
from nova.api.request import Answer, ApiRequest, Links
from nova.api.routing import PUBLIC, Compiled, Endpoint, Route, RouteTable, Tx
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.errors import InvalidInput, NotFound, Unauthenticated

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

CONTEXT = "nova.context"
"""The environ key under which an authentication filter puts the RequestContext; absent for an unknown caller."""
REQUEST_ID = "nova.request_id"
EXTRA_HEADERS = "nova.extra_headers"
"""A list of headers that belong on the answer, also when it is a fault."""
LEGACY = "nova.legacy"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
MAX_QUERY_FIELDS = 1000
MAX_VARIABLE = 255
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one API differs from another before its handlers run."""

    legacy: bool = False
    """Unknown keys of a body are dropped, not refused"""
    microversions: bool = False
    project_in_path: bool = True
    """Whether ``/{project}/servers`` is ``/servers``"""
    needs_project: bool = True


class Application:
    """One API."""

    def __init__(self, cloud: Cloud, routes: Sequence[Route], *, dialect: Dialect) -> None:
        check_rules_of(routes, cloud.policy)
        self._cloud = cloud
        self._table = RouteTable(routes)
        self._dialect = dialect

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ[LEGACY] = self._dialect.legacy
        method = environ["REQUEST_METHOD"]
        if method not in METHODS:
            raise Refusal(405, f"The method {method[:20]} is not served.")
        rows, path, project, version = self._find(environ, "GET" if method == "HEAD" else method)
        request = self._request(environ, rows[0].route, path, project=project, version=version)
        chosen = self._choose(rows, request)
        self._authorize(chosen.route, request)
        self._check_body(chosen, request)
        answer = self._run(chosen.route, request)
        return _respond(answer, chosen.route, environ, start_response)

    def _find(self, environ: Environ, method: str) -> tuple[list[Compiled], dict[str, str], str | None, Microversion]:
        found, project = self._endpoint(_path_of(environ))
        version = self._version(environ)
        rows = found[0].serving(method, version) if found and _is_short(found[1]) else []
        if not found or not rows:
            if CONTEXT not in environ:
                raise Unauthenticated
            raise NotFound("There is nothing at this address.")
        return rows, found[1], project, version

    def _endpoint(self, path: str) -> tuple[tuple[Endpoint, dict[str, str]] | None, str | None]:
        """The endpoint, and the project in the URL; a fixed route wins over a project of the same name."""
        found = self._table.find(path)
        if found is not None or not self._dialect.project_in_path:
            return found, None
        _, project, rest = (*path.split("/", 2), "")[:3]
        return (self._table.find("/" + rest) if rest else None), project

    def _version(self, environ: Environ) -> Microversion:
        if not self._dialect.microversions:
            return microversion.LOWEST
        try:
            version = microversion.asked_for(
                environ.get("HTTP_OPENSTACK_API_VERSION", ""), environ.get("HTTP_X_OPENSTACK_NOVA_API_VERSION", "")
            )
        except Refusal as refused:
            if "version" in refused.data:
                environ[EXTRA_HEADERS] = microversion.answer_headers(refused.data["version"])
            raise
        environ[EXTRA_HEADERS] = microversion.answer_headers(str(version))
        return version

    def _request(
        self, environ: Environ, route: Route, path: dict[str, str], *, project: str | None, version: Microversion
    ) -> ApiRequest:
        context = self._caller(environ, route, project)
        request = Request(environ)
        settings = self._cloud.settings
        base = settings.compute_link_prefix.rstrip("/") or request.host_url
        return ApiRequest(
            http=request,
            cloud=self._cloud,
            context=context,
            links=Links(
                base,
                environ.get("SCRIPT_NAME", ""),
                f"/{project}" if project else "",
                settings.glance_link_prefix.rstrip("/") or settings.image_endpoint.rstrip("/") or base,
            ),
            version=version,
            legacy=self._dialect.legacy,
            path=path,
            query=_query_of(environ),
        )

    def _caller(self, environ: Environ, route: Route, project: str | None) -> RequestContext:
        context: RequestContext | None = environ.get(CONTEXT)
        if context is None:
            if route.policy != PUBLIC:
                raise Unauthenticated
            return RequestContext(request_id=environ[REQUEST_ID]) if REQUEST_ID in environ else RequestContext()
        if project is not None and project != context.project_id:
            raise InvalidInput(
                f"The project in the URL, {project[:64]}, is not the project of your token, {context.project_id}."
            )
        if self._dialect.needs_project and not context.project_id and route.policy != PUBLIC:
            raise Unauthenticated("This needs a token for a project.")
        return context

    def _choose(self, rows: list[Compiled], request: ApiRequest) -> Compiled:
        """Read the body, and find the row of the action that it names."""
        first = rows[0].route
        if not first.raw_body and first.method in ("POST", "PUT", "PATCH", "DELETE"):
            request.body = _read(request.http, optional=first.body_optional or not first.bodies)
        if not first.action:
            return rows[0]
        if not isinstance(request.body, dict) or len(request.body) != 1:
            raise InvalidInput("The body of an action is an object with one key, its name.")
        name = next(iter(request.body))
        for row in rows:
            if row.route.action == name:
                return row
        raise InvalidInput(f"There is no such action: {name[:60]}.", field=name[:60])

    def _authorize(self, route: Route, request: ApiRequest) -> None:
        if route.policy != PUBLIC:
            self._cloud.policy.authorize(request.context, route.policy)

    def _check_body(self, chosen: Compiled, request: ApiRequest) -> None:
        legacy = self._dialect.legacy
        validator = chosen.legacy if legacy else chosen.validator(request.version)
        if validator is None or chosen.route.raw_body:
            return
        if legacy:
            request.body = validator.without_unknown(request.body)
        validator.check(request.body)
        if chosen.route.action:
            request.body = request.body[chosen.route.action]

    def _run(self, route: Route, request: ApiRequest) -> Any:
        if route.tx is Tx.NONE:
            return route.handler(request)

        def work(tx: Transaction) -> Any:
            request.transaction = tx
            return route.handler(request)

        return self._cloud.db.run(work, write=route.tx is Tx.WRITE)


def _is_short(variables: dict[str, str]) -> bool:
    """No id or name in a URL is longer than this."""
    return all(len(value) <= MAX_VARIABLE for value in variables.values())


def _path_of(environ: Environ) -> str:
    try:
        path: str = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("The URL is not UTF-8 text.") from None
    if "\x00" in path:
        raise InvalidInput("The URL has a zero byte.")
    return "/" + path.removesuffix(".json").removesuffix(".xml").strip("/")


def _query_of(environ: Environ) -> MultiDict[str, str]:
    text = environ.get("QUERY_STRING", "")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput("The query string is not UTF-8 text, or has too many fields.") from None
    if "%00" in text:
        raise InvalidInput("The query string has a zero byte.")
    return MultiDict(pairs)


def _read(request: Request, *, optional: bool) -> Any:
    raw = request.body_file.read()
    if not raw.strip():
        if optional:
            return {}
        raise InvalidInput("The request needs a JSON body.")
    json_body.check_media_type(request.environ.get("CONTENT_TYPE", ""))
    return json_body.parse(raw)


def _respond(answer: Any, route: Route, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    if isinstance(answer, Response):
        answer.headers.extend(environ.get(EXTRA_HEADERS, ()))
        chunks: Iterable[bytes] = answer(environ, start_response)
        return chunks
    full = answer if isinstance(answer, Answer) else Answer(body=answer)
    status = full.status or route.success
    content = b"" if full.body is None else _ENCODER.encode(full.body)
    headers = [*environ.get(EXTRA_HEADERS, ()), *full.headers]
    if content:
        headers.append(("Content-Type", "application/json"))
    if status != 204:
        headers.append(("Content-Length", str(len(content))))
    start_response(f"{status} {http.HTTPStatus(status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]
