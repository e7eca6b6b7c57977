# SPDX-License-Identifier: Apache-2.0
"""Images, backups, rebuilds and shelving of a server with the clients' own commands.

All daemons are one process with the fake driver; images go over HTTP with the tokens of users, as on a real host.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.netns import inside, run
from tests.integration.program import BINARIES, Home, Program, wait_until

PASSWORD = "correct-horse-77"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A cloud that runs, with one user."""
    name = f"nvsnap{os.getpid()}"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        with inside(name):
            made = _configured(tmp_path_factory.mktemp("cloud"))
            with Program(made, made.argv("nova-all")) as program:
                program.wait_until(lambda: _answers(made.port) and _answers(made.other_port), "answers of the APIs")
                program.wait_said("nova-compute on host test-host has started.")
                yield made
    finally:
        run("ip", "netns", "delete", name)


def _configured(path: Path) -> Home:
    """On the usual ports, which the catalog names; the namespace has them all."""
    made = Home(path, more="image_listen = 127.0.0.1\n")
    text = made.config.read_text().replace("osapi_compute,identity", "osapi_compute,identity,image")
    text = text.replace("FlatDHCPManager", "FlatManager")
    for port, usual in ((made.port, 8774), (made.other_port, 5000)):
        text = text.replace(f"_port = {port}", f"_port = {usual}")
    made.port, made.other_port = 8774, 5000
    made.config.write_text(text)
    for words in (
        ("identity", "bootstrap"),
        ("network", "create", "net", "10.20.0.0/24", "1", "256", "--bridge", "br-not-made"),
    ):
        done = made.run("nova-manage", *words, stdin=f"{PASSWORD}\n")
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return made


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code < 500
    except requests.RequestException:
        return False


def client(home: Home, program: str, *words: str) -> str:
    """What a client program printed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
        "OS_AUTH_URL": f"http://127.0.0.1:{home.other_port}/v3",
        "OS_USERNAME": "admin",
        "OS_PASSWORD": PASSWORD,
        "OS_PROJECT_NAME": "admin",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_IDENTITY_API_VERSION": "3",
    }
    done = subprocess.run(
        [str(BINARIES / program), *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{program} {words}: {done.stdout}{done.stderr}"
    return done.stdout


def openstack(home: Home, *words: str) -> Any:
    return json.loads(client(home, "openstack", *words, "-f", "json"))


def images(home: Home) -> list[str]:
    return sorted(row["Name"] for row in openstack(home, "image", "list"))


def becomes(home: Home, status: str) -> None:
    wait_until(lambda: openstack(home, "server", "show", "web")["status"] == status, status, timeout_s=90)


def test_a_server_is_kept_as_images_made_anew_shelved_and_brought_back(home: Home, tmp_path: Path) -> None:
    source = tmp_path / "tiny.img"
    source.write_bytes(bytes(4096))
    raw = ("--disk-format", "raw", "--container-format", "bare", "--file", str(source))
    for name in ("tiny", "other"):
        openstack(home, "image", "create", name, *raw)
    openstack(home, "server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--wait", "web")
    address = openstack(home, "server", "show", "web")["addresses"]

    made = openstack(home, "server", "image", "create", "--name", "kept", "--wait", "web")
    assert (made["status"], made["properties"]["image_type"]) == ("active", "snapshot")
    saved = tmp_path / "kept.img"
    client(home, "openstack", "image", "save", "--file", str(saved), "kept")
    assert made["id"]
    assert b"root disk of" in saved.read_bytes()
    shown = openstack(home, "image", "show", "kept")
    assert shown["checksum"] == hashlib.md5(saved.read_bytes(), usedforsecurity=False).hexdigest()

    for number in range(2):
        backup = ("--name", f"day {number}", "--type", "day", "--rotate", "1", "--wait")
        openstack(home, "server", "backup", "create", *backup, "web")
    wait_until(lambda: images(home) == ["day 1", "kept", "other", "tiny"], "the newest backup", timeout_s=60)

    client(home, "openstack", "server", "rebuild", "--image", "other", "--wait", "web")
    rebuilt = openstack(home, "server", "show", "web")
    assert rebuilt["image"].startswith("other")
    assert rebuilt["addresses"] == address

    client(home, "nova", "shelve", "web")
    becomes(home, "SHELVED_OFFLOADED")
    assert "web-shelved" in images(home)
    client(home, "nova", "unshelve", "web")
    becomes(home, "ACTIVE")
    assert openstack(home, "server", "show", "web")["addresses"] == address
    wait_until(lambda: "web-shelved" not in images(home), "the end of the shelved image", timeout_s=60)

    client(home, "nova", "image-create", "--poll", "web", "by nova")
    assert "by nova" in images(home)
    client(home, "openstack", "server", "delete", "--wait", "web")
