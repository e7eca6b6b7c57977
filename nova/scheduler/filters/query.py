# SPDX-License-Identifier: Apache-2.0
"""The hint ``query``: the user's own conditions on a host."""

from __future__ import annotations

import json

from nova.domain import host_query
from nova.scheduler.filters.check import Check, because
from nova.scheduler.request import Request


def query_filter(request: Request) -> Check | None:
    """Refuses hosts for which the query is not true."""
    query = request.spec.hints.get("query")
    if not query:
        return None
    passes = host_query.parse(query if isinstance(query, str) else json.dumps(query))
    return Check("query", lambda host: bool(passes(host)), because("the query of the request is not true there"))
