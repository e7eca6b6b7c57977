# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on a host with libvirt: the server says why in its fault, and the host is usable when it is mended.

The disks of guests are on a small file system of their own.
"""

from __future__ import annotations

import contextlib
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.boots import Boots, blank_image
from tests.integration.databases import MariaDb
from tests.integration.leaks import addresses_held, claims, disks, domains
from tests.integration.netns import run
from tests.integration.production import COMPUTE, CONTROLLER, ProductionCloud, shown_on_failure, wait_until
from tests.integration.production_files import BRIDGE
from tools import private_libvirt

pytestmark = [pytest.mark.root, pytest.mark.slow]

SMALL = "small-disk"


@pytest.fixture(scope="module")
def cloud() -> Iterator[ProductionCloud]:
    with ProductionCloud(MariaDb.create, grace_s=20, instances_mb=64) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def boots(cloud: ProductionCloud, tmp_path_factory: pytest.TempPathFactory) -> Boots:
    boots = Boots(cloud, blank_image(tmp_path_factory.mktemp("image")))
    flavor = {"name": SMALL, "id": SMALL, "ram": 64, "vcpus": 1, "disk": 0}
    boots.http.compute("POST", "/flavors", {"flavor": flavor})
    return boots


def ask(boots: Boots, name: str, *, image: str = "") -> str:
    return boots.ask(name, flavor=SMALL, host=COMPUTE, image=image)


def assert_usable(boots: Boots) -> None:
    """A server boots here, and goes without leaving anything, the failed ones with it."""
    boots.assert_active(ask(boots, "after"))
    boots.delete(*(one["id"] for one in boots.listed()))


def test_a_bridge_name_that_is_taken(cloud: ProductionCloud, boots: Boots) -> None:
    """The first test: the bridge is made with the first server."""
    with shown_on_failure(cloud):
        run("ip", "-n", cloud.namespace, "link", "add", BRIDGE, "type", "veth", "peer", "name", "other")
        try:
            assert f"The bridge {BRIDGE} cannot be made" in boots.fault(ask(boots, "no bridge"))
        finally:
            run("ip", "-n", cloud.namespace, "link", "del", BRIDGE)
        assert_usable(boots)


def test_a_disk_that_is_full(cloud: ProductionCloud, boots: Boots) -> None:
    ballast = cloud.files.state(COMPUTE) / "instances" / "ballast"
    with shown_on_failure(cloud):
        fill(ballast)
        try:
            assert "space" in boots.fault(ask(boots, "no room")).lower()
        finally:
            ballast.unlink()
        assert_usable(boots)


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_an_image_that_is_truncated(cloud: ProductionCloud, boots: Boots, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.write_bytes(secrets.token_bytes(1 << 20))
    argv = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", str(whole), str(tmp_path / "whole.qcow2")]
    subprocess.run(argv, check=True)
    with shown_on_failure(cloud):
        image = boots.http.upload_image("truncated", tmp_path / "whole.qcow2")
        stored = cloud.files.state(CONTROLLER) / "images" / image
        with stored.open("r+b") as file:
            file.truncate(stored.stat().st_size // 2)
        assert "image" in boots.fault(ask(boots, "half an image", image=image))
        assert_usable(boots)


def test_a_libvirtd_that_is_down(cloud: ProductionCloud, boots: Boots) -> None:
    home = cloud.files.home / "libvirt"
    with shown_on_failure(cloud):
        private_libvirt.stop(home)
        try:
            why = boots.fault(ask(boots, "no hypervisor"))
            assert "libvirt" in why or "down" in why
        finally:
            private_libvirt.start(cloud.namespace, home)
        assert_usable(boots)


@pytest.mark.parametrize("step", ["create_disks", "start_guest", "report"])
def test_nova_compute_killed_on_its_way_goes_on_after_its_restart(
    cloud: ProductionCloud, boots: Boots, step: str
) -> None:
    with shown_on_failure(cloud):
        server = stopped_before(cloud, boots, step)
        cloud.restart("nova-compute")
        boots.assert_active(server)
        assert list(addresses_held(cloud).values()) == claims(cloud) == [server]
        assert len(disks(cloud)) == len(domains(cloud)) == 1
        boots.delete(server)


def test_nova_compute_killed_before_it_had_the_image_says_so_or_goes_on(
    cloud: ProductionCloud, boots: Boots, tmp_path: Path
) -> None:
    """The caller's token is written down nowhere, so a daemon that starts anew may be refused the image."""
    with shown_on_failure(cloud):
        boots.image = boots.http.upload_image("new", blank_image(tmp_path))
        server = stopped_before(cloud, boots, "fetch_images")
        cloud.restart("nova-compute")
        found = boots.ended(server)
        assert found["status"] == "ACTIVE" or "token" in found["fault"]["message"]
        assert_usable(boots)


def stopped_before(cloud: ProductionCloud, boots: Boots, step: str) -> str:
    """A server whose boot has come to *step* on its host, and no further."""
    paused = cloud.files.state(COMPUTE) / "paused"
    paused.unlink(missing_ok=True)
    cloud.restart("nova-compute", f"--workarounds-pause_before_step=compute:{step}")
    server = ask(boots, f"killed before {step}")
    wait_until(paused.exists, f"nova-compute before {step}")
    return server
