# SPDX-License-Identifier: Apache-2.0
"""Who asks, for which project, under which request id.  Built in one function per way in; sent with every message."""

from __future__ import annotations

import dataclasses
import secrets
import uuid
from dataclasses import dataclass

from nova.secret import Secret


def new_request_id() -> str:
    """A fresh ``req-<uuid>``."""
    return f"req-{uuid.UUID(bytes=secrets.token_bytes(16), version=4)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The caller of one request.  ``is_admin`` is decided where the context is made, and nowhere else."""

    request_id: str = dataclasses.field(default_factory=new_request_id)
    user_id: str = ""
    user_name: str = ""
    project_id: str = ""
    project_name: str = ""
    roles: tuple[str, ...] = ()
    is_admin: bool = False
    auth_token: Secret | None = None
    """Kept only for calls to a neighbour (an image service) in the caller's name."""
    remote_address: str = ""

    def elevated(self, why: str) -> RequestContext:
        """The same request with the rights of an administrator; *why* is for the reader of the calling line."""
        assert_reason(why)
        return dataclasses.replace(self, is_admin=True)


def assert_reason(why: str) -> None:
    """Refuse an elevation that nobody gave a reason for."""
    if not why.strip():
        raise ValueError("an elevation needs a reason")


def admin_context(why: str, *, request_id: str | None = None) -> RequestContext:
    """A context for work that no user asked for (periodic tasks, recovery, operators on the command line)."""
    assert_reason(why)
    return RequestContext(request_id=request_id or new_request_id(), is_admin=True, roles=("admin",))
