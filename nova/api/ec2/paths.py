# SPDX-License-Identifier: Apache-2.0
"""What is where on port 8773: calls at ``/services/Cloud`` and at the root.

Anything else is the metadata service, which guests of the first clouds ask on this port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nova.api.dispatch import Environ, StartResponse

SERVICE = "/services/Cloud"


def composite_factory(loader: Any, global_conf: dict[str, str], *, calls: str, metadata: str, **_local: str) -> Ec2Port:
    """For api-paste.ini: the names of the two applications."""
    return Ec2Port(
        loader.get_app(calls, global_conf=global_conf), metadata=loader.get_app(metadata, global_conf=global_conf)
    )


class Ec2Port:
    """See the module."""

    def __init__(self, calls: Callable[..., Any], *, metadata: Callable[..., Any]) -> None:
        self._calls = calls
        self._metadata = metadata

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._chosen(environ)(environ, start_response)
        return answer

    def _chosen(self, environ: Environ) -> Callable[..., Any]:
        path = environ.get("PATH_INFO", "")
        if path in (SERVICE, f"{SERVICE}/"):
            return self._calls
        if path in ("", "/") and (environ["REQUEST_METHOD"] == "POST" or environ.get("QUERY_STRING")):
            return self._calls
        return self._metadata
