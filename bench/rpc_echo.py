# SPDX-License-Identifier: Apache-2.0
"""The interface that ``bench.rpc`` calls."""

from __future__ import annotations

from nova.context import RequestContext
from nova.rpc.interface import Interface, call


class Echo(Interface):
    """Says what it is told."""

    topic = "bench"
    version = "1.0"

    @call(timeout_s=30)
    def echo(self, context: RequestContext, *, text: str) -> str:
        """*text* itself."""
        ...


class Echoing:
    """Serves Echo."""

    def echo(self, context: RequestContext, *, text: str) -> str:
        """See Echo."""
        return text
