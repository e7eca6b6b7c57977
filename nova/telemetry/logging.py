# SPDX-License-Identifier: Apache-2.0
"""Log lines of every daemon."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator

from nova.context import RequestContext

_bound: contextvars.ContextVar[RequestContext | None] = contextvars.ContextVar("nova_request", default=None)


@contextlib.contextmanager
def bind(context: RequestContext) -> Iterator[None]:
    """Everything logged inside by this (green) thread carries the request id, user and project of *context*."""
    token = _bound.set(context)
    try:
        yield
    finally:
        _bound.reset(token)


def bound() -> RequestContext | None:
    """The context that this (green) thread works for, if any."""
    return _bound.get()
