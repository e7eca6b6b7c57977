# SPDX-License-Identifier: Apache-2.0
"""Whatever was done to a server before: its deletion gives everything back, on the host and in the books."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova.domain.states import VmState
from nova.errors import InvalidImage
from tests.functional.test_boot_workflow import assert_nothing_held
from tests.functional.volume_cloud import ADMIN, VolumeCloud
from tests.functional.workflow_cloud import WorkflowCloud

SERVER = {"name": "w", "flavorRef": "small", "imageRef": "22222222-2222-4222-8222-222222222222"}
RESCUE: dict[str, Any] = {"rescue": {}}
PAUSE, SUSPEND, STOP = {"pause": None}, {"suspend": None}, {"os-stop": None}
ERROR = {"os-resetState": {"state": "error"}}
WAYS: dict[str, tuple[dict[str, Any], ...]] = {
    "nothing": (),
    "rescued": (RESCUE,),
    "rescued after a stop": (STOP, RESCUE),
    "rescued and in error": (RESCUE, ERROR),
    "paused": (PAUSE,),
    "paused and in error": (PAUSE, ERROR),
    "suspended": (SUSPEND,),
    "suspended and in error": (SUSPEND, ERROR),
    "stopped": (STOP,),
    "in error": (ERROR,),
}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[VolumeCloud]:
    made = VolumeCloud(tmp_path)
    made.add_scheduler()
    made.add_network()
    made.add_storage()
    made.add_host("h1")
    yield made
    made.close()


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_a_server_that_is_deleted_in_any_state(cloud: VolumeCloud, way: str) -> None:
    """CVE-2014-2573, CVE-2014-3608"""
    server = str(cloud.ok("POST", "/v2.1/servers", {"server": SERVER}, status=202)["server"]["id"])
    cloud.settled(server)
    for action in WAYS[way]:
        answer = cloud.call("POST", f"/v2.1/servers/{server}/action", action, who=ADMIN)
        assert answer.status_int in (200, 202), answer.text
        cloud.settled(server)
    refused = cloud.call("POST", f"/v2.1/servers/{server}/action", SUSPEND if WAYS[way][:1] == (RESCUE,) else {"x": 1})
    assert refused.status_int in (400, 409)
    assert cloud.call("DELETE", f"/v2.1/servers/{server}").status_int == 204
    [gone] = cloud.settled(server)
    assert gone.vm_state is VmState.DELETED
    assert_nothing_held(cloud)
    assert cloud.drivers["h1"].guests == {}


def test_broken_boots_of_one_user_take_no_host_away(tmp_path: Path) -> None:
    """Release note of 2017: images that cannot be booted are their owner's fault, and no host's"""
    cloud = WorkflowCloud(tmp_path)
    cloud.add_scheduler()
    cloud.add_network()
    driver = cloud.add_host("only")
    driver.fail("fetch_images", InvalidImage("The image has a backing file."), times=12)
    for _ in range(12):
        [broken] = cloud.boot()
        [server] = cloud.settled(broken)
        assert server.vm_state is VmState.ERROR
    [good] = cloud.boot()
    [server] = cloud.settled(good)
    assert server.vm_state is VmState.ACTIVE
    cloud.close()
