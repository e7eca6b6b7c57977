# SPDX-License-Identifier: Apache-2.0
"""Turns what the application raises into an answer in the dialect's shape; an unexpected error tells nothing."""

from __future__ import annotations

import http
import importlib
import logging
from collections.abc import Callable, Iterable
from typing import Any

from nova.api.dispatch import EXTRA_HEADERS, LEGACY, REQUEST_ID, Environ, StartResponse
from nova.api.faults import Fault, compute_shape, fault_of

LOG = logging.getLogger(__name__)

Shape = Callable[[Fault], tuple[str, bytes]]


def filter_factory(_global: dict[str, str], *, shape: str = "", **_local: str) -> Callable[[Any], Any]:
    """For api-paste.ini; *shape* names another function than that of the compute API: ``package.module:function``."""
    chosen = _load(shape) if shape else compute_shape
    return lambda app: Faults(app, shape=chosen)


def _load(name: str) -> Shape:
    module, _, attribute = name.partition(":")
    found: Shape = getattr(importlib.import_module(module), attribute)
    return found


class Faults:
    """See the module."""

    def __init__(self, app: Any, *, shape: Shape = compute_shape) -> None:
        self._app = app
        self._shape = shape

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer: Iterable[bytes] = self._app(environ, start_response)
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, the client gets an answer
            return self._answer(error, environ, start_response)
        return answer

    def _answer(self, error: Exception, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request_id = environ.get(REQUEST_ID, "")
        fault = fault_of(error, request_id=request_id, legacy=bool(environ.get(LEGACY)))
        if fault.unexpected:
            LOG.error("Unexpected error in the API [%s].", request_id, exc_info=error)
        elif fault.status >= 500:
            LOG.warning("%s [%s]", error, request_id)
        content_type, content = self._shape(fault)
        headers = [("Content-Type", content_type), ("Content-Length", str(len(content)))]
        headers += environ.get(EXTRA_HEADERS, ())
        if fault.retry_after_s is not None:
            headers.append(("Retry-After", str(fault.retry_after_s)))
        if fault.status == 401:
            headers.append(("WWW-Authenticate", "Keystone"))
        start_response(f"{fault.status} {http.HTTPStatus(fault.status).phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]
