# SPDX-License-Identifier: Apache-2.0
"""A server's whole life over HTTP, with every daemon at work: scheduler, conductor, network and a fake hypervisor."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from paste.deploy import loadapp
from webob import Request

from nova.api.cloud import deploying
from tests.functional.compute_cloud import PASTE
from tests.functional.workflow_cloud import IMAGE, WorkflowCloud, wait_until


class Client:
    """Speaks HTTP with the compute API of a cloud."""

    def __init__(self, cloud: WorkflowCloud, *, who: str = "alice:apples", version: str = "2.1") -> None:
        self._headers = {"X-Auth-Token": who, "OpenStack-API-Version": f"compute {version}"}
        settings = dataclasses.replace(cloud.api.settings, auth_strategy="noauth")
        with deploying(dataclasses.replace(cloud.api, settings=settings)):
            self._app = loadapp(f"config:{PASTE}", name="osapi_compute")

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = Request.blank("/v2.1" + path, method=method, headers=self._headers)
        if body is not None:
            request.body, request.content_type = msgspec.json.encode(body), "application/json"
        answer = request.get_response(self._app)
        return answer.status_int, answer.json if answer.body else None

    def status(self, uuid: str) -> str:
        status, body = self.call("GET", f"/servers/{uuid}")
        return str(body["server"]["status"]) if status == 200 else str(status)

    def becomes(self, uuid: str, status: str) -> None:
        wait_until(
            lambda: self.status(uuid) == status, 20, lambda: f"{status} wanted: {self.call('GET', f'/servers/{uuid}')}"
        )


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WorkflowCloud]:
    made = WorkflowCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_host("h1")
    yield made
    made.close()


def test_a_server_is_made_stopped_started_rebooted_and_deleted(cloud: WorkflowCloud) -> None:
    client = Client(cloud)
    status, made = client.call(
        "POST", "/servers", {"server": {"name": "web", "flavorRef": "small", "imageRef": IMAGE.id}}
    )
    assert status == 202
    uuid = made["server"]["id"]
    client.becomes(uuid, "ACTIVE")
    shown = client.call("GET", f"/servers/{uuid}")[1]["server"]
    assert shown["addresses"]["net"][0]["OS-EXT-IPS:type"] == "fixed"
    assert shown["OS-SRV-USG:launched_at"]
    for action, status_word in (
        ({"os-stop": None}, "SHUTOFF"),
        ({"os-start": None}, "ACTIVE"),
        ({"reboot": {"type": "SOFT"}}, "ACTIVE"),
        ({"reboot": {"type": "HARD"}}, "ACTIVE"),
    ):
        assert client.call("POST", f"/servers/{uuid}/action", action)[0] == 202
        client.becomes(uuid, status_word)
    assert client.call("DELETE", f"/servers/{uuid}")[0] == 204
    client.becomes(uuid, "404")
    assert cloud.guests() == {}
    assert client.call("GET", "/limits")[1]["limits"]["absolute"]["totalInstancesUsed"] == 0


def test_a_server_for_which_there_is_no_room_says_why(cloud: WorkflowCloud) -> None:
    client = Client(cloud)
    hint = {"os:scheduler_hints": {"same_host": ["00000000-0000-4000-8000-000000000000"]}}
    asked = {"server": {"name": "web", "flavorRef": "small", "imageRef": IMAGE.id}, **hint}
    uuid = client.call("POST", "/servers", asked)[1]["server"]["id"]
    client.becomes(uuid, "ERROR")
    fault = client.call("GET", f"/servers/{uuid}")[1]["server"]["fault"]
    assert fault["code"] == 500
    assert "No valid host" in fault["message"]
    assert client.call("DELETE", f"/servers/{uuid}")[0] == 204
    client.becomes(uuid, "404")
