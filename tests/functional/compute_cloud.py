# SPDX-License-Identifier: Apache-2.0
"""The compute API in one process: the pipelines of api-paste.ini, a real database, daemons that only take notes."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from paste.deploy import loadapp
from sqlalchemy import update
from webob import Request, Response

from nova.api.cloud import ApiSettings, Cloud, deploying
from nova.api.policy import Policy
from nova.context import RequestContext
from nova.db import addresses, compute_nodes, flavors, instances, networks, services
from nova.db.engine import Database, DatabaseSettings
from nova.db.instances.rows import INSTANCES
from nova.db.models import Base
from nova.domain.flavor import STOCK_FLAVORS
from nova.domain.host import HostResources
from nova.domain.image import Image
from nova.domain.instance import Instance
from nova.domain.network_plan import CreateNetwork, plan
from nova.errors import Forbidden, NotFound
from nova.image.protocol import ImageFilters, ImageUpdate, NewImage, Page

PASTE = Path(__file__).parents[2] / "etc" / "nova" / "api-paste.ini"
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
QUEUED = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
HUGE = "a440c04b-79fa-479c-bed1-0b816eaec379"
THREE_PART = "c905cedb-7281-47e4-8a62-f26bc5fc4c77"
KERNEL = "cedef40a-ed67-4d10-800e-17455edce175"
ADMIN = "admin:operations"
ALICE = "alice:apples"
BOB = "bob:pears"


class Notes:
    """A daemon that writes down what it is told: (host, method, arguments)."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.taken: list[tuple[str, str, dict[str, Any]]] = []
        self.answers = answers or {}
        self._host = ""

    def on(self, host: str) -> Notes:
        other = Notes(self.answers)
        other.taken, other._host = self.taken, host
        return other

    def __getattr__(self, name: str) -> Any:
        def method(_context: RequestContext, **arguments: Any) -> Any:
            self.taken.append((self._host, name, arguments))
            answer = self.answers.get(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return method

    def named(self, name: str) -> list[dict[str, Any]]:
        """The arguments of every call of that name."""
        return [arguments for _, called, arguments in self.taken if called == name]


class Images:
    """A few images, all public; only administrators change them."""

    def __init__(self) -> None:
        self.all = {
            image.id: image
            for image in (
                Image(id=IMAGE, name="tiny", size_bytes=10, properties={"architecture": "x86_64"}),
                Image(id=QUEUED, name="half", status="queued"),
                Image(id=HUGE, name="huge", size_bytes=10 * 1024**3, min_ram_mb=1024),
                Image(id=KERNEL, name="kernel", disk_format="aki", size_bytes=10),
                Image(id=THREE_PART, name="ami", size_bytes=10, properties={"kernel_id": KERNEL}),
            )
        }

    def get(self, _context: RequestContext, image_id: str) -> Image:
        if image_id not in self.all:
            raise NotFound.of("image", image_id)
        return self.all[image_id]

    def find(self, _context: RequestContext, *, filters: ImageFilters, page: Page) -> tuple[Image, ...]:
        found = [each for each in self.all.values() if not filters.names or each.name in filters.names]
        found = [each for each in found if not filters.statuses or each.status in filters.statuses]
        return tuple(found[: page.limit])

    def create(self, context: RequestContext, new: NewImage) -> Image:
        made = Image(
            id=str(uuid.uuid4()),
            name=new.name,
            status="queued",
            visibility=new.visibility,
            owner=context.project_id,
            container_format=new.container_format,
            min_disk_gb=new.min_disk_gb,
            min_ram_mb=new.min_ram_mb,
            properties=new.properties,
        )
        self.all[made.id] = made
        return made

    def update(self, context: RequestContext, image_id: str, changes: ImageUpdate) -> Image:
        before = self._mine(context, image_id)
        kept = {key: value for key, value in before.properties.items() if key not in changes.remove_properties}
        self.all[image_id] = dataclasses.replace(before, properties={**kept, **changes.set_properties})
        return self.all[image_id]

    def delete(self, context: RequestContext, image_id: str) -> None:
        self._mine(context, image_id)
        del self.all[image_id]

    def _mine(self, context: RequestContext, image_id: str) -> Image:
        image = self.get(context, image_id)
        if not context.is_admin and image.owner != context.project_id:
            raise Forbidden("The image is not yours.")
        return image


class ComputeCloud:
    """One host ``h1`` in zone ``nova``, the stock flavors, one network; ``call`` speaks HTTP."""

    def __init__(self, settings: ApiSettings | None = None, *, url: str = "sqlite://") -> None:
        self.db = Database(DatabaseSettings(url=url))
        Base.metadata.create_all(self.db.engine)
        self.conductor, self.network = Notes(), Notes()
        self.compute = Notes({"get_console_output": b""})
        self.images = Images()
        self.settings = dataclasses.replace(settings or ApiSettings(), auth_strategy="noauth")
        self.cloud = Cloud(
            db=self.db,
            conductor=cast(Any, self.conductor),
            compute=cast(Any, self.compute),
            network=cast(Any, self.network),
            volume=cast(Any, Notes()),
            scheduler=cast(Any, Notes()),
            images=cast(Any, self.images),
            identity=cast(Any, None),
            policy=Policy(),
            settings=self.settings,
        )
        self.redeploy()
        self._prepare()

    def redeploy(self, **changes: Any) -> None:
        """The API anew, with other collaborators where *changes* name some: another process, as far as it can tell."""
        self.cloud = dataclasses.replace(self.cloud, **changes)
        with deploying(self.cloud):
            self.app = loadapp(f"config:{PASTE}", name="osapi_compute")

    def _prepare(self) -> None:
        with self.db.transaction() as tx:
            flavors.add_missing(tx, STOCK_FLAVORS)
            services.heartbeat(tx, host="h1", binary="nova-compute", topic="compute")
            services.heartbeat(tx, host="h0", binary="nova-scheduler", topic="scheduler")
            compute_nodes.report(tx, RESOURCES)
            planned = plan(CreateNetwork(label="net", cidr="10.0.0.0/24"), [])
            self.net = networks.create(tx, planned.networks)[0]
            addresses.reserve_plan(tx, self.net, planned.reserved[0])

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: str = ALICE,
        version: str = "2.1",
        base: str = "/v2.1",
        headers: dict[str, str] | None = None,
    ) -> Response:
        """One request; *body* bytes go as they are, anything else as JSON."""
        request = Request.blank(base + path, method=method)
        request.headers["OpenStack-API-Version"] = f"compute {version}"
        if who:
            request.headers["X-Auth-Token"] = who
        if body is not None:
            request.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
            request.content_type = "application/json"
        request.headers.update(headers or {})
        return request.get_response(self.app)

    def ok(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        """The JSON of an answer that must have *status*; None for an empty one."""
        answer = self.call(method, path, body, **options)
        assert answer.status_int == status, f"{method} {path}: {answer.status} {answer.text}"
        return answer.json if answer.body else None

    def refused(self, method: str, path: str, body: Any = None, *, status: int, **options: Any) -> str:
        """The message of a fault that must have *status*."""
        answer = self.call(method, path, body, **options)
        assert answer.status_int == status, f"{method} {path}: {answer.status} {answer.text}"
        (fault,) = answer.json.values()
        assert fault["code"] == status
        return str(fault["message"])

    def boot(self, who: str = ALICE, **keys: Any) -> str:
        """The uuid of a new server."""
        server = {"name": "web", "flavorRef": "1", "imageRef": IMAGE, **keys}
        return str(self.ok("POST", "/servers", {"server": server}, status=202, who=who)["server"]["id"])

    def running(self, who: str = ALICE, *, state: str = "active", **keys: Any) -> str:
        """The uuid of a server that a host has built meanwhile."""
        uuid = self.boot(who, **keys)
        self.set_row(uuid, vm_state=state, task_state=None, host="h1", node="h1", power_state=1)
        with self.db.transaction() as tx:
            tx.execute(update(INSTANCES).where(INSTANCES.c.uuid == uuid).values(launched_at=tx.now))
        return uuid

    def set_row(self, uuid: str, **values: Any) -> None:
        """Change a server's row behind the API's back."""
        with self.db.transaction() as tx:
            tx.execute(update(INSTANCES).where(INSTANCES.c.uuid == uuid).values(**values))

    def instance(self, uuid: str) -> Instance:
        """The server as it is recorded."""
        return self.db.run(lambda tx: instances.get(tx, uuid, deleted=True), write=False)

    def statements(self, method: str, path: str, body: Any = None, **options: Any) -> Sequence[str]:
        """The SQL statements of one request, which must succeed."""
        with self.db.log.recording() as texts:
            answer = self.call(method, path, body, **options)
        assert answer.status_int < 300, answer.text
        return texts

    def close(self) -> None:
        """Forget it."""
        self.db.dispose()


RESOURCES = HostResources(
    host="h1",
    node="h1",
    vcpus=8,
    memory_mb=16384,
    disk_gb=100,
    disk_available_gb=90,
    hypervisor_type="fake",
    hypervisor_version=1000,
    cpu_info='{"arch": "x86_64"}',
    host_ip="192.0.2.11",
    running_vms=0,
)
