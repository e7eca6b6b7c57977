# SPDX-License-Identifier: Apache-2.0
"""The service catalog: endpoints from the configuration, filled in for one caller.

URL templates know a closed list of names, written ``$(name)s`` or ``%(name)s``; any other stays as it is written.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

_NAMESPACE = uuid.UUID("6f1c2e6e-0b3a-5d0e-9a51-6d1c3f1d7a10")
_PLACE = re.compile(r"[$%]\(([a-z_]+)\)s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One service in one region, with its URL templates."""

    type: str
    name: str
    public_url: str
    internal_url: str = ""
    admin_url: str = ""
    region: str = "nova"

    @property
    def service_id(self) -> str:
        """The same in every process: it comes from type and name."""
        return uuid.uuid5(_NAMESPACE, f"service/{self.type}/{self.name}").hex

    def endpoint_id(self, interface: str) -> str:
        """The id of the URL for *interface*: public, internal or admin."""
        return uuid.uuid5(_NAMESPACE, f"endpoint/{self.type}/{self.name}/{self.region}/{interface}").hex

    def urls(self) -> dict[str, str]:
        """Template by interface; internal and admin are the public one where they are not set."""
        return {
            "public": self.public_url,
            "internal": self.internal_url or self.public_url,
            "admin": self.admin_url or self.public_url,
        }


def fill(template: str, names: Mapping[str, str]) -> str | None:
    """*template* with the *names* put in; None where it needs a name that is empty (no project in the token)."""
    needed = {name for name in _PLACE.findall(template) if name in names}
    if any(not names[name] for name in needed):
        return None
    return _PLACE.sub(lambda match: names.get(match.group(1), match.group(0)), template)


def names_for(*, project_id: str, user_id: str) -> dict[str, str]:
    """What a template may hold."""
    return {"tenant_id": project_id, "project_id": project_id, "user_id": user_id}


def default_endpoints(host: str, *, scheme: str = "http", region: str = "nova") -> tuple[Endpoint, ...]:
    """The endpoints of a cloud whose services all answer on *host* at their usual ports."""
    base = f"{scheme}://{f'[{host}]' if ':' in host else host}"
    volume = f"{base}:8776/v1/$(tenant_id)s"
    rows = (
        ("compute", "nova", f"{base}:8774/v2.1/$(tenant_id)s"),
        ("compute_legacy", "nova_legacy", f"{base}:8774/v2/$(tenant_id)s"),
        ("volume", "volume", volume),
        ("volumev3", "volumev3", f"{base}:8776/v3/$(tenant_id)s"),
        ("block-storage", "block-storage", f"{base}:8776/v3/$(tenant_id)s"),
        ("image", "glance", f"{base}:9292"),
        ("identity", "keystone", f"{base}:5000/v3"),
        ("ec2", "ec2", f"{base}:8773/services/Cloud"),
    )
    return tuple(Endpoint(type=kind, name=name, public_url=url, region=region) for kind, name, url in rows)
