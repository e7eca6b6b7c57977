# SPDX-License-Identifier: Apache-2.0
"""HTTP to an image service that is not ours: Glance, API v2.  Runs in nova-api and nova-compute.

Each call has a connection of its own, so nothing of one caller reaches another.  The token goes to the configured
servers only: redirects are not followed.  Certificates are verified unless the operator explicitly says otherwise.
Servers are tried one after another, beginning anywhere, when one does not answer.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import requests

from nova import errors
from nova.context import RequestContext
from nova.secret import Secret

LOG = logging.getLogger(__name__)

CHUNK_BYTES = 256 * 1024
PATCH_TYPE = "application/openstack-images-v2.1-json-patch"
MAX_ANSWER_BYTES = 16 * 1024**2

_KINDS: dict[int, type[errors.NovaError]] = {
    400: errors.InvalidInput,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.TooLarge,
    415: errors.InvalidInput,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GlanceSettings:
    """How to reach the image service."""

    servers: tuple[str, ...]
    """``host``, ``host:port`` or ``http(s)://host:port``"""
    retries: int = 0
    """How often all servers are tried again"""
    connect_timeout_s: float = 5.0
    timeout_s: float = 60.0
    """How long a server may be silent"""
    insecure: bool = False
    """True: certificates are not verified"""
    ca_file: str = ""
    """The certificates to trust; empty for those of the system"""


def server_url(text: str) -> str:
    """The base URL of one configured server; InvalidConfiguration for text that is none."""
    url = text.strip().rstrip("/")
    if "://" not in url:
        url = f"http://{url}"
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 9292)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise errors.InvalidConfiguration(f"{_place(url)} is no address of an image service.")
    if parts.username or parts.password:
        raise errors.InvalidConfiguration("The address of an image service holds no user or password.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}{parts.path.removesuffix('/v2')}"


def _place(url: str) -> str:
    """Host and port for people; no credentials, no path."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the text"


class GlanceClient:
    """See the module.

    :param token_of: the token to use for a caller who showed none (a signed request); None where there is none
    """

    def __init__(
        self, settings: GlanceSettings, *, token_of: Callable[[RequestContext], Secret | None] | None = None
    ) -> None:
        if not settings.servers:
            raise errors.InvalidConfiguration("No image service is configured: set [glance] api_servers.")
        self._settings = settings
        self._servers = tuple(server_url(text) for text in settings.servers)
        self._token_of = token_of
        if settings.insecure:
            LOG.warning("Certificates of the image service are NOT verified ([glance] api_insecure).")

    def call(
        self,
        context: RequestContext,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | Iterable[tuple[str, str]] | None = None,
        body: Any = None,
        content_type: str = "",
    ) -> Any:
        """The JSON answer of one request, None for an empty one."""
        headers = {"Content-Type": content_type} if content_type else {}
        with self._answer(context, method, path, params=query, json=body, headers=headers) as answer:
            content = answer.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
            if len(content) > MAX_ANSWER_BYTES:
                raise errors.Unavailable("The image service sent an answer that is too large.")
            if not content:
                return None
            try:
                return msgspec.json.decode(content)
            except msgspec.DecodeError:
                raise errors.Unavailable("The image service sent an answer that is no JSON.") from None

    def send(
        self, context: RequestContext, path: str, chunks: Iterable[bytes], *, size_bytes: int | None = None
    ) -> None:
        """Stream *chunks* to one server."""
        headers = {"Content-Type": "application/octet-stream"}
        if size_bytes is not None:
            headers["X-OpenStack-Image-Size"] = str(size_bytes)
        with self._answer(context, "PUT", path, data=iter(chunks), headers=headers, tries=1):
            pass

    def stream(self, context: RequestContext, path: str) -> Iterator[bytes]:
        """The bytes at *path*, in chunks; the request is made before this returns."""
        answer = self._answer(context, "GET", path, headers={"Accept-Encoding": "identity"})
        if answer.status_code == 204:
            answer.close()
            raise errors.InvalidState("The image has no data yet.")
        return self._chunks(answer)

    def _chunks(self, answer: _Answer) -> Iterator[bytes]:
        with answer:
            try:
                yield from answer.iter_content(CHUNK_BYTES)
            except requests.RequestException as exc:
                raise errors.Unavailable("The image service broke off.", detail=type(exc).__name__) from exc

    def _answer(
        self, context: RequestContext, method: str, path: str, *, tries: int | None = None, **request: Any
    ) -> _Answer:
        """The first answer of a server that is at work; raises for a refusal."""
        servers = random.sample(self._servers, k=len(self._servers)) * (self._settings.retries + 1)
        failed = ""
        for server in servers[:tries]:
            try:
                answer = self._ask(context, method, f"{server}{path}", **request)
            except (requests.ConnectionError, requests.Timeout) as exc:
                failed = _place(server)
                LOG.warning("The image service at %s does not answer: %s", failed, type(exc).__name__)
                continue
            except requests.RequestException as exc:
                raise errors.Unavailable(
                    f"The image service at {_place(server)} cannot be used.", detail=type(exc).__name__
                ) from exc
            if answer.status_code < 500:
                return _accepted(answer, _place(server))
            answer.close()
            failed = _place(server)
            LOG.warning("The image service at %s answers with the status %d.", failed, answer.status_code)
        raise errors.Unavailable(f"The image service at {failed} does not answer.")

    def _ask(self, context: RequestContext, method: str, url: str, **request: Any) -> _Answer:
        session = _Session()
        headers = {**request.pop("headers", {}), "X-OpenStack-Request-ID": context.request_id}
        token = context.auth_token or (self._token_of(context) if self._token_of else None)
        if token is not None:
            headers["X-Auth-Token"] = token.reveal()
        settings = self._settings
        answer = session.request(
            method,
            url,
            headers=headers,
            timeout=(settings.connect_timeout_s, settings.timeout_s),
            verify=False if settings.insecure else settings.ca_file or True,
            allow_redirects=False,
            stream=True,
            **{name: value for name, value in request.items() if value is not None},
        )
        return _Answer(session, answer)


class _Session(requests.Session):
    """A session without the user's environment: no netrc, which would add credentials."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False


class _Answer:
    """An answer with the connection that it came on; closes both."""

    def __init__(self, session: requests.Session, response: requests.Response) -> None:
        self._session = session
        self._response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back and close it."""
        self._response.close()
        self._session.close()


def _accepted(answer: _Answer, place: str) -> _Answer:
    """The answer, if it is one of success; else what its status means, with the service's own words."""
    status = answer.status_code
    if 200 <= status < 300:
        return answer
    with answer:
        text = answer.raw.read(65536, decode_content=True).decode("utf-8", "replace")
    if status == 401:
        raise errors.Unavailable(f"The image service at {place} does not accept the token.", detail=text[:500])
    kind = _KINDS.get(status, errors.Unavailable)
    if kind is errors.Unavailable:
        raise kind(f"The image service at {place} answers with the status {status}.", detail=text[:500])
    raise kind(_MESSAGES[status], detail=text[:500])


_MESSAGES = {
    400: "The image service does not accept the request.",
    403: "The image service does not allow this.",
    404: "The image could not be found.",
    409: "The image is not in a state that allows this.",
    413: "The image, or what the project keeps, is too large for the image service.",
    415: "The image service does not accept the request.",
}


def image_path(image_id: str, *parts: str) -> str:
    """The path of an image, whatever the id holds."""
    return "/".join(("/v2/images", *(quote(part, safe="") for part in (image_id, *parts))))
