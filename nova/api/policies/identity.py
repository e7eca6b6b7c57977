# SPDX-License-Identifier: Apache-2.0
"""Rules of the built-in identity API.  What *anyone* may call shows and changes the caller's own things only."""

from __future__ import annotations

from nova.api.policies.base import ADMIN, ANYONE
from nova.api.policies.rule import Rule

SERVICE = "rule:identity_service"

_PREFIX = "identity:"

RULES = (
    Rule("identity_service", "rule:admin_api or role:service", "Services that ask who somebody is."),
    Rule(f"{_PREFIX}validate_token", ANYONE, "Look at a token: one's own, or as a service anybody's."),
    Rule(f"{_PREFIX}revoke_token", ANYONE, "End a token: one's own, or as an administrator anybody's."),
    Rule(f"{_PREFIX}list_own_projects", ANYONE, "List the projects that a token may be had for."),
    Rule(f"{_PREFIX}get_catalog", ANYONE, "Read the service catalog."),
    Rule(f"{_PREFIX}list_projects", ADMIN, "List all projects; members ask for their own."),
    Rule(f"{_PREFIX}get_project", ANYONE, "Show a project; members are shown their own."),
    Rule(f"{_PREFIX}create_project", ADMIN, "Make a project."),
    Rule(f"{_PREFIX}update_project", ADMIN, "Change, enable or disable a project."),
    Rule(f"{_PREFIX}delete_project", ADMIN, "Remove a project."),
    Rule(f"{_PREFIX}list_users", ADMIN, "List the users."),
    Rule(f"{_PREFIX}get_user", ANYONE, "Show a user; members are shown themselves."),
    Rule(f"{_PREFIX}create_user", ADMIN, "Make a user."),
    Rule(f"{_PREFIX}update_user", ADMIN, "Change, enable or disable a user."),
    Rule(f"{_PREFIX}delete_user", ADMIN, "Remove a user."),
    Rule(f"{_PREFIX}change_password", ANYONE, "Change one's own password, with the present one."),
    Rule(f"{_PREFIX}list_roles", ADMIN, "List the roles."),
    Rule(f"{_PREFIX}manage_roles", ADMIN, "Make and remove roles."),
    Rule(f"{_PREFIX}list_grants", ADMIN, "See who has which role."),
    Rule(f"{_PREFIX}manage_grants", ADMIN, "Give and take roles."),
    Rule(f"{_PREFIX}list_endpoints", ADMIN, "List services, endpoints and regions."),
    Rule(f"{_PREFIX}get_domain", ANYONE, "Show the one domain."),
    Rule(f"{_PREFIX}ec2_tokens", SERVICE, "Trade a signed request of somebody for a token of his."),
    Rule(
        f"{_PREFIX}ec2_credentials", ANYONE, "See and make signing keys: one's own, or as an administrator anybody's."
    ),
)
