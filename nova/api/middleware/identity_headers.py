# SPDX-License-Identifier: Apache-2.0
"""Takes every header that could say who somebody is from the request, before a filter of ours puts its own there."""

from __future__ import annotations

from nova.api.dispatch import CONTEXT, Environ

_PREFIXES = ("HTTP_X_USER", "HTTP_X_PROJECT", "HTTP_X_TENANT", "HTTP_X_DOMAIN", "HTTP_X_SERVICE_", "HTTP_X_ROLE")
_NAMES = frozenset(
    {
        "HTTP_X_IDENTITY_STATUS",
        "HTTP_X_IS_ADMIN_PROJECT",
        "HTTP_X_HTTP_METHOD_OVERRIDE",
        "HTTP_X_HTTP_METHOD",
        "HTTP_X_METHOD_OVERRIDE",
        "REMOTE_USER",
        CONTEXT,
    }
)
KEPT = frozenset({"HTTP_X_SERVICE_TOKEN"})


def strip(environ: Environ) -> None:
    """Remove them."""
    for name in [key for key in environ if key in _NAMES or (key.startswith(_PREFIXES) and key not in KEPT)]:
        del environ[name]
