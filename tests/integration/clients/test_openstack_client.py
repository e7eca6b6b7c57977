# SPDX-License-Identifier: Apache-2.0
"""The openstack program and the SDK against our identity and image APIs, over real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OPENSTACK = Path(sys.executable).with_name("openstack")


class Client:
    """Runs the openstack program as one user of the served cloud."""

    def __init__(self, identity: str, image: str, *, user: str, project: str) -> None:
        self.identity, self.image_url, self.user, self.project = identity, image, user, project

    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
            "OS_AUTH_URL": f"{self.identity}/v3",
            "OS_USERNAME": self.user,
            "OS_PASSWORD": f"{self.user}-pw",
            "OS_PROJECT_NAME": self.project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def text(self, *words: str) -> str:
        done = subprocess.run(
            [str(OPENSTACK), *words], env=self.environment(), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def __call__(self, *words: str) -> Any:
        return json.loads(self.text(*words, "-f", "json"))


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    directory = tmp_path_factory.mktemp("cloud")
    with (directory / "stderr").open("w") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(HERE / "serve.py"), str(directory)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().split()
        assert len(line) == 2, (directory / "stderr").read_text()
        yield line
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


@pytest.fixture(scope="module")
def root(addresses: list[str]) -> Client:
    return Client(*addresses, user="root", project="operations")


@pytest.fixture(scope="module")
def alice(addresses: list[str]) -> Client:
    return Client(*addresses, user="alice", project="apples")


def test_a_token_is_issued_and_the_catalog_listed(alice: Client) -> None:
    token = alice("token", "issue")
    assert token["id"]
    assert token["project_id"]
    catalog = {row["Type"]: row["Endpoints"] for row in alice("catalog", "list")}
    assert set(catalog) == {"identity", "image", "compute"}


def test_users_projects_and_roles_are_administered(root: Client) -> None:
    project = root("project", "create", "cherries", "--description", "red")
    user = root("user", "create", "dora", "--password", "dora-pw", "--project", project["id"], "--email", "d@x.org")
    root.text("role", "add", "--user", "dora", "--project", "cherries", "member")
    rows = root("role", "assignment", "list", "--user", "dora", "--project", "cherries", "--names")
    assert [row["Role"] for row in rows] == ["member"]
    assert "cherries" in {row["Name"] for row in root("project", "list")}
    assert {row["ID"]: row["Name"] for row in root("user", "list")}[user["id"]] == "dora"
    dora = Client(root.identity, root.image_url, user="dora", project="cherries")
    assert dora("token", "issue")["user_id"] == user["id"]
    assert [row["Name"] for row in dora("project", "list")] == ["cherries"]
    root.text("user", "set", "--disable", "dora")
    with pytest.raises(AssertionError, match="401"):
        dora("token", "issue")
    root.text("role", "remove", "--user", "dora", "--project", "cherries", "member")
    root.text("user", "delete", "dora")
    root.text("project", "delete", "cherries")


def test_ec2_credentials_are_created_listed_and_deleted(alice: Client) -> None:
    made = alice("ec2", "credentials", "create")
    listed = alice("ec2", "credentials", "list")
    assert made["access"] in {row["Access"] for row in listed}
    alice.text("ec2", "credentials", "delete", made["access"])
    assert made["access"] not in {row["Access"] for row in alice("ec2", "credentials", "list")}


def test_services_and_endpoints_are_listed(root: Client) -> None:
    assert {row["Type"] for row in root("service", "list")} == {"identity", "image", "compute"}
    assert {row["Interface"] for row in root("endpoint", "list")} == {"public", "internal", "admin"}


def test_an_image_goes_in_and_comes_out_unchanged(alice: Client, tmp_path: Path) -> None:
    source, target = tmp_path / "in.img", tmp_path / "out.img"
    source.write_bytes(os.urandom(3_000_000))
    made = alice(
        *("image", "create", "tiny", "--disk-format", "raw", "--container-format", "bare"),
        *("--file", str(source), "--property", "os_distro=debian", "--tag", "small"),
    )
    shown = alice("image", "show", "tiny")
    assert shown["status"] == "active"
    assert shown["checksum"] == hashlib.md5(source.read_bytes()).hexdigest()
    assert "tiny" in {row["Name"] for row in alice("image", "list")}
    alice.text("image", "save", "--file", str(target), "tiny")
    assert target.read_bytes() == source.read_bytes()
    alice.text("image", "set", "--name", "renamed", "--property", "hw_disk_bus=virtio", "--min-disk", "2", made["id"])
    changed = alice("image", "show", made["id"])
    assert (changed["name"], changed["min_disk"]) == ("renamed", 2)
    assert changed["properties"]["hw_disk_bus"] == "virtio"
    alice.text("image", "unset", "--property", "hw_disk_bus", made["id"])
    alice.text("image", "delete", "renamed")
    assert alice("image", "list") == []


def test_an_image_is_imported_in_two_steps(alice: Client, tmp_path: Path) -> None:
    source = tmp_path / "in.img"
    source.write_bytes(os.urandom(100_000))
    made = alice(
        *("image", "create", "staged", "--disk-format", "raw", "--container-format", "bare"),
        *("--file", str(source), "--import"),
    )
    assert alice("image", "show", made["id"])["status"] == "active"
    alice.text("image", "delete", made["id"])


def test_an_image_is_shared_and_accepted(root: Client, alice: Client) -> None:
    bob = Client(root.identity, root.image_url, user="bob", project="pears")
    made = alice("image", "create", "offered", "--disk-format", "raw", "--container-format", "bare", "--shared")
    project = bob("token", "issue")["project_id"]
    alice.text("image", "add", "project", made["id"], project)
    assert bob("image", "list") == []
    bob.text("image", "set", "--accept", made["id"])
    assert [row["Name"] for row in bob("image", "list")] == ["offered"]
    alice.text("image", "delete", made["id"])


def test_the_sdk_and_the_catalog_lead_to_the_image_service(alice: Client) -> None:
    warnings.simplefilter("ignore")
    import openstack

    with openstack.connect(
        auth_url=f"{alice.identity}/v3",
        username="alice",
        password="alice-pw",
        project_name="apples",
        user_domain_id="default",
        project_domain_id="default",
        region_name="nova",
    ) as cloud:
        image = cloud.image.create_image(
            "chunked", data=iter([b"one", b"two"]), allow_duplicates=True, disk_format="raw"
        )
        assert cloud.image.download_image(image.id).content == b"onetwo"
        cloud.image.delete_image(image.id)


def test_an_old_v2_token_is_had_with_keystoneauth(alice: Client) -> None:
    from keystoneauth1 import session
    from keystoneauth1.identity import v2

    auth = v2.Password(f"{alice.identity}/v2.0", username="alice", password="alice-pw", tenant_name="apples")
    found = session.Session(auth=auth)
    assert found.get_endpoint(service_type="image") == alice.image_url
    assert found.get_project_id()
