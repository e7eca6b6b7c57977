# SPDX-License-Identifier: Apache-2.0
"""All routes of the image API, and its application for api-paste.ini."""

from __future__ import annotations

from nova.api.cloud import deployed
from nova.api.dispatch import Application, Dialect
from nova.api.image import data, images, listing, members, patch, schemas, versions
from nova.api.routing import Route

IMAGE: tuple[Route, ...] = (
    *versions.ROUTES,
    *listing.ROUTES,
    *images.ROUTES,
    *patch.ROUTES,
    *data.ROUTES,
    *members.ROUTES,
    *schemas.ROUTES,
)
DIALECT = Dialect(project_in_path=False)


def app_factory(_global: dict[str, str], **_local: str) -> Application:
    """For api-paste.ini."""
    return Application(deployed(), IMAGE, dialect=DIALECT)
