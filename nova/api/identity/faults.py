# SPDX-License-Identifier: Apache-2.0
"""The shape of a fault in the identity API."""

from __future__ import annotations

import http

import msgspec

from nova.api.faults import Fault


def identity_shape(fault: Fault) -> tuple[str, bytes]:
    """Content type and body: ``{"error": {"code": 404, "title": "Not Found", "message": "…"}}``."""
    inner = {"code": fault.status, "title": http.HTTPStatus(fault.status).phrase, "message": fault.message}
    return "application/json", msgspec.json.encode({"error": inner})
