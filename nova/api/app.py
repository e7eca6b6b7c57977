# SPDX-License-Identifier: Apache-2.0
"""Where PasteDeploy finds the applications of nova-api.

    with deploying(cloud):
        app = loadapp("config:/etc/nova/api-paste.ini", name="osapi_compute")

Names in the file are those of ``enabled_apis``: osapi_compute, osapi_volume, ec2, metadata, identity, image.
"""

from __future__ import annotations

from typing import Any

from nova.api import routes
from nova.api.cloud import deployed
from nova.api.dispatch import Application, Dialect
from nova.api.ec2.actions import ACTIONS
from nova.api.ec2.application import Ec2Application
from nova.api.metadata.application import MetadataApplication
from nova.errors import InvalidConfiguration


def pipeline_factory(loader: Any, global_conf: dict[str, str], **local_conf: str) -> Any:
    """A composite: one pipeline for each auth_strategy (``builtin = filter filter app``); the one that is set."""
    strategy = deployed().settings.auth_strategy
    names = local_conf.get(strategy)
    if names is None:
        raise InvalidConfiguration(f"api-paste.ini has no pipeline for auth_strategy {strategy}.")
    *filters, app_name = names.split()
    app = loader.get_app(app_name, global_conf=global_conf)
    for name in reversed(filters):
        app = loader.get_filter(name, global_conf=global_conf)(app)
    return app


def osapi_compute_factory(_global: dict[str, str], *, version: str = "2.1", **_local: str) -> Application:
    """The compute API: with microversions for version 2.1, as the older endpoints show it for 2."""
    strict = version == "2.1"
    table = routes.COMPUTE if strict else routes.COMPUTE_LEGACY
    return Application(deployed(), table, dialect=Dialect(legacy=not strict, microversions=strict))


def osapi_compute_versions_factory(_global: dict[str, str], **_local: str) -> Application:
    """The root of port 8774."""
    dialect = Dialect(legacy=True, project_in_path=False, needs_project=False)
    return Application(deployed(), routes.COMPUTE_VERSIONS, dialect=dialect)


def metadata_factory(_global: dict[str, str], **_local: str) -> MetadataApplication:
    """What servers ask about themselves: port 8775."""
    return MetadataApplication(deployed())


def ec2_factory(_global: dict[str, str], **_local: str) -> Ec2Application:
    """The EC2 dialect: port 8773, behind one of its own authentication filters."""
    return Ec2Application(deployed(), ACTIONS)
