# SPDX-License-Identifier: Apache-2.0
"""All routes of the identity API, and its application for api-paste.ini."""

from __future__ import annotations

from nova.api.cloud import deployed
from nova.api.dispatch import Application, Dialect
from nova.api.identity import catalog, credentials, ec2_tokens, projects, roles, tokens_v2, tokens_v3, users, versions
from nova.api.routing import Route

IDENTITY: tuple[Route, ...] = (
    *versions.ROUTES,
    *tokens_v3.ROUTES,
    *tokens_v2.ROUTES,
    *users.ROUTES,
    *projects.ROUTES,
    *roles.ROUTES,
    *catalog.ROUTES,
    *credentials.ROUTES,
    *ec2_tokens.ROUTES,
)
DIALECT = Dialect(project_in_path=False, needs_project=False)


def app_factory(_global: dict[str, str], **_local: str) -> Application:
    """For api-paste.ini."""
    return Application(deployed(), IDENTITY, dialect=DIALECT)
