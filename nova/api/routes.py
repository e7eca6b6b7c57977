# SPDX-License-Identifier: Apache-2.0
"""All routes of all applications: each resource module's table, put together."""

from __future__ import annotations

from nova.api.osapi import (
    availability_zones,
    extensions,
    fixed_ips,
    flavor_access,
    flavor_extra_specs,
    flavors,
    floating_ips,
    floating_ips_bulk,
    hosts,
    hypervisors,
    images,
    instance_actions,
    keypairs,
    limits,
    networks,
    quota_sets,
    security_groups,
    server_actions,
    server_administration,
    server_groups,
    server_images,
    server_interfaces,
    server_ips,
    server_metadata,
    server_password,
    server_rebuild,
    servers,
    services,
    tenant_usage,
    versions,
    volume_attachments,
    volumes,
)
from nova.api.routing import Route

_COMPUTE: tuple[Route, ...] = (
    *servers.ROUTES,
    *server_actions.ROUTES,
    *server_groups.ROUTES,
    *server_images.ROUTES,
    *server_administration.ROUTES,
    *server_password.ROUTES,
    *server_rebuild.ROUTES,
    *server_metadata.ROUTES,
    *server_ips.ROUTES,
    *server_interfaces.ROUTES,
    *instance_actions.ROUTES,
    *flavors.ROUTES,
    *flavor_extra_specs.ROUTES,
    *flavor_access.ROUTES,
    *images.ROUTES,
    *keypairs.ROUTES,
    *limits.ROUTES,
    *extensions.ROUTES,
    *availability_zones.ROUTES,
    *services.ROUTES,
    *hosts.ROUTES,
    *hypervisors.ROUTES,
    *security_groups.ROUTES,
    *networks.ROUTES,
    *fixed_ips.ROUTES,
    *floating_ips.ROUTES,
    *floating_ips_bulk.ROUTES,
    *quota_sets.ROUTES,
    *tenant_usage.ROUTES,
    *volume_attachments.ROUTES,
    *volumes.ROUTES,
)

COMPUTE: tuple[Route, ...] = (*versions.V21_ROUTES, *_COMPUTE)
COMPUTE_LEGACY: tuple[Route, ...] = (*versions.V2_ROUTES, *_COMPUTE)
COMPUTE_VERSIONS: tuple[Route, ...] = versions.ROOT_ROUTES
