# SPDX-License-Identifier: Apache-2.0
"""Boots asked for through the compute API of a production cloud, and what becomes of them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.integration.leaks import assert_nothing_held
from tests.integration.production import ADMIN_PASSWORD, ProductionCloud, wait_until
from tools.quickstart.client import Client, endpoint
from tools.quickstart.progress import StepFailed

TINY = "1"
"""The flavor m1.tiny"""


class Boots:
    """One administrator's servers, from one image."""

    def __init__(self, cloud: ProductionCloud, image: Path) -> None:
        self.cloud = cloud
        self.http = Client(user="admin", password=ADMIN_PASSWORD, project="admin")
        self.image = self.http.upload_image("tiny", image)

    def ask(self, name: str, *, host: str = "", flavor: str = TINY, image: str = "") -> str:
        """Ask for a server; its id.  Safe to call from several threads."""
        server = {"name": name, "imageRef": image or self.image, "flavorRef": flavor}
        if host:
            server["availability_zone"] = f"nova:{host}"
        answer = requests.post(
            f"{endpoint('osapi_compute')}/v2.1/{self.http.project_id}/servers",
            json={"server": server},
            headers={"X-Auth-Token": str(self.http.session.headers["X-Auth-Token"])},
            timeout=60,
        )
        answer.raise_for_status()
        return str(answer.json()["server"]["id"])

    def show(self, server_id: str) -> dict[str, Any]:
        """The server as its owner sees it; empty when it is gone."""
        found: dict[str, Any] = self.http.compute("GET", f"/servers/{server_id}", missing_ok=True)
        return found.get("server", {})

    def listed(self) -> list[dict[str, Any]]:
        """All servers."""
        found: list[dict[str, Any]] = self.http.compute("GET", "/servers/detail")["servers"]
        return found

    def ended(self, server_id: str, *, timeout_s: float = 60) -> dict[str, Any]:
        """The server once its boot has ended, whichever way."""

        def look() -> dict[str, Any]:
            found = self.show(server_id)
            return found if found["status"] != "BUILD" and not found["OS-EXT-STS:task_state"] else {}

        return wait_until(look, f"the end of the boot of {server_id}", timeout_s=timeout_s)

    def assert_active(self, server_id: str, *, timeout_s: float = 60) -> None:
        """Its boot ends well."""
        found = self.ended(server_id, timeout_s=timeout_s)
        assert found["status"] == "ACTIVE", found

    def fault(self, server_id: str, *, timeout_s: float = 60) -> str:
        """Why its boot, which fails, did."""
        found = self.ended(server_id, timeout_s=timeout_s)
        assert found["status"] == "ERROR", found
        return str(found["fault"]["message"])

    def delete(self, *server_ids: str) -> None:
        """Delete servers; returns when they are gone, and nothing of any server is left."""
        for server_id in server_ids:
            self.http.compute("DELETE", f"/servers/{server_id}")
        for server_id in server_ids:
            wait_until(lambda wanted=server_id: not self.show(wanted), f"the end of {server_id}")
        assert_nothing_held(self.cloud)


def blank_image(directory: Path) -> Path:
    """A qcow2 file with nothing in it."""
    path = directory / "blank.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "1M"], check=True)
    return path


def accepted(boots: Boots, name: str) -> str:
    """The id of a server that was asked for while something is away; empty when the API refused, as it may."""
    try:
        return boots.ask(name)
    except (requests.RequestException, StepFailed):
        return ""
