# SPDX-License-Identifier: Apache-2.0
"""The openstack program, the SDK and nova's own client against our volume API, over real sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OPENSTACK = Path(sys.executable).with_name("openstack")


class Client:
    """Runs programs as Alice."""

    def __init__(self, compute: str, volume: str, server: str) -> None:
        self.compute, self.volume, self.server = compute, volume, server

    def text(self, *words: str, endpoint: str = "") -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        command = [
            *(str(OPENSTACK), "--os-auth-type", "admin_token", "--os-token", "alice:apples"),
            *("--os-endpoint", endpoint or f"{self.volume}/v3/apples"),
        ]
        done = subprocess.run(
            [*command, *words], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def __call__(self, *words: str, endpoint: str = "") -> Any:
        return json.loads(self.text(*words, "-f", "json", endpoint=endpoint))

    def becomes(self, name: str, status: str) -> Any:
        """The volume once it has that status."""
        deadline = time.monotonic() + 60
        while (found := self("volume", "show", name))["status"] != status:
            assert time.monotonic() < deadline, found
        return found


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory = tmp_path_factory.mktemp("cloud")
    with (directory / "stderr").open("w") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(HERE / "serve_volumes.py"), str(directory)],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline().split()
        assert len(line) == 3, (directory / "stderr").read_text()
        yield Client(*line)
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def test_the_openstack_program_makes_shows_changes_and_deletes_volumes(alice: Client) -> None:
    made = alice("volume", "create", "--size", "1", "--description", "mine", "--property", "a=b", "data")
    assert (made["name"], made["size"], made["properties"]) == ("data", 1, {"a": "b"})
    alice.becomes("data", "available")
    [row] = alice("volume", "list", "--long")
    assert (row["Name"], row["Status"], row["Size"], row["Properties"]) == ("data", "available", 1, {"a": "b"})
    alice.text("volume", "set", "--name", "other", "--property", "c=d", "data")
    assert alice("volume", "show", "other")["properties"] == {"a": "b", "c": "d"}
    alice.text("volume", "unset", "--property", "a", "other")
    assert [row["Name"] for row in alice("volume", "list", "--name", "other")] == ["other"]
    alice.text("volume", "delete", "other")
    deadline = time.monotonic() + 30
    while alice("volume", "list"):
        assert time.monotonic() < deadline


def test_what_the_openstack_program_asks_besides(alice: Client) -> None:
    assert alice("volume", "type", "list") == []
    assert alice("volume", "snapshot", "list") == []
    assert alice("availability", "zone", "list", "--volume") == [{"Zone Name": "nova", "Zone Status": "available"}]
    with pytest.raises(AssertionError, match="403"):
        alice.text("volume", "service", "list")
    with pytest.raises(AssertionError, match="403"):
        alice.text("volume", "create", "--size", "100", "big")
    with pytest.raises(AssertionError, match="No Volume found for nothing|could not be found"):
        alice.text("volume", "show", "nothing")


SDK = """
import sys, time, warnings
warnings.simplefilter("ignore")
import openstack
compute, volume, server = sys.argv[1:]
cloud = openstack.connection.Connection(
    auth_type="admin_token", auth={"endpoint": "unused", "token": "alice:apples"},
    block_storage_endpoint_override=volume + "/v3/apples", compute_endpoint_override=compute + "/v2.1/apples",
)
def wait(status):
    for _ in range(300):
        if cloud.block_storage.get_volume(made.id).status == status: return
        time.sleep(0.1)
    raise SystemExit("never " + status)
made = cloud.block_storage.create_volume(size=1, name="sdk")
wait("available")
attachment = cloud.compute.create_volume_attachment(server, volume_id=made.id)
wait("in-use")
[seen] = cloud.compute.volume_attachments(server)
[where] = cloud.block_storage.get_volume(made.id).attachments
cloud.compute.delete_volume_attachment(server, made.id)
wait("available")
cloud.block_storage.delete_volume(made)
cloud.block_storage.wait_for_delete(made, interval=0.2, wait=30)
print(attachment.device, seen.volume_id == made.id, where["server_id"] == server)
"""


def test_the_sdk_attaches_a_volume_and_takes_it_back(alice: Client) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SDK, alice.compute, alice.volume, alice.server],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["/dev/vdb", "True", "True"], done.stdout + done.stderr


NOVA = """
import sys, time
from keystoneauth1 import session
from keystoneauth1.token_endpoint import Token
from novaclient import client
compute, _, server, volume = sys.argv[1:]
nova = client.Client("2.35", session=session.Session(Token(compute + "/v2.1/apples", "alice:apples")))
made = nova.volumes.create_server_volume(server, volume, None)
print(made.device, [each.id == volume for each in nova.volumes.get_server_volumes(server)])
for _ in range(300):
    try:
        nova.volumes.delete_server_volume(server, volume)
        break
    except Exception as error:
        assert error.code == 409, error
        time.sleep(0.1)
"""


def test_novaclient_attaches_and_detaches(alice: Client) -> None:
    made = alice("volume", "create", "--size", "1", "novas")
    alice.becomes("novas", "available")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", NOVA, alice.compute, alice.volume, alice.server, made["id"]],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["/dev/vdb", "[True]"], done.stdout + done.stderr
    alice.becomes("novas", "available")
    alice.text("volume", "delete", "novas")
