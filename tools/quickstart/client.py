# SPDX-License-Identifier: Apache-2.0
"""The few calls of the public HTTP APIs that the quickstart needs, as any client would make them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tools.quickstart.layout import ADDRESS, APIS
from tools.quickstart.progress import StepFailed

CHUNK = 1 << 20
Json = dict[str, Any]


def endpoint(api: str) -> str:
    """The address of one API on the loopback."""
    return f"http://{ADDRESS}:{APIS[api]}"


class Client:
    """One user in one project, with a token."""

    def __init__(self, *, user: str, password: str, project: str) -> None:
        scope = {"project": {"name": project, "domain": {"id": "default"}}}
        who = {"name": user, "password": password, "domain": {"id": "default"}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": scope}}
        self.session = requests.Session()
        answer = self.session.post(f"{endpoint('identity')}/v3/auth/tokens", json=body, timeout=30)
        checked(answer, f"logging in as {user}")
        self.session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        self.session.headers["OpenStack-API-Version"] = "compute 2.35"
        token = answer.json()["token"]
        self.project_id = str(token["project"]["id"])
        self.user_id = str(token["user"]["id"])

    def call(self, method: str, api: str, path: str, body: Json | None = None, *, missing_ok: bool = False) -> Json:
        """One JSON call; an empty answer is an empty dictionary."""
        answer = self.session.request(method, endpoint(api) + path, json=body, timeout=60)
        if missing_ok and answer.status_code == requests.codes.not_found:
            return {}
        checked(answer, f"{method} {path}")
        return answer.json() if answer.content else {}

    def compute(self, method: str, path: str, body: Json | None = None, *, missing_ok: bool = False) -> Json:
        """A call of the compute API."""
        return self.call(method, "osapi_compute", f"/v2.1/{self.project_id}{path}", body, missing_ok=missing_ok)

    def volume(self, method: str, path: str, body: Json | None = None, *, missing_ok: bool = False) -> Json:
        """A call of the volume API."""
        return self.call(method, "osapi_volume", f"/v3/{self.project_id}{path}", body, missing_ok=missing_ok)

    def upload_image(self, name: str, path: Path, *, visibility: str = "public") -> str:
        """Register a qcow2 file under *name*, unless there is an active image of that name; its id."""
        for image in self.call("GET", "image", f"/v2/images?name={name}")["images"]:
            if image["status"] == "active":
                return str(image["id"])
        body = {"name": name, "disk_format": "qcow2", "container_format": "bare", "visibility": visibility}
        image_id = str(self.call("POST", "image", "/v2/images", body)["id"])
        answer = self.session.put(
            f"{endpoint('image')}/v2/images/{image_id}/file",
            data=_chunks(path),
            headers={"Content-Type": "application/octet-stream"},
            timeout=300,
        )
        checked(answer, f"uploading {path.name}")
        return image_id


def checked(answer: requests.Response, doing: str) -> None:
    """Raise StepFailed with the API's own sentence when *answer* is an error."""
    if answer.ok:
        return
    try:
        sentence = next(iter(answer.json().values()))["message"]
    except (ValueError, KeyError, TypeError, StopIteration):
        sentence = answer.text[:200]
    raise StepFailed(f"{doing}: HTTP {answer.status_code}: {sentence}")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
