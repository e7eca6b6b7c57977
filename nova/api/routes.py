# SPDX-License-Identifier: Apache-2.0
"""All routes of all applications: each resource module's table, put together."""

from __future__ import annotations

from nova.api.osapi import instance_actions, server_actions, server_ips, server_metadata, servers, versions
from nova.api.routing import Route

_COMPUTE: tuple[Route, ...] = (
    *servers.ROUTES,
    *server_actions.ROUTES,
    *server_metadata.ROUTES,
    *server_ips.ROUTES,
    *instance_actions.ROUTES,
)

COMPUTE: tuple[Route, ...] = (*versions.V21_ROUTES, *_COMPUTE)
COMPUTE_LEGACY: tuple[Route, ...] = (*versions.V2_ROUTES, *_COMPUTE)
COMPUTE_VERSIONS: tuple[Route, ...] = versions.ROOT_ROUTES
