# SPDX-License-Identifier: Apache-2.0
"""All daemons of one cloud in one process, with a real nova-volume on files, spoken to over HTTP.

The pipelines are those of api-paste.ini.  Only the hypervisor, the network host's wiring and the iSCSI target are
stand-ins.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
from paste.deploy import loadapp
from sqlalchemy import update
from webob import Request, Response

from nova.api.cloud import ApiSettings, deploying
from nova.context import admin_context
from nova.db import services, volumes
from nova.db.models.base import table_of
from nova.db.models.volume import VolumeRow
from nova.domain.volume import Volume
from nova.interfaces.volume import VolumeService
from nova.rpc.server import Server
from nova.volume.drivers.file import FileDriver
from nova.volume.service import VolumeHost
from nova.volume.workplace import VolumeSettings, Workplace
from tests.functional.workflow_cloud import WorkflowCloud, wait_until

PASTE = Path(__file__).parents[2] / "etc" / "nova" / "api-paste.ini"
ALICE, BOB, ADMIN = "alice:apples", "bob:pears", "admin:operations"
STORAGE = "storage"
VOLUMES = table_of(VolumeRow)


class MemoryTarget:
    """A target daemon without sockets: who may reach what, by number."""

    def __init__(self) -> None:
        self.exports: dict[int, dict[str, Any]] = {}

    def export(self, *, number: int, iqn: str, path: Path, initiator: str, username: str, password: str) -> None:
        self.exports[number] = {"iqn": iqn, "path": path, "initiator": initiator, "username": username}

    def withdraw(self, *, number: int, iqn: str) -> None:
        if self.exports.get(number, {}).get("iqn") == iqn:
            del self.exports[number]

    def targets(self) -> dict[int, str]:
        return {number: export["iqn"] for number, export in self.exports.items()}


class VolumeCloud(WorkflowCloud):
    """See the module."""

    def __init__(self, directory: Path, **options: Any) -> None:
        super().__init__(directory, **options)
        self.api = dataclasses.replace(self.api, settings=self.api_settings())
        with deploying(self.api):
            self.apps = {name: loadapp(f"config:{PASTE}", name=name) for name in ("osapi_volume", "osapi_compute")}
        self.target = MemoryTarget()
        self.files = directory / "volumes"
        self.volume_server: Server | None = None
        self.volume_host = self._volume_host()

    def api_settings(self) -> ApiSettings:
        quotas = {**ApiSettings().default_quotas, "volumes": 4, "gigabytes": 10}
        return ApiSettings(auth_strategy="noauth", default_quotas=quotas)

    def _volume_host(self) -> VolumeHost:
        settings = VolumeSettings(host=STORAGE, portal="127.0.0.1:3260")
        return VolumeHost(Workplace(db=self.db, driver=FileDriver(self.files), target=self.target, settings=settings))

    def add_storage(self) -> None:
        """nova-volume: alive, its room reported, its unfinished work taken up."""
        self.beat_storage()
        self.volume_host = self._volume_host()
        self.volume_host.report_capacity(admin_context("test"))
        self.volume_host.start_up(admin_context("test"))
        self.volume_server = self.serve(VolumeService, self.volume_host, host=STORAGE)

    def stop_storage(self) -> None:
        """nova-volume is gone; messages to it wait."""
        assert self.volume_server is not None
        self.servers.remove(self.volume_server)
        self.volume_server.stop(5)
        self.volume_server = None

    def beat_storage(self) -> None:
        self.db.run(lambda tx: services.heartbeat(tx, host=STORAGE, binary="nova-volume", topic="volume"))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: str = ALICE,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """One request: ``/v2.1`` goes to the compute API, everything else to the volume API."""
        request = Request.blank(path, method=method)
        if who:
            request.headers["X-Auth-Token"] = who
        if body is not None:
            request.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
            request.content_type = "application/json"
        request.headers.update(headers or {})
        return request.get_response(self.apps["osapi_compute" if path.startswith("/v2.1") else "osapi_volume"])

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
        return str(fault["message"])

    def new_volume(self, *, size: int = 1, who: str = ALICE, **keys: Any) -> str:
        """The id of a volume, once it is available."""
        made = self.ok("POST", "/v3/volumes", {"volume": {"size": size, **keys}}, status=202, who=who)
        volume_id = str(made["volume"]["id"])
        self.becomes(volume_id, "available")
        return volume_id

    def volumes(self) -> list[Volume]:
        """All volumes as the database has them."""
        return self.db.run(lambda tx: volumes.find(tx, volumes.VolumeQuery()), write=False)

    def volume(self, volume_id: str) -> Volume | None:
        """The volume as the database has it; None when it is gone."""
        return next((each for each in self.volumes() if each.id == volume_id), None)

    def becomes(self, volume_id: str, status: str) -> Volume:
        """The volume once it is *status*."""
        wait_until(
            lambda: (found := self.volume(volume_id)) is not None and found.status == status,
            10,
            lambda: f"{self.volume(volume_id)}",
        )
        found = self.volume(volume_id)
        assert found is not None
        return found

    def vanishes(self, volume_id: str) -> None:
        """Wait until the volume is gone."""
        wait_until(lambda: self.volume(volume_id) is None, 10, lambda: f"{self.volume(volume_id)}")

    def quota_used(self) -> tuple[int, int]:
        """Volumes and gigabytes that Alice's project has in use."""
        absolute = self.ok("GET", "/v3/limits")["limits"]["absolute"]
        return absolute["totalVolumesUsed"], absolute["totalGigabytesUsed"]

    def set_volume(self, volume_id: str, **values: Any) -> None:
        """Change a volume's row behind the API's back."""
        with self.db.transaction() as tx:
            tx.execute(update(VOLUMES).where(VOLUMES.c.uuid == volume_id).values(**values))

    def running(self, **changes: Any) -> str:
        """A server of Alice that runs."""
        [uuid] = self.boot(**changes)
        self.settled(uuid)
        return uuid
