# SPDX-License-Identifier: Apache-2.0
"""All routes of the volume API, and its applications for api-paste.ini."""

from __future__ import annotations

from typing import Any

from nova.api.cloud import deployed
from nova.api.dispatch import Application, Dialect
from nova.api.routing import Route
from nova.api.volume import actions, metadata, snapshots, surroundings, versions, volumes
from nova.api.volume.microversion import VolumeMicroversion
from nova.errors import InvalidConfiguration

_SHARED: tuple[Route, ...] = (*metadata.ROUTES, *actions.ROUTES, *snapshots.routes(), *surroundings.ROUTES)

TABLES: dict[str, tuple[Route, ...]] = {
    "v1": (*versions.routes("v1"), *volumes.V1, *_SHARED),
    "v2": (*versions.routes("v2"), *volumes.LATER, *_SHARED),
    "v3": (*versions.routes("v3"), *volumes.LATER, *_SHARED),
}
VERSIONS: tuple[Route, ...] = versions.ROOT_ROUTES


def app_factory(_global: dict[str, str], *, version: str = "v3", **_local: str) -> Any:
    """One version of the API."""
    if version not in TABLES:
        raise InvalidConfiguration(f"api-paste.ini names a version of the volume API that is not there: {version}.")
    app = Application(deployed(), TABLES[version], dialect=Dialect(legacy=version != "v3"))
    return VolumeMicroversion(app) if version == "v3" else app


def versions_factory(_global: dict[str, str], **_local: str) -> Application:
    """The root of port 8776."""
    return Application(deployed(), VERSIONS, dialect=Dialect(project_in_path=False, needs_project=False))
