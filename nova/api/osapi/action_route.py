# SPDX-License-Identifier: Apache-2.0
"""The row of an action in the table of routes: all are a POST to the same path, told apart by the body's one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova.api.microversion import Microversion
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx, body
from nova.api.schema import Schema


def server_action(
    name: str,
    handler: Callable[[ApiRequest], Any],
    schema: Schema,
    policy: str,
    *,
    success: int = 202,
    tx: Tx = Tx.WRITE,
    later: tuple[tuple[Microversion, Schema], ...] = (),
    legacy: Schema | None = None,
) -> Route:
    """POST /servers/{id}/action with the key *name*.

    :param later: other schemas, each from a microversion on
    :param legacy: what /v2 takes, where it is something else
    """
    return Route(
        method="POST",
        path="/servers/{id}/action",
        action=name,
        handler=handler,
        policy=PREFIX + policy,
        bodies=body(schema, *later),
        legacy_body=legacy,
        success=success,
        tx=tx,
    )
