# SPDX-License-Identifier: Apache-2.0
"""The shape of a fault of the metadata service: one line of text."""

from __future__ import annotations

import http

from nova.api.faults import Fault


def text_shape(fault: Fault) -> tuple[str, bytes]:
    """For the faults filter; what is not there is not described, so that all who are refused read the same."""
    text = http.HTTPStatus(404).phrase if fault.status == 404 else fault.message
    return "text/plain; charset=UTF-8", text.encode()
