# SPDX-License-Identifier: Apache-2.0
"""Bounds the body before anybody reads it: what Content-Length says, and what really comes (chunked, or a lie)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nova.api.cloud import deployed
from nova.api.dispatch import Environ, StartResponse
from nova.api.refusal import Refusal
from nova.errors import TooLarge


def filter_factory(_global: dict[str, str], *, max_bytes: str = "", **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini; *max_bytes* instead of osapi_max_request_body_size."""
    limit = int(max_bytes) if max_bytes else deployed().settings.max_body_bytes
    return lambda app: SizeLimit(app, limit=limit)


def metadata_filter_factory(_global: dict[str, str], **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini: the bound of metadata_max_request_body_size."""
    limit = deployed().settings.metadata_max_body_bytes
    return lambda app: SizeLimit(app, limit=limit)


class SizeLimit:
    """See the module."""

    def __init__(self, app: Any, *, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        length = _content_length(environ)
        if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
            raise Refusal(415, "A compressed body is not accepted.")
        if length is not None and length > self._limit:
            raise TooLarge
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        most = self._limit if length is None else length
        readable = length is not None or chunked
        environ["wsgi.input"] = BoundedBody(environ["wsgi.input"], most if readable else 0, exact=not chunked)
        environ["webob.is_body_readable"] = readable
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


def _content_length(environ: Environ) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refusal(400, "The header Content-Length is not a number.")
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise Refusal(400, "A request has either a length or chunks.")
    return int(text)


class BoundedBody:
    """A file-like body that raises TooLarge when more than *most* bytes come; an *exact* one ends there instead."""

    def __init__(self, source: Any, most: int, *, exact: bool) -> None:
        self._source = source
        self._left = most
        self._exact = exact

    def read(self, size: int | None = -1) -> bytes:
        """As files do."""
        allowed = self._left if self._exact else self._left + 1
        wanted = allowed if size is None or size < 0 else min(size, allowed)
        data: bytes = self._source.read(wanted) if wanted else b""
        if len(data) > self._left:
            raise TooLarge
        self._left -= len(data)
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """As files do."""
        allowed = self._left if self._exact else self._left + 1
        wanted = allowed if size is None or size < 0 else min(size, allowed)
        data: bytes = self._source.readline(wanted) if wanted else b""
        if len(data) > self._left:
            raise TooLarge
        self._left -= len(data)
        return data

    def __iter__(self) -> BoundedBody:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line
