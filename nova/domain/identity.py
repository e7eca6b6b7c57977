# SPDX-License-Identifier: Apache-2.0
"""Users, projects and roles of the built-in identity store."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from nova.secret import Secret

CLASSIC_ROLES = ("cloudadmin", "itsec", "sysadmin", "netadmin", "developer")
"""Roles that the Diablo manual knows."""
DEFAULT_ROLES = ("admin", "member", "reader", "service", *CLASSIC_ROLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user; passwords never leave the store."""

    id: str
    name: str
    enabled: bool = True
    email: str = ""
    description: str = ""
    is_admin: bool = False
    access_key: str = ""
    secret_key: Secret | None = None
    default_project_id: str = ""
    version: int = 0
    """Grows with each event that ends the user's tokens"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project (tenant)."""

    id: str
    name: str
    description: str = ""
    enabled: bool = True
    manager_id: str = ""
    version: int = 0
    """Grows with each event that ends the tokens for the project"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that may be granted."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Credential:
    """An access and secret key of a user for one project."""

    access: str
    secret: Secret
    user_id: str
    project_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that was issued; ``value`` is known only at that moment, the store keeps a hash."""

    value: Secret
    user: User
    project: Project | None
    roles: tuple[str, ...]
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    methods: tuple[str, ...] = ("password",)
    audit_id: str = ""
