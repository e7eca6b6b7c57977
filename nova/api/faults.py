# SPDX-License-Identifier: Apache-2.0
"""The one table from kinds of error to HTTP, and the shape that the compute and volume APIs give a fault.

Other dialects pass their own shape to the faults filter (``shape = package.module:function`` in api-paste.ini).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from nova import errors
from nova.api.refusal import Refusal

STATUSES: dict[type[errors.NovaError], int] = {
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.InvalidInput: 400,
    errors.InvalidState: 409,
    errors.Conflict: 409,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.QuotaExceeded: 403,
    errors.TooLarge: 413,
    errors.RateLimited: 429,
    errors.NoCapacity: 400,
    errors.Unavailable: 503,
    errors.Timeout: 503,
    errors.InvalidImage: 400,
    errors.NotSupported: 501,
}
"""A kind that is not here is an unexpected error: 500, and its text stays in the log."""

LEGACY_STATUSES: dict[type[errors.NovaError], int] = {errors.QuotaExceeded: 413, errors.RateLimited: 413}
"""What clients of ``/v2`` and ``/v1.1`` know instead."""

NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
OTHER_NAME = "computeFault"

UNEXPECTED = (
    "An unexpected error happened in the service. Try again, and when it stays, tell the administrator of this cloud "
    "the request id."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the caller is told of an error."""

    status: int
    message: str
    kind: str
    """The class of the error, for dialects with words of their own (EC2 codes)."""
    request_id: str = ""
    retry_after_s: int | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def unexpected(self) -> bool:
        """Whether it is a defect of ours, or something that must be looked at."""
        return self.status == 500


def fault_of(error: Exception, *, request_id: str = "", legacy: bool = False) -> Fault:
    """The fault for *error*; *legacy* for the statuses of ``/v2`` and ``/v1.1``."""
    status = _status_of(error, legacy=legacy)
    if status == 500 or not isinstance(error, errors.NovaError):
        return Fault(status=500, message=UNEXPECTED, kind="InternalError", request_id=request_id)
    retry = error.data.get("retry_after_s", 0 if status in (413, 429) else None)
    return Fault(
        status=status,
        message=error.message,
        kind=type(error).__name__,
        request_id=request_id,
        retry_after_s=None if retry is None else int(retry),
        data=error.data,
    )


def _status_of(error: Exception, *, legacy: bool) -> int:
    if isinstance(error, Refusal):
        return error.status
    for kind in type(error).__mro__:
        if legacy and kind in LEGACY_STATUSES:
            return LEGACY_STATUSES[kind]
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def compute_shape(fault: Fault) -> tuple[str, bytes]:
    """Content type and body: ``{"itemNotFound": {"code": 404, "message": "…"}}``."""
    inner: dict[str, Any] = {"code": fault.status, "message": fault.message}
    if fault.retry_after_s is not None:
        inner["retryAfter"] = str(fault.retry_after_s)
    return "application/json", msgspec.json.encode({NAMES.get(fault.status, OTHER_NAME): inner})
