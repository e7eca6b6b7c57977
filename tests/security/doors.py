# SPDX-License-Identifier: Apache-2.0
"""Every HTTP endpoint of a cloud as a door: its routes, real ids to put into them, and a way to send it any bytes.

Each request is watched: how long the processor was busy, and how many changes it committed.
"""

from __future__ import annotations

import io
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from paste.deploy import loadapp
from sqlalchemy import event
from webob import Request, Response

from nova.api import routes
from nova.api.cloud import ApiSettings, deploying
from nova.api.identity.routes import IDENTITY
from nova.api.image.routes import IMAGE
from nova.api.microversion import HIGHEST, LOWEST, Microversion
from nova.api.routing import Route
from nova.api.volume.routes import TABLES
from nova.db import volumes
from nova.db.engine import Database
from nova.domain.image import Image
from nova.domain.states import VolumeStatus
from nova.domain.volume import Volume
from tests.functional.cloud import SmallCloud, new_database
from tests.functional.compute_cloud import ADMIN, ALICE, PASTE, ComputeCloud

VERSIONS = {"latest": HIGHEST, "2.1": LOWEST, "2.19": Microversion(2, 19)}
QUOTAS = dict.fromkeys(ApiSettings().default_quotas, 100_000_000)


class Writes:
    """Counts the rows that committed statements of a database changed."""

    def __init__(self, db: Database) -> None:
        self.committed = 0
        self._pending = 0
        event.listen(db.engine, "after_cursor_execute", self._executed)
        event.listen(db.engine, "commit", self._commit)
        event.listen(db.engine, "rollback", self._rollback)

    def _executed(self, _connection: Any, cursor: Any, _text: str, _values: Any, context: Any, _many: bool) -> None:
        if context.isinsert or context.isupdate or context.isdelete:
            self._pending += max(cursor.rowcount, 0)

    def _commit(self, _connection: Any) -> None:
        self.committed += self._pending
        self._pending = 0

    def _rollback(self, _connection: Any) -> None:
        self._pending = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer, and what it cost."""

    answer: Response
    busy_s: float
    """Processor time"""
    changes: int
    """Rows that were written and committed"""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.answer.status_int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The routes of an API in one of its versions, and where they are."""

    routes: Sequence[Route]
    base: str = ""
    version: Microversion = LOWEST
    versioned: bool = False
    legacy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One API of a running cloud."""

    name: str
    table: Table
    app: Any
    writes: Writes
    token: Callable[[], str]
    """A token that may do everything; a new one, when the last was revoked by a request"""
    things: Callable[[Route], Mapping[str, str]]
    """Real ids for the variables of a route"""

    def path(self, route: Route, values: Mapping[str, str]) -> str:
        """The route's path with *values* in it."""
        return self.table.base + re.sub(r"\{([a-z_]+)\}", lambda found: values.get(found.group(1), "1"), route.path)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        query: str = "",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        chunked: bool = False,
        length: str | None = None,
    ) -> Outcome:
        """One request, exactly as given: nothing is corrected on the way."""
        environ = self._environ(method, path, query, token=self.token() if token is None else token)
        if body is not None:
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_TYPE"] = "application/json"
            if chunked:
                environ["HTTP_TRANSFER_ENCODING"] = "chunked"
            else:
                environ["CONTENT_LENGTH"] = str(len(body)) if length is None else length
        for name, value in (headers or {}).items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        before, started = self.writes.committed, time.thread_time()
        answer = Request(environ).get_response(self.app)
        answer.body  # noqa: B018 - reads a streamed body to its end
        return Outcome(answer=answer, busy_s=time.thread_time() - started, changes=self.writes.committed - before)

    def _environ(self, method: str, path: str, query: str, *, token: str) -> dict[str, Any]:
        environ = dict(Request.blank("/").environ)
        environ.update(
            REQUEST_METHOD=method,
            PATH_INFO=unquote_to_bytes(path).decode("latin-1"),
            QUERY_STRING=query,
            REMOTE_ADDR="198.51.100.7",
        )
        if token:
            environ["HTTP_X_AUTH_TOKEN"] = token
        if self.table.versioned:
            environ["HTTP_OPENSTACK_API_VERSION"] = f"compute {self.table.version}"
        return environ


class Doors:
    """All doors of two clouds: compute, volume, EC2 and metadata of one, identity and image of the other."""

    def __init__(self, directory: Path, *, url: str = "sqlite://", identity_url: str = "sqlite://") -> None:
        self.compute = ComputeCloud(ApiSettings(default_quotas=QUOTAS), url=url)
        self.small = SmallCloud(store=directory / "store", db=new_database(identity_url))
        self.writes = Writes(self.compute.db)
        with deploying(self.compute.cloud):
            names = ("osapi_volume", "ec2", "metadata")
            self.apps = {name: loadapp(f"config:{PASTE}", name=name) for name in names}
        self._token = ""
        self.all = {door.name: door for door in self._doors()}

    @staticmethod
    def tables() -> dict[str, Table]:
        """What there is to send to, by the name of the door."""
        found = {
            f"compute {text}": Table(routes=routes.COMPUTE, base="/v2.1", version=number, versioned=True)
            for text, number in VERSIONS.items()
        }
        found["compute v2"] = Table(routes=routes.COMPUTE_LEGACY, base="/v2", version=LOWEST, legacy=True)
        for name, table in TABLES.items():
            found[f"volume {name}"] = Table(routes=table, base=f"/{name}", version=LOWEST, legacy=name != "v3")
        return {**found, "identity": Table(routes=IDENTITY), "image": Table(routes=IMAGE)}

    def _doors(self) -> list[Door]:
        tables, own = self.tables(), Writes(self.small.db)
        shared: dict[str, Any] = {"writes": self.writes, "token": lambda: ADMIN}
        rest: dict[str, Any] = {"writes": own, "token": self._root_token}
        kinds: dict[str, dict[str, Any]] = {
            "compute": {"app": self.compute.app, "things": self._compute_things, **shared},
            "volume": {"app": self.apps["osapi_volume"], "things": self._volume_things, **shared},
            "identity": {"app": self.small.identity_api, "things": self._identity_things, **rest},
            "image": {"app": self.small.image_api, "things": self._image_things, **rest},
        }
        return [Door(name=name, table=table, **kinds[name.split()[0]]) for name, table in tables.items()]

    def _root_token(self) -> str:
        known = self._token and self.small.call("GET", "/v3/projects", token=self._token).status_int == 200
        if not known:
            self._token = self.small.token("root")
        return self._token

    def new_server(self) -> str:
        """A server of the administrator that runs."""
        return self.compute.running(ADMIN, metadata={"k": "v"})

    def new_flavor(self) -> str:
        """A flavor that nothing else uses."""
        flavor = {"name": str(uuid.uuid4()), "ram": 64, "vcpus": 1, "disk": 0}
        return str(self.compute.ok("POST", "/flavors", {"flavor": flavor}, who=ADMIN)["flavor"]["id"])

    def new_image(self) -> str:
        """An image of the compute API's image service."""
        image = Image(id=str(uuid.uuid4()), name="own", size_bytes=10, properties={"k": "v"})
        self.compute.images.all[image.id] = image
        return image.id

    def new_volume(self) -> str:
        """A volume of the administrator that is available."""
        return new_volume(self.compute, ADMIN)

    def _compute_things(self, route: Route) -> Mapping[str, str]:
        kind = route.path.split("/")[1]
        known = {"key": "k", "name": "mine", "host": "h1", "alias": "os-keypairs"}
        if kind == "servers":
            return {"id": self.new_server(), **known}
        made = {"images": self.new_image, "flavors": self.new_flavor}.get(kind)
        return {"id": made() if made else "1", **known}

    def _volume_things(self, route: Route) -> Mapping[str, str]:
        return {"id": self.new_volume(), "key": "k"} if "{id}" in route.path else {}

    def _identity_things(self, _route: Route) -> Mapping[str, str]:
        rita = self.small.users["rita"]
        return {"user_id": rita.id, "project_id": rita.default_project_id, "domain_id": "default"}

    def _image_things(self, route: Route) -> Mapping[str, str]:
        queued = route.path.endswith(("/file", "/stage")) and route.method == "PUT"
        made = self.small.new_image(self._root_token(), data=None if queued else b"plain bytes")
        return {"image_id": made, "member_id": self.small.project_id("bob"), "tag": "t", "name": "image"}

    def close(self) -> None:
        """Forget them."""
        self.compute.close()
        self.small.db.dispose()


def new_volume(cloud: ComputeCloud, who: str = ALICE) -> str:
    """The id of an available volume of *who*."""
    user, _, project = who.partition(":")
    volume = Volume(
        id=str(uuid.uuid4()),
        user_id=user,
        project_id=project,
        size_gb=1,
        status=VolumeStatus.AVAILABLE,
        host="storage",
        metadata={"k": "v"},
    )
    with cloud.db.transaction() as tx:
        return volumes.create(tx, volume).id
