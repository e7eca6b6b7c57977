# SPDX-License-Identifier: Apache-2.0
"""/limits: what a project may have, and what of it is used."""

from __future__ import annotations

import datetime
from typing import Any

from nova.api.middleware.rate_limit import LIMITS
from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route
from nova.db import quotas

ABSOLUTE = {
    "maxTotalInstances": "instances",
    "maxTotalCores": "cores",
    "maxTotalRAMSize": "ram",
    "maxServerMeta": "metadata_items",
    "maxImageMeta": "metadata_items",
    "maxPersonality": "injected_files",
    "maxPersonalitySize": "injected_file_content_bytes",
    "maxTotalKeypairs": "key_pairs",
    "maxTotalFloatingIps": "floating_ips",
    "maxSecurityGroups": "security_groups",
    "maxSecurityGroupRules": "security_group_rules",
    "maxServerGroups": "server_groups",
    "maxServerGroupMembers": "server_group_members",
}
USED = {
    "totalRAMUsed": "ram",
    "totalCoresUsed": "cores",
    "totalInstancesUsed": "instances",
    "totalFloatingIpsUsed": "floating_ips",
    "totalSecurityGroupsUsed": "security_groups",
    "totalServerGroupsUsed": "server_groups",
}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /limits"""
    project = request.query.get("tenant_id") or request.context.project_id
    if project != request.context.project_id:
        request.cloud.policy.authorize(request.context, PREFIX + "os-used-limits", {"project_id": project})
    found = quotas.usages(request.tx, project, defaults=request.cloud.settings.default_quotas)
    absolute = {name: found[resource].limit for name, resource in ABSOLUTE.items() if resource in found}
    absolute |= {name: found[resource].in_use for name, resource in USED.items() if resource in found}
    return {"limits": {"rate": _rates(request), "absolute": absolute}}


def _rates(request: ApiRequest) -> list[dict[str, Any]]:
    """What the rate limit filter says of the caller; nothing where it is off."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for limit, remaining in request.http.environ.get(LIMITS, ()):
        grouped.setdefault((limit.uri, limit.pattern), []).append(
            {
                "verb": limit.verb,
                "value": limit.value,
                "remaining": remaining,
                "unit": limit.unit,
                "next-available": now,
            }
        )
    return [{"uri": uri, "regex": regex, "limit": rows} for (uri, regex), rows in grouped.items()]


ROUTES = (Route(method="GET", path="/limits", handler=show, policy=PREFIX + "limits"),)
