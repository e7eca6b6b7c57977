# SPDX-License-Identifier: Apache-2.0
"""How an exception of a server reaches the caller: kind, sentence and data by name, the detail for the log.

Only the kinds of ``nova.errors`` are ever built from a message; every other name becomes an InternalError, so that what
is on the broker can never choose a class to call.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nova.errors import KINDS, InternalError, NovaError

MAX_TEXT = 4096
"""Characters of a message or a detail that cross; the rest is of no use to a reader."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """An error as it crosses the wire."""

    kind: str
    message: str
    data: dict[str, Any] = {}
    detail: str = ""


def describe(error: BaseException) -> Failure:
    """What a caller on another host is told about *error*."""
    if not isinstance(error, NovaError):
        cause = f"{type(error).__name__}: {error}"
        return Failure(InternalError.__name__, InternalError.default_message, {}, cause[:MAX_TEXT])
    kind = next(base.__name__ for base in type(error).__mro__ if KINDS.get(base.__name__) is base)
    data = {str(name): _plain(value) for name, value in error.data.items()}
    return Failure(kind, error.message[:MAX_TEXT], data, error.detail[:MAX_TEXT])


def rebuild(failure: Failure, *, where: str) -> NovaError:
    """The error that *failure* describes; *where* (interface, method, host) goes into its detail."""
    kind = KINDS.get(failure.kind)
    detail = f"{failure.detail}; {where}" if failure.detail else where
    if kind is None:
        return InternalError(detail=f"{failure.kind[:200]}: {failure.message}; {detail}")
    data = {name: value for name, value in failure.data.items() if name not in ("self", "message", "detail")}
    return kind(failure.message, detail=detail, **data)


def _plain(value: Any) -> Any:
    """*value* as JSON can carry it; objects (secrets too) become what ``str`` shows of them."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return str(value)
