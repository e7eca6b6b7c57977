# SPDX-License-Identifier: Apache-2.0
"""What only HTTP can get wrong: media types, methods, versions.  Everything else is one of nova.errors' kinds."""

from __future__ import annotations

from typing import Any

from nova.errors import NovaError


class Refusal(NovaError):
    """A request that the HTTP layer itself refuses, with the status it gets."""

    default_message = "The request cannot be understood."

    def __init__(self, status: int, message: str, **data: Any) -> None:
        super().__init__(message, **data)
        self.status = status
